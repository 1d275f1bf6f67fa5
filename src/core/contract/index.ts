/**
 * The contract of the core: what it is told (`scheduler-event.ts`, `specs.ts`, `policy.ts`) and what it says
 * (`decision.ts`, `verdict.ts`). Types, defaults, and which decisions are words. Read `scheduler-event.ts` first.
 */
export * from './decision.js';
export * from './policy.js';
export * from './scheduler-event.js';
export * from './specs.js';
export * from './verdict.js';
