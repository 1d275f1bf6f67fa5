import type { DomainId, FleetState } from '../fleet/index.js';
import type { FitSums, Slices } from './feasible-nodes.js';
import type { PodShape } from './pod-shape.js';
import type { NodeScore } from './score-node.js';
import { compareScores, scoreNode } from './score-node.js';

export interface RegionAsk {
  readonly fleet: FleetState;
  readonly shape: PodShape;
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
  const own = tree.levelOfDomain(ask.within);
  for (let level = tree.levels.length - 1; level > own && level >= ask.limit; level--) {
    const domain = fullestThatFits(ask, allowedOf(ask, level), pods);
    if (domain !== undefined) return domain;
  }
  return mayStandIn(ask, ask.within) && ask.sums.of(ask.within) >= pods ? ask.within : undefined;
}

function allowedOf(ask: RegionAsk, level: number): readonly DomainId[] {
  const all = ask.fleet.tree.domainsAt(level);
  return ask.limit < 0 && ask.slices === undefined ? all : all.filter((domain) => mayStandIn(ask, domain));
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
 * Of these domains, the one with the least room that is enough for `pods`. Domains compare by their sums, nodes by
 * their score; equals go to the first, so `domains` must be in rank order.
 */
export function fullestThatFits(
  { fleet, shape, sums, within }: Pick<RegionAsk, 'fleet' | 'shape' | 'sums' | 'within'>,
  domains: readonly DomainId[],
  pods: number,
): DomainId | undefined {
  const end = fleet.tree.endOf(within);
  let best: DomainId | undefined;
  let bestScore: NodeScore = [];
  for (const domain of domains) {
    const fits = sums.of(domain);
    if (domain < within || domain >= end || fits < pods) continue;
    const row = fleet.tree.rowOf(domain);
    const score = row < 0 ? [0, 0, 0, fits] : scoreNode(fleet, shape, { row, fits });
    if (best !== undefined && compareScores(score, bestScore) >= 0) continue;
    best = domain;
    bestScore = score;
  }
  return best;
}
