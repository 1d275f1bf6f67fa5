/**
 * What is expected, as records: how long the work of each queue took and how wrong its estimates were, and the planned
 * starts. Promises bounded size and no rules: `backfill` decides by them. Read `plan-book.ts` first.
 */
export { PlanBook } from './plan-book.js';
export type { Plan, PlanBookRecord, PlannedPod, StandingHold, Victim } from './plan-book.js';
export { RunHistory } from './run-history.js';
export type { RunHistoryRecord } from './run-history.js';
