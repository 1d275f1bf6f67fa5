/**
 * Planned starts and who may go ahead of them. Promises: a plan is a real placement, is kept unless something it counts
 * on is lost or late or a higher priority comes, and nobody starts who would make one later. Read `plan-start.ts` first,
 * then `plan-evictions.ts`, `slip-ahead.ts`, `keep-plans.ts` and `standing-hold.ts`. Decides no start: the visit does.
 */
export { awaitEnd } from './await-end.js';
export { duePlans, plansDueMs } from './due-plans.js';
export { mayGoAhead } from './go-ahead.js';
export { maySlipInPlaceOf } from './in-place-of.js';
export { keepPlans } from './keep-plans.js';
export { planBlocked, planNext, planStarted } from './make-plans.js';
export { precedenceOf } from './plan-precedence.js';
export { plannedRows } from './plan-start.js';
export type { SlipAhead } from './slip-ahead.js';
export { keepHolds } from './standing-hold.js';
export { startInterval } from './start-interval.js';
