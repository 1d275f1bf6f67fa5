import type { DomainId, FleetTransaction, TopologyTree } from '../fleet/index.js';
import type { AvoidedRows } from './feasible-nodes.js';
import { podsThatFit } from './feasible-nodes.js';
import { FitSums } from './fit-sums.js';
import { withoutHeldSlices } from './held-slices.js';
import type { GangPart, PlacedPart, PlacedPod } from './gang-part.js';
import { placePart } from './place-gang.js';
import { takeSeat } from './take-seat.js';
import { PodRules } from './pod-rules.js';

export type GangPlacement =
  | { readonly kind: 'placed'; readonly parts: readonly PlacedPart[] }
  /** `partial`: a bound on steps was met, so a place may exist. */
  | { readonly kind: 'unplaceable'; readonly searched: 'complete' | 'partial' };

export interface GangWish {
  readonly parts: readonly GangPart[];
  readonly avoid: AvoidedRows;
  /** Rows on which the gang stands already: where it is, it may take more of a slice. */
  readonly own?: AvoidedRows;
}

const FLEET: DomainId = 0;
/** Domains tried at each level for the gang as a whole: the fullest ones, where it is most likely not to fit. */
const REGIONS_PER_LEVEL_MAX = 16;
/** Nodes and domains looked at by the exact search: a bound on its work, whatever the size of the fleet. */
const SEARCH_STEPS_MAX = 50_000;

/**
 * Takes the seats of all parts of a gang or none; the caller commits or rolls back. One part is exact. Several: the
 * whole gang in one domain, innermost level first, then each part by itself, the part with the fewest places first and
 * then in two other orders; when all that fails, an exact search of a bounded number of steps.
 */
export function placeGang(tx: FleetTransaction, asked: GangWish): GangPlacement {
  const shapes = asked.parts.map(({ shape }) => shape);
  const wish = { ...asked, avoid: withoutHeldSlices(tx.fleet, shapes, asked) };
  const only = wish.parts[0];
  if (only !== undefined && wish.parts.length === 1) {
    const placed = placePart(tx, only, { within: FLEET, avoid: wish.avoid });
    const isSure = only.need === 1 || !PodRules.matterTo(tx.fleet, only.shape);
    return placed === undefined
      ? { kind: 'unplaceable', searched: isSure ? 'complete' : 'partial' }
      : { kind: 'placed', parts: [placed] };
  }
  const sums = sumsOf(tx, wish);
  const isHopeless = wish.parts.some(({ need, limit }, part) => {
    return (
      limit === undefined || !tx.fleet.tree.domainsAt(limit).some((domain) => (sums[part]?.of(domain) ?? 0) >= need)
    );
  });
  if (isHopeless) return { kind: 'unplaceable', searched: 'complete' };
  const parts = placeTogether(tx, wish) ?? searchPlaces(tx, wish);
  if (parts === undefined) return { kind: 'unplaceable', searched: hasUnequalFractions(wish) ? 'partial' : 'complete' };
  return parts === 'partial' ? { kind: 'unplaceable', searched: 'partial' } : { kind: 'placed', parts };
}

/** Which slot a fraction takes is not searched: the fullest is right among equal fractions, and only there. */
function hasUnequalFractions({ parts }: GangWish): boolean {
  const cut = parts
    .map(({ shape }) => shape)
    .filter(({ deviceCount, deviceKind }) => deviceCount > 0 && deviceKind !== 'whole');
  return new Set(cut.map(({ deviceMilli, podSet }) => `${deviceMilli} ${podSet.devices?.profile ?? ''}`)).size > 1;
}

/** Of each part, as it is now: to be asked for anew after each trial. */
function sumsOf({ fleet }: FleetTransaction, { parts, avoid }: GangWish): readonly FitSums[] {
  return parts.map(({ shape, slices }) => new FitSums({ fleet, shape, avoid, slices }));
}

function placeTogether(tx: FleetTransaction, wish: GangWish): readonly PlacedPart[] | undefined {
  for (let level = tx.fleet.tree.levels.length - 1; level >= -1; level--) {
    for (const domain of fullestRegions(tx, wish, level)) {
      for (const order of ordersOf(wish.parts, sumsOf(tx, wish), domain)) {
        const parts = placeInOrder(tx, wish, { within: domain, order });
        if (parts !== undefined) return parts;
      }
    }
  }
  return undefined;
}

