import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { compareByOrder, orderKeyOf } from '../queue/index.js';

/**
 * May the workload delay this plan? Only by a key of the order that is no share: shares swing around the size of a
 * large gang, and at each swing small work of other queues would slip in before it.
 */
export function mayDelay(state: CoreState, { spec }: WorkloadRecord, plan: Plan): boolean {
  const planned = state.book.get(plan.workload)?.spec;
  if (planned === undefined) return true;
  const { order } = state.policy;
  if (order === 'fair') return spec.priority > planned.priority;
  return compareByOrder(order, orderKeyOf(spec), orderKeyOf(planned)) < 0;
}
