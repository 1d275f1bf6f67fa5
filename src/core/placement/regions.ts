import type { DomainId, FleetState } from '../fleet/index.js';
import type { FitSums, Slices } from './fit-sums.js';

export interface RegionAsk {
  readonly fleet: FleetState;
  readonly sums: FitSums;
  /** Pods that must stand in it. */
  readonly need: number;
  /** Pods that would like to; `need` when not elastic. */
  readonly want: number;
  /** The outermost level allowed: -1 for the whole fleet. */
  readonly limit: number;
  readonly within: DomainId;
  /** `need` and `want` are whole slices. */
  readonly slices?: Slices | undefined;
}

/**
 * Where pods of one shape may stand: on the innermost level where one domain holds all that are wanted, the fullest
 * such domain (the smallest number that is enough), since an almost empty rack is the only place for a later gang of a
 * rack's size. When no domain holds all that are wanted, the one that holds most of them, at the outermost level
 * allowed; inside the whole fleet, the innermost that holds what is needed. Equals: the smaller rank.
 */
export function chooseRegion(ask: RegionAsk): DomainId | undefined {
  return (
    innermost(ask, ask.want) ?? (ask.limit < 0 || ask.want === ask.need ? innermost(ask, ask.need) : roomiest(ask))
  );
}

function innermost(ask: RegionAsk, pods: number): DomainId | undefined {
  const { tree } = ask.fleet;
  // No domain inside holds more than all of them together.
  if (ask.slices === undefined && ask.sums.of(ask.within) < pods) return undefined;
  const own = tree.levelOfDomain(ask.within);
  for (let level = tree.levels.length - 1; level > own && level >= ask.limit; level--) {
    const domain = fullestAt(ask, level, pods);
    if (domain !== undefined) return domain;
  }
  return mayStandIn(ask, ask.within) && ask.sums.of(ask.within) >= pods ? ask.within : undefined;
}

/** Of the level's domains, the one with the least room that is enough; nodes compare by their score. */
function fullestAt(ask: RegionAsk, level: number, pods: number): DomainId | undefined {
  const { fleet, sums, within } = ask;
  const { tree } = fleet;
  const domains = tree.domainsAt(level);
  const end = tree.endOf(within);
  const isAnywhere = ask.limit < 0 && ask.slices === undefined;
  const isHosts = level === tree.levels.length - 1;
  const { rooms } = sums;
  const costs = isHosts ? sums.costs : rooms;
  const ties = isHosts ? sums.ties : rooms;
  let best: DomainId | undefined;
  let bestCost = Infinity;
  let bestTie = Infinity;
  for (let index = firstFrom(domains, within); index < domains.length; index++) {
    const domain = domains[index] ?? end;
    if (domain >= end) break;
    if ((rooms[domain] ?? 0) < pods) continue;
    const cost = costs[domain] ?? 0;
    if (cost > bestCost) continue;
    const tie = ties[domain] ?? 0;
    // Of equals the first, so only what is better is taken.
    if ((cost === bestCost && tie >= bestTie) || !(isAnywhere || mayStandIn(ask, domain))) continue;
    best = domain;
    bestCost = cost;
    bestTie = tie;
  }
  return best;
}

function isFuller(sums: FitSums, domain: DomainId, than: DomainId): boolean {
  const more = sums.costOf(domain) - sums.costOf(than) || sums.tieOf(domain) - sums.tieOf(than) || domain - than;
  return more < 0;
}

/** Where the ids from this one on begin; they rise. */
function firstFrom(domains: readonly DomainId[], from: DomainId): number {
  let low = 0;
  let high = domains.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((domains[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A node may lie outside of every domain of the level that is required, or that slices share. */
function mayStandIn({ fleet, limit, slices }: RegionAsk, domain: DomainId): boolean {
  const { tree } = fleet;
  const isAbove = slices === undefined || tree.levelOfDomain(domain) <= slices.level;
  return tree.isInside(domain, limit) && (isAbove || tree.isInside(domain, slices.level));
}

function roomiest(ask: RegionAsk): DomainId | undefined {
  const { tree } = ask.fleet;
  if (tree.isInside(ask.within, ask.limit)) return innermost(ask, ask.need);
  let best: DomainId | undefined;
  for (const domain of tree.domainsAt(ask.limit)) {
    const isInside = domain >= ask.within && domain < tree.endOf(ask.within);
    if (!isInside || ask.sums.of(domain) < ask.need) continue;
    if (best === undefined || ask.sums.of(domain) > ask.sums.of(best)) best = domain;
  }
  return best;
}

/**
 * Of these domains, the one with the least room that is enough for `pods`. Domains compare by their sums, nodes by their
 * score; equals go to the smaller rank.
 */
export function fullestThatFits(sums: FitSums, domains: ArrayLike<DomainId>, pods: number): DomainId | undefined {
  let best: DomainId | undefined;
  for (let index = 0; index < domains.length; index++) {
    const domain = domains[index] ?? 0;
    if (sums.of(domain) >= pods && (best === undefined || isFuller(sums, domain, best))) best = domain;
  }
  return best;
}

/** Those with room for any, the roomiest first; equals by rank. */
export function roomiestFirst(sums: FitSums, domains: readonly DomainId[]): readonly DomainId[] {
  // One number each, by room and then place in the list: such numbers sort without a comparator.
  const keys = new Float64Array(domains.length);
  let count = 0;
  for (const [index, domain] of domains.entries()) {
    const room = sums.of(domain);
    if (room > 0) keys[count++] = index - room * domains.length;
  }
  const sorted = keys.subarray(0, count).sort();
  const found: DomainId[] = [];
  for (const key of sorted) {
    const index = ((key % domains.length) + domains.length) % domains.length;
    found.push(domains[index] ?? 0);
  }
  return found;
}
