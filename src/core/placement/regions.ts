import type { DomainId, FleetState } from '../fleet/index.js';
import type { FitSums } from './feasible-nodes.js';
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
    const all = tree.domainsAt(level);
    // A node may lie outside of every domain of the level that is required.
    const allowed = ask.limit < 0 ? all : all.filter((domain) => tree.isInside(domain, ask.limit));
    const domain = fullestThatFits(ask, allowed, pods);
    if (domain !== undefined) return domain;
  }
  return tree.isInside(ask.within, ask.limit) && ask.sums.of(ask.within) >= pods ? ask.within : undefined;
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
