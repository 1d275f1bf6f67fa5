import type { FlavorName, Milli, NodeName, NodeState, QueueName, WorkloadId } from './contract/index.js';

export interface FlavorUsageView {
  readonly flavor: FlavorName;
  /** Charges of the queue and of all below it that exceed what those keep for themselves. */
  readonly used: Milli;
  readonly subtree: Milli;
  /** `undefined`: no queue of the tree names the flavor. */
  readonly available: Milli | undefined;
}

export interface QueueView {
  readonly name: QueueName;
  readonly flavors: readonly FlavorUsageView[];
  readonly pending: number;
}

export interface WorkloadView {
  readonly id: WorkloadId;
  readonly state: 'pending' | 'starting' | 'running' | 'evicting';
  readonly incarnation: number;
  readonly pods: number;
  /** Its place among the pending of its queue, from 1; absent when not pending. */
  readonly place?: number;
}

export interface NodeView {
  readonly name: NodeName;
  readonly state: NodeState;
  readonly takesWork: boolean;
  readonly slots: number;
  /** Free milli of each slot; a slot that takes no work counts as 0. */
  readonly freeMilli: readonly Milli[];
  readonly pods: number;
}

/** All lists are sorted by name or id, in code-unit order. */
export interface SchedulerView {
  readonly seq: number;
  /** Events that did not fit the state and changed nothing. */
  readonly misfits: number;
  readonly queues: readonly QueueView[];
  readonly workloads: readonly WorkloadView[];
  readonly nodes: readonly NodeView[];
}
