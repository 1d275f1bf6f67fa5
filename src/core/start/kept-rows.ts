import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';
import { comesFirstForGood } from '../queue/index.js';

/**
 * The rows on which what comes free is kept for others by a standing hold. Not for those who come first by the order,
 * shares aside, and not where a start was planned for it before.
 */
export function rowsKeptForOthers(state: CoreState, record: WorkloadRecord): readonly number[] {
  const { plans, book, policy, fleet } = state;
  if (plans.holds.length === 0) return [];
  const { id } = record.spec;
  const planned = new Set(plans.get(id)?.pods.map(({ node }) => node));
  return plans.holds.flatMap(({ workload, nodes }) => {
    const holder = book.get(workload);
    if (workload === id || holder === undefined || comesFirstForGood(policy.order, record, holder)) return [];
    return nodes.filter((node) => fleet.has(node) && !planned.has(node)).map((node) => fleet.rowOf(node));
  });
}
