import type { PodRef, PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { WorkloadRecord } from '../queue/index.js';

/** Pods of the present incarnation that still have their claim, those that have ended included. */
export function claimedPods(state: CoreState, record: WorkloadRecord): readonly PodRecord[] {
  return state.pods
    .ofWorkload(record.spec.id)
    .filter((pod) => pod.claim === 'granted' && pod.seat.pod.incarnation === record.incarnation);
}

export function refsOf(pods: readonly PodRecord[]): readonly PodRef[] {
  return pods.map(({ seat }) => seat.pod);
}

/** Those of one pod set. */
export function podsOfSet(pods: readonly PodRecord[], { name }: PodSetSpec): readonly PodRecord[] {
  return pods.filter(({ seat }) => seat.pod.podSet === name);
}

/** A node that does not answer, so that nothing can be awaited from it: its slots stay blocked until it is fenced. */
export function isSilent(state: CoreState, pod: PodRecord): boolean {
  const node = state.fleet.recordOf(state.fleet.rowOf(pod.seat.node));
  return node.removed || node.state === 'lost';
}

/** Does any pod occupy a node that answers? Then neither a new incarnation nor the end may come yet. */
export function isStillLeaving(state: CoreState, record: WorkloadRecord): boolean {
  return state.pods.ofWorkload(record.spec.id).some((pod) => pod.occupancy !== 'none' && !isSilent(state, pod));
}
