import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { comesFirstForGood } from '../queue/index.js';

/** May the workload delay this plan? Only by a key of the order that is no share. */
export function mayDelay(state: CoreState, record: WorkloadRecord, plan: Plan): boolean {
  const planned = state.book.get(plan.workload);
  return planned === undefined || comesFirstForGood(state.policy.order, record, planned);
}
