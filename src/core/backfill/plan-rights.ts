import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan, Victim } from '../forecast/index.js';
import { EvictionRights } from '../preemption/index.js';
import { AvailabilityWalk } from './availability-walk.js';
import { chargesOfVictim } from './belongings.js';

/**
 * Rights follow from priorities, quota and policy. After a change of these a plan is kept while at its start there are
 * rights over all that it evicts: those plans get the version of today. What only shares say is not asked before.
 */
export function keepRights(state: CoreState, nowMs: Ms): void {
  const { plans, rightsVersion } = state;
  const isOpen = ({ victims, rights }: Plan): boolean => victims.length > 0 && rights !== rightsVersion;
  let open = plans.all.filter(isOpen).length;
  if (open === 0) return;
  const walk = new AvailabilityWalk(state, nowMs, { plans: plans.all });
  const kept: Plan[] = [];
  const start = state.tx.mark();
  for (const change of walk.changes) {
    if (open === 0) break;
    if (change.kind === 'plan-starts' && isOpen(change.plan)) {
      open--;
      if (mayEvict(state, change.plan, walk.victimsOf(change.plan))) kept.push(change.plan);
    }
    walk.apply(change);
  }
  state.tx.rollbackTo(start);
  for (const plan of kept) plans.replace({ ...plan, rights: rightsVersion });
}

/** One after the other, with what is free and charged now. */
function mayEvict(state: CoreState, { workload, charges }: Plan, victims: readonly Victim[]): boolean {
  const record = state.book.get(workload);
  if (record === undefined) return false;
  const contended = new Set(charges.map(({ flavor }) => flavor));
  const rights = new EvictionRights(state, { record, charges, contended });
  const before = state.tx.mark();
  const hasAll = victims.every((victim) => {
    const loser = state.book.get(victim.workload);
    const lost = chargesOfVictim(state, victim);
    if (loser === undefined || lost.length === 0) return true;
    if (rights.over({ record: loser, charges: lost }) === undefined) return false;
    for (const charge of lost) state.quota.refund(charge);
    rights.fell(lost);
    return true;
  });
  state.tx.rollbackTo(before);
  return hasAll;
}
