/**
 * Who waits, and whose turn it is. Promises one order for equal input, and that a settle looks only at workloads for
 * which something changed. Read `workload-record.ts` first, then `pending-groups.ts` and `queue-tournament.ts`.
 */
export type { GrowthRecord } from './growing-workloads.js';
export { comesFirstForGood, compareByOrder, orderKeyOf } from './order-key.js';
export { flavorsOf, LOOKS_FOR_OTHERS, NO_FLAVOR, PendingGroups, RULED } from './pending-groups.js';
export type { GroupRecord, PendingGroup, PendingNeed } from './pending-groups.js';
export { QueueTournament } from './queue-tournament.js';
export type { Candidate } from './queue-tournament.js';
export { smallestShare } from './requests.js';
export type { Requests } from './requests.js';
export { lengthOf, overtimeMs, workAfterEnd } from './remaining-work.js';
export { stayOf } from './started-workloads.js';
export type { Stay } from './started-workloads.js';
export { compareByLoss } from './running-workloads.js';
export type { Lane, RunningWorkload } from './running-workloads.js';
export { firstByShares } from './first-by-shares.js';
export type { Contender } from './first-by-shares.js';
export { forkOf, waitingAhead } from './waiting-ahead.js';
export { WorkloadBook } from './workload-book.js';
export { FIRST_ROUND, isWaiting, keepsItsPlan, limitEndMs } from './workload-record.js';
export type { Membership, Repair, WorkloadRecord } from './workload-record.js';
