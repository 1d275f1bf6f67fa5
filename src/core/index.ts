/**
 * The scheduling core: pure, deterministic, without I/O, clock or chance. This is its only door for other rooms.
 * `Scheduler` decides; the contract says what goes in and out; `checkCharge` is the quota law on plain rows, for the
 * ledger; `mayMatchNodeAffinity` is for drivers whose volumes ask for nodes as pods do. Read the comment of `Scheduler` first: it is the protocol.
 */
export * from './contract/index.js';
export { slotTotal } from './fleet/index.js';
export { mayMatchNodeAffinity } from './placement/index.js';
export { availableMilli, checkCharge } from './quota/index.js';
export type { QuotaTreeRow } from './quota/index.js';
export { Scheduler } from './scheduler.js';
export type { Snapshot } from './snapshot.js';
export type { SchedulerView } from './view.js';
