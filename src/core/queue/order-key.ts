import type { Policy, WorkloadId, WorkloadSpec } from '../contract/index.js';
import { compareText } from '../text-order.js';

/** What decides whose turn it is; taken from the spec, so that it cannot drift from it unseen. */
export interface OrderKey {
  readonly id: WorkloadId;
  readonly priority: number;
  readonly submittedAtMs: number;
  readonly name: string;
}

export function orderKeyOf({ id, priority, submittedAtMs, name }: WorkloadSpec): OrderKey {
  return { id, priority, submittedAtMs, name };
}

/**
 * `fair`: higher priority, earlier submission, name; the shares of queues join when the tree is ordered by them.
 * `fifo`: earlier submission, name. The id tells apart what is still equal: names are unique in a team only.
 */
export function compareByOrder(order: Policy['order'], a: OrderKey, b: OrderKey): number {
  const byPriority = order === 'fair' ? b.priority - a.priority : 0;
  return byPriority || a.submittedAtMs - b.submittedAtMs || compareText(a.name, b.name) || compareText(a.id, b.id);
}
