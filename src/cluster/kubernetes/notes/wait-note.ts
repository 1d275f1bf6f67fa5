import type { WorkloadWait } from '../../cluster.js';
import type { PodNote } from './pod-note.js';

/**
 * What keeps a workload waiting, as the reason of a condition. Autoscalers add nodes for pods that are `Unschedulable`, so
 * only what a new node would end is called so. `node-state` is: the workload would run on nodes that are cordoned,
 * quarantined or lost, and it would run on a new one as well; kube-scheduler says the same of them.
 */
const REASONS: Readonly<Record<WorkloadWait['constraint'], string>> = {
  capacity: 'Unschedulable',
  dependency: 'WaitingForOthers',
  gang: 'Unschedulable',
  hold: 'Held',
  'node-state': 'Unschedulable',
  priority: 'WaitingForTurn',
  quota: 'WaitingForQuota',
  selector: 'Unschedulable',
  topology: 'Unschedulable',
};

export function noteOf({ constraint, message }: WorkloadWait): PodNote {
  return { reason: REASONS[constraint], message };
}