/** The domains of the level that hold each part by itself, those with the least room first. */
function fullestRegions(tx: FleetTransaction, wish: GangWish, level: number): readonly DomainId[] {
  const sums = sumsOf(tx, wish);
  return tx.fleet.tree
    .domainsAt(level)
    .filter((domain) => wish.parts.every(({ need }, part) => (sums[part]?.of(domain) ?? 0) >= need))
    .map((domain) => ({ domain, room: sums.reduce((room, sum) => room + sum.of(domain), 0) }))
    .sort((a, b) => a.room - b.room || a.domain - b.domain)
    .slice(0, REGIONS_PER_LEVEL_MAX)
    .map(({ domain }) => domain);
}

/** By the fewest places to spare, as the workload lists them, and backwards. */
function ordersOf(
  parts: readonly GangPart[],
  sums: readonly FitSums[],
  within: DomainId,
): readonly (readonly number[])[] {
  const listed = parts.map((_part, index) => index);
  const spare = (index: number) => (sums[index]?.of(within) ?? 0) - (parts[index]?.need ?? 0);
  return [[...listed].sort((a, b) => spare(a) - spare(b) || a - b), listed, [...listed].reverse()];
}

function placeInOrder(
  tx: FleetTransaction,
  wish: GangWish,
  where: { readonly within: DomainId; readonly order: readonly number[] },
): readonly PlacedPart[] | undefined {
  const start = tx.mark();
  const placed: PlacedPart[] = [];
  for (const index of where.order) {
    const part = wish.parts[index];
    const found = part && placePart(tx, part, { within: where.within, avoid: wish.avoid });
    if (found === undefined) {
      tx.rollbackTo(start);
      return undefined;
    }
    placed[index] = found;
  }
  return placed;
}

/** Every way to put the parts, one after the other, node by node; `partial` when the steps are used up first. */
function searchPlaces(tx: FleetTransaction, wish: GangWish): readonly PlacedPart[] | 'partial' | undefined {
  const { fleet } = tx;
  // Rules of pods beyond their node are not searched.
  if (wish.parts.some(({ shape }) => PodRules.matterTo(fleet, shape))) return 'partial';
  const { tree } = fleet;
  const placed: PlacedPart[] = [];
  let steps = 0;

  const nextPart = (index: number): boolean => {
    const part = wish.parts[index];
    if (part === undefined) return true;
    return tree.domainsAt(part.limit ?? -1).some((region) => {
      steps += tree.endOf(region) - region;
      if (steps > SEARCH_STEPS_MAX) return false;
      const { shape, slices } = part;
      const sums = new FitSums({ fleet, shape, avoid: wish.avoid, slices });
      if (sums.of(region) < part.need) return false;
      return fill({ part, index, region, pods: [] }, region);
    });
  };
  const fill = (open: OpenPart, from: DomainId): boolean => {
    if (open.pods.length === open.part.need) {
      if (!makeSlices(tree, open)) return false;
      placed[open.index] = { pods: open.pods, region: open.region };
      return nextPart(open.index + 1);
    }
    for (let host = from; host < tree.endOf(open.region); host++) {
      if (++steps > SEARCH_STEPS_MAX) return false;
      const row = tree.rowOf(host);
      if (row < 0 || wish.avoid.has(row)) continue;
      const most = Math.min(podsThatFit(fleet, open.part.shape, row), open.part.need - open.pods.length);
      for (let count = most; count > 0; count--) {
        const start = tx.mark();
        const pods: PlacedPod[] = [...open.pods];
        for (let pod = 0; pod < count; pod++) pods.push(takeSeat(tx, open.part.shape, row));
        if (fill({ ...open, pods }, host + 1)) return true;
        tx.rollbackTo(start);
        if (steps > SEARCH_STEPS_MAX) return false;
      }
    }
    return false;
  };

  if (nextPart(0)) return placed;
  return steps > SEARCH_STEPS_MAX ? 'partial' : undefined;
}

/** Does each domain of the slices' level hold whole ones? */
function makeSlices(tree: TopologyTree, { part: { slices }, pods }: OpenPart): boolean {
  if (slices === undefined) return true;
  const counts = new Map<DomainId, number>();
  for (const { row } of pods) {
    const domain = tree.domainOf(row, slices.level);
    if (domain === undefined) return false;
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  return [...counts.values()].every((count) => count % slices.size === 0);
}

interface OpenPart {
  readonly part: GangPart;
  readonly index: number;
  readonly region: DomainId;
  readonly pods: readonly PlacedPod[];
}
