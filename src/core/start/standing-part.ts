import type { PodSetSpec, Seat } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { DomainId } from '../fleet/index.js';
import type { StartPart } from './find-start.js';
import { standingOf } from './find-start.js';
import { flavorOfSeat } from './pod-cost.js';

/**
 * A pod set as it stands on these seats: its flavor, and the smallest domain that holds them, to grow from; `undefined`
 * when it stands nowhere any more, or not as it asks to.
 */
export function standingPart(state: CoreState, podSet: PodSetSpec, seats: readonly Seat[]): StartPart | undefined {
  const standing = seats.filter(({ node }) => state.fleet.has(node) && hostOf(state, node) >= 0);
  const { limit, slices } = standingOf(state, podSet);
  const [first] = standing;
  if (first === undefined || limit === undefined) return undefined;
  const flavor = flavorOfSeat(state, podSet, first);
  if (flavor === undefined && podSet.flavors.length > 0) return undefined;
  const region = standing.map(({ node }) => hostOf(state, node)).reduce((a, b) => commonDomain(state, a, b));
  if (!state.fleet.tree.isInside(region, limit)) return undefined;
  return { podSet, flavor, limit, slices, region, pods: [] };
}

/** -1 where the node is not in the tree any more. */
function hostOf(state: CoreState, node: string): DomainId {
  return state.fleet.tree.hostOf(state.fleet.rowOf(node));
}

function commonDomain(state: CoreState, a: DomainId, b: DomainId): DomainId {
  const { tree } = state.fleet;
  let domain = a;
  while (b < domain || b >= tree.endOf(domain)) domain = tree.parentOf(domain);
  return domain;
}
