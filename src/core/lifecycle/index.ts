/**
 * What becomes of workloads and their pods: from events to records, and from records to decisions. Promises one set in
 * flight for each workload, and that reconciling twice says nothing new. Read `reconcile-workload.ts` first, then
 * `incarnation-end.ts` (why an incarnation ends) and `start-workload.ts`.
 */
export { commitSet, refuseSet } from './answer-set.js';
export type { Applied } from './applied.js';
export { command } from './command.js';
export { DecisionWriter } from './decision-writer.js';
export { observeNode } from './observe-node.js';
export { adoptPod, observePod } from './observe-pod.js';
export { observeWorkload } from './observe-workload.js';
export { tryPreempt } from './preempt.js';
export type { Preempting, Preemption } from './preempt.js';
export { refuseEviction } from './refuse-eviction.js';
export { isSilent } from './pod-counts.js';
export { endRepair, formerRows, leavingBefore, mayBeRepaired, tryRepair } from './repair-gang.js';
export { reconcileWorkload } from './reconcile-workload.js';
export { growWorkload, missingCharges } from './resize-gang.js';
export type { GrowthGuard } from './resize-gang.js';
export { announceStart, growDraft, tryStart } from './start-workload.js';
export type { DecidedStart, ProposedStart, StartDraft, StartTrial } from './start-workload.js';
export { clockMoved, wakeTakers } from './unblock.js';
