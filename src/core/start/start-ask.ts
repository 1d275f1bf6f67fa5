import type { PodSetSpec, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';
import { rowsKeptForOthers } from './kept-rows.js';

/** What is to start: a workload's pod sets, or what they would be after a change. */
export interface StartAsk {
  readonly queue: QueueName;
  readonly podSets: readonly PodSetSpec[];
  /** Rows that the workload keeps away from: its own, and those kept for others. */
  readonly avoid: ReadonlySet<number>;
  /** Rows on which it stands already, with other pod sets. */
  readonly own?: ReadonlySet<number>;
}

export function startAskOf(state: CoreState, record: WorkloadRecord): StartAsk {
  const { spec } = record;
  // A pod set without pods has nothing to place.
  const podSets = spec.podSets.filter(({ count }) => count > 0);
  return {
    queue: spec.queue,
    podSets,
    avoid: new Set([...avoidedRows(state, record), ...rowsKeptForOthers(state, record)]),
  };
}

/** Of nodes that have refused its pods. */
export function avoidedRows({ fleet }: CoreState, { avoid }: WorkloadRecord): readonly number[] {
  return avoid?.nodes.filter((node) => fleet.has(node)).map((node) => fleet.rowOf(node)) ?? [];
}

/** What must start together; at least one pod of a set that has any, or one slice: just that where each starts alone. */
export function minimumOf(podSet: PodSetSpec): number {
  return podSet.start === 'each' ? Math.min(podSet.count, fewestOf(podSet)) : surplusFrom(podSet);
}

/** From so many pods on they are surplus, which a pre-emptor may take before anything else. */
export function surplusFrom(podSet: PodSetSpec): number {
  return Math.min(podSet.count, Math.max(fewestOf(podSet), podSet.minCount));
}

function fewestOf({ topology }: PodSetSpec): number {
  return topology?.kind === 'slice' ? topology.size : 1;
}
