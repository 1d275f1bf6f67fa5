import type { Ms, NodeName, PodRef, SchedulerInput, WorkloadId } from '../contract/index.js';

/** What a simulation is given: all that a core may learn, and that the program of a running workload has ended well. */
export type SimulationInput = SchedulerInput | { readonly kind: 'workload-finished'; readonly workload: WorkloadId };

/** What is due at a time. `stamp`: of the run or of the loss of the node that it belongs to; it lapses with that. */
export type Due =
  | { readonly kind: 'input'; readonly input: SimulationInput }
  | { readonly kind: 'run-ends'; readonly workload: WorkloadId; readonly stamp: number }
  | { readonly kind: 'checkpoint'; readonly workload: WorkloadId; readonly stamp: number }
  | { readonly kind: 'pod-leaves'; readonly pod: PodRef }
  | { readonly kind: 'fence'; readonly node: NodeName; readonly stamp: number };

/** Of one time, the first that was made known comes first. */
export interface Happening {
  readonly atMs: Ms;
  readonly order: number;
  readonly due: Due;
}

export function compareHappenings(a: Happening, b: Happening): number {
  return a.atMs - b.atMs || a.order - b.order;
}
