/**
 * Who may use how much. Promises the quota law of the tree (nominal, borrowing, lending at any depth), in integers.
 * Read `check-charge.ts` first: the law on plain rows, as the ledger checks it under its locks. `quota-tree.ts` keeps
 * the same on columns, `choose-flavor.ts` orders a workload's flavors by it. `dominant-share.ts` and `past-usage.ts` say
 * which queue has had more than others.
 */
export { availableMilli, checkCharge } from './check-charge.js';
export type { QuotaTreeRow } from './check-charge.js';
export { chargesOf, chooseFlavors, combinationsOf, requestsOfWishes } from './choose-flavor.js';
export type { FlavorChoice, FlavorChoices, FlavorWish } from './choose-flavor.js';
export { dominantShare, pastShare, perMille } from './dominant-share.js';
export type { PastUsageRecord } from './past-usage.js';
export { QuotaTree } from './quota-tree.js';
