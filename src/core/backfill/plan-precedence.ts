import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { compareByOrder, orderKeyOf } from '../queue/index.js';

/**
 * May the workload delay this plan? Only by a key of the order that is no share: shares swing around the size of a
 * large gang, and at each swing small work of other queues would slip in before it.
 */
export function mayDelay(state: CoreState, record: WorkloadRecord, plan: Plan): boolean {
  const planned = state.book.get(plan.workload);
  if (planned === undefined) return true;
  const { order } = state.policy;
  if (order === 'fair') return record.spec.priority > planned.spec.priority;
  return compareByOrder(orderKeyOf(order, record), orderKeyOf(order, planned)) < 0;
}
