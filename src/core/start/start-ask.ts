import type { PodSetSpec, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';

/** What is to start: a workload's pod sets, or what they would be after a change. */
export interface StartAsk {
  readonly queue: QueueName;
  readonly podSets: readonly PodSetSpec[];
  /** Rows that the workload keeps away from. */
  readonly avoid: ReadonlySet<number>;
}

export function startAskOf(state: CoreState, { spec, avoid }: WorkloadRecord): StartAsk {
  const rows = avoid?.nodes.filter((node) => state.fleet.has(node)).map((node) => state.fleet.rowOf(node)) ?? [];
  // A pod set without pods has nothing to place.
  const podSets = spec.podSets.filter(({ count }) => count > 0);
  return { queue: spec.queue, podSets, avoid: new Set(rows) };
}

/** What must start together; at least one pod of a set that has any, or one slice. */
export function minimumOf({ count, minCount, topology }: PodSetSpec): number {
  return Math.min(count, Math.max(topology?.kind === 'slice' ? topology.size : 1, minCount));
}
