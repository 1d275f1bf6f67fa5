/**
 * Who makes room for whom. Promises: nobody falls unless the pre-emptor then has a place; of the victims none could be
 * spared; each falls by a right that it stands under (`scheduling` rules in `eviction-rights.ts`, which to read first).
 * Changes nothing: `lifecycle` decides with it. Then read `victim-order.ts`, `find-victims.ts`, `spare-victims.ts`.
 */
export { brakedUntilMs, countEvictions, uncountEvictions } from './eviction-brake.js';
export { EvictionRights, mayTakeByOrder } from './eviction-rights.js';
export { findVictims } from './find-victims.js';
export type { VictimSearch } from './find-victims.js';
export { LOSS_MEMORY_MS, protectedUntilMs, protectionEnds } from './victim-order.js';
export type { Fallen } from './victim-trial.js';
