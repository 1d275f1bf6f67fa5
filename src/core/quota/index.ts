/**
 * Who may use how much. Promises the quota law of the tree (nominal, borrowing, lending at any depth), in integers.
 * Read `check-charge.ts` first: the law on plain rows, as the ledger checks it under its locks.
 */
export { availableMilli, checkCharge } from './check-charge.js';
export type { ChargeCheck, QuotaTreeRow } from './check-charge.js';
