import type { PodRef, PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { WorkloadRecord } from '../queue/index.js';

/** Pods of the present incarnation that still have their claim, those that have ended included. */
export function claimedPods(state: CoreState, record: WorkloadRecord): readonly PodRecord[] {
  return state.pods.claimsOf(record.spec.id, record.incarnation);
}

export function refsOf(pods: readonly PodRecord[]): readonly PodRef[] {
  return pods.map(({ seat }) => seat.pod);
}

/** Those of one pod set. */
export function podsOfSet(pods: readonly PodRecord[], { name }: PodSetSpec): readonly PodRecord[] {
  return pods.filter(({ seat }) => seat.pod.podSet === name);
}

/** How many pods of a set have succeeded and are released. */
export function doneOf({ membership }: WorkloadRecord, { name }: PodSetSpec): number {
  return membership.done[name] ?? 0;
}

/**
 * How many pods are still to be started. A pod that succeeded in a gang belongs to one that comes to its end: it takes
 * no new members. Where each starts by itself, all of the set must have had their turn.
 */
export function missingOf(record: WorkloadRecord, pods: readonly PodRecord[], podSet: PodSetSpec): number {
  const own = podsOfSet(pods, podSet);
  if (podSet.start === 'together' && own.some(({ end }) => end?.outcome === 'succeeded')) return 0;
  return Math.max(0, podSet.count - own.length - doneOf(record, podSet));
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
