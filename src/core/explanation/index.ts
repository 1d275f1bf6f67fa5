/**
 * Why a workload waits, and what would start it. Promises that a stated change was tried and starts it, and that
 * asking changes nothing. Read `constraints.ts` first (what binds, in order), then `smallest-change.ts`.
 */
export { bindingOf } from './constraints.js';
export { explain } from './explain.js';
