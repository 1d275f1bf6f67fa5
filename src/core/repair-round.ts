import type { Ms, WorkloadId } from './contract/index.js';
import { plannedRows, precedenceOf } from './backfill/index.js';
import type { CoreState } from './core-state.js';
import type { Plan } from './forecast/index.js';
import { formerRows, leavingBefore, mayBeRepaired } from './lifecycle/index.js';
import { EvictionRights, findVictims } from './preemption/index.js';
import type { WorkloadRecord } from './queue/index.js';
import { comesFirstForGood, lengthOf, PendingGroups } from './queue/index.js';
import { findStart, startAskOf } from './start/index.js';

/**
 * The gangs that lost pods and are not tried yet, in one visit. Where they have stood is listed once, and they are
 * grouped by equal need like those who wait: a rack that fails may leave thousands.
 */
export class RepairRound {
  /** Who of them may have a right over another. */
  readonly groups = new PendingGroups();
  readonly #state: CoreState;
  /** On so many of them it has stood, by row. */
  readonly #stood = new Map<number, number>();
  #planned: { readonly plans: readonly Plan[]; readonly rows: readonly number[] } = { plans: [], rows: [] };

  constructor(state: CoreState, records: readonly WorkloadRecord[]) {
    this.#state = state;
    this.groups.setOrder(state.policy.order, records.filter(mayBeRepaired));
    for (const record of records) this.#count(record, 1);
  }

  /** It is repaired, or given back. `record`: as it was before. */
  done(record: WorkloadRecord): void {
    this.groups.remove(record);
    this.#count(record, -1);
  }

  /** Rows that others count on: where the others have stood, and those of plans. */
  spareFor(record: WorkloadRecord): readonly number[] {
    // Without seats that it could keep it looks anywhere.
    if (record.repair === undefined || record.repair.seats.length === 0) return [];
    const own = new Set(formerRows(this.#state, [record]));
    const stood = [...this.#stood].filter(([row, count]) => count > (own.has(row) ? 1 : 0)).map(([row]) => row);
    return [...this.#plannedRows(), ...stood];
  }

  #plannedRows(): readonly number[] {
    const { all } = this.#state.plans;
    if (this.#planned.plans !== all) {
      this.#planned = { plans: all, rows: all.flatMap((plan) => plannedRows(this.#state, plan)) };
    }
    return this.#planned.rows;
  }

  #count(record: WorkloadRecord, step: 1 | -1): void {
    for (const row of formerRows(this.#state, [record])) {
      const count = (this.#stood.get(row) ?? 0) + step;
      if (count > 0) this.#stood.set(row, count);
      else this.#stood.delete(row);
    }
  }
}

/**
 * Rows that a gang in repair takes no new seats on: of plans that start before it ends, for those who come first by a
 * key of the order that is no share; not for a borrower of what is its own.
 */
export function keptFrom(state: CoreState, nowMs: Ms, record: WorkloadRecord): readonly number[] {
  const endMs = nowMs + lengthOf(record);
  const mayDelay = precedenceOf(state, record);
  return state.plans.all.flatMap((plan) => {
    const planned = plan.startMs < endMs ? state.book.get(plan.workload) : undefined;
    const isFirst = planned !== undefined && comesFirstForGood(state.policy.order, planned, record);
    return isFirst && !mayDelay(plan) ? plannedRows(state, plan) : [];
  });
}

/**
 * Has another of its queue a plan and a right over it? In their queue the order leads, and who is in repair comes before
 * it; but to start and be protected anew would make such a plan later each time.
 */
export function breaksPlanOfItsQueue(state: CoreState, record: WorkloadRecord): boolean {
  const { spec } = record;
  if (!spec.preemptible) return false;
  return state.plans.all.some(({ workload, queue, charges }) => {
    const planned = queue === spec.queue && workload !== spec.id ? state.book.get(workload) : undefined;
    if (planned === undefined) return false;
    const rights = new EvictionRights(state, { record: planned, charges, contended: new Set() });
    return rights.over({ record, charges: record.charges }) !== undefined;
  });
}

/**
 * One who could take back the place of a gang, and cannot start before it: is the place left to it? Only if it waits for
 * more than that by a plan, which counts on the end of the gang, or could start once all its pods are gone.
 */
export function isLeftTo(state: CoreState, nowMs: Ms, about: { gang: WorkloadRecord; id: WorkloadId }): boolean {
  const claimant = state.book.get(about.id);
  if (claimant === undefined || (claimant.state !== 'pending' && claimant.state !== 'evicting')) return false;
  if (state.plans.get(about.id) !== undefined) return true;
  const before = state.tx.mark();
  const leaving = new Set([about.gang, claimant].flatMap((record) => leavingBefore(state, record)));
  for (const share of state.pods.shareOf([...leaving])) state.tx.give(share);
  const couldStart =
    findStart(state, startAskOf(state, claimant)).kind === 'found' ||
    findVictims(state, claimant, { nowMs }).kind === 'found';
  state.tx.rollbackTo(before);
  return couldStart;
}
