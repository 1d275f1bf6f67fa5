import type { PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import { surplusFrom } from '../start/index.js';

/**
 * What an elastic pod set can spare, each part as it falls, the last pods first: pod by pod, or in whole slices of one
 * domain, for a part of a slice is of no use to who stays nor to who comes. `pods`: those of the set that run.
 */
export function surplusUnits(
  state: CoreState,
  podSet: PodSetSpec,
  pods: readonly PodRecord[],
): readonly (readonly PodRecord[])[] {
  const { topology } = podSet;
  if (topology?.kind !== 'slice') {
    return pods
      .slice(surplusFrom(podSet))
      .reverse()
      .map((pod) => [pod]);
  }
  const level = state.fleet.tree.levelOf(topology.level) ?? -1;
  const domainOf = ({ seat }: PodRecord) => state.fleet.tree.domainOf(state.fleet.rowOf(seat.node), level);
  const units: (readonly PodRecord[])[] = [];
  let left = pods;
  while (left.length >= surplusFrom(podSet) + topology.size) {
    const last = left[left.length - 1];
    if (last === undefined) break;
    const slice = left.filter((pod) => domainOf(pod) === domainOf(last)).slice(-topology.size);
    // Pods of it have ended already: who is left makes no slice.
    if (slice.length < topology.size) break;
    units.push(slice);
    left = left.filter((pod) => !slice.includes(pod));
  }
  return units;
}
