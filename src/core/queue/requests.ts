import type { Charge, QueueName } from '../contract/index.js';
import type { QuotaTree } from '../quota/index.js';
import { dominantShare } from '../quota/index.js';

/** What the minimum of a group's members would cost its queue: one alternative for each choice of flavors. */
export type Requests = readonly (readonly Charge[])[];

/** The smallest share that a queue has with one of the requests added. */
export function smallestShare(quota: QuotaTree, queue: QueueName, requests: Requests): number {
  return Math.min(...requests.map((request: readonly Charge[]) => dominantShare(quota, queue, request)));
}
