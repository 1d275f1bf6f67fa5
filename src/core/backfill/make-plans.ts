import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';
import { awaitEnd } from './await-end.js';
import { advancePlan, checkPlans } from './keep-plans.js';
import { precedenceOf } from './plan-precedence.js';
import { planStart } from './plan-start.js';
import { wakeAround } from './standing-hold.js';

/**
 * A workload was visited and can do nothing now: its plan is moved forward, or it gets one when it is among the first
 * `backfill.depth` of its queue and there are fewer than `backfill.plans`; the next of its queue too, as far as they
 * are known to be blocked. Whoever may delay a plan of a full queue, or of a full fleet, takes its place.
 */
export function planBlocked(state: CoreState, nowMs: Ms, record: WorkloadRecord): 'planned' | 'not-planned' {
  const { plans } = state;
  if (plans.get(record.spec.id) !== undefined) {
    advancePlan(state, nowMs, record);
    planNext(state, nowMs, record.spec.queue);
    return 'planned';
  }
  if (!makeRoom(state, record)) return 'not-planned';
  const isPlanned = makePlan(state, nowMs, record);
  planNext(state, nowMs, record.spec.queue);
  return isPlanned ? 'planned' : 'not-planned';
}

/**
 * It has started: its plan and its standing hold are over unless that is refused, the next of its queue is planned, those
 * that it may delay are looked at again, and those that it does not delay wait for its end.
 */
export function planStarted(
  state: CoreState,
  nowMs: Ms,
  { record, how }: { readonly record: WorkloadRecord; readonly how: 'started' | 'preempted' },
): void {
  const { plans } = state;
  const isPlanned = plans.get(record.spec.id) !== undefined;
  const hold = plans.holdOf(record.spec.id);
  plans.start(record.spec.id);
  if (hold !== undefined) wakeAround(state, hold);
  if (isPlanned) planNext(state, nowMs, record.spec.queue);
  const charges = state.book.get(record.spec.id)?.charges;
  // What its victims leave over comes free as they go, and not as was expected.
  if (how === 'preempted' || plans.all.some(precedenceOf(state, record, { charges }))) checkPlans(state, nowMs);
  awaitEnd(state, nowMs, record.spec.id);
}

/** Plans for the next of the queue, while it has fewer than its depth and the next is known to be blocked. */
export function planNext(state: CoreState, nowMs: Ms, queue: string): void {
  const { plans, book } = state;
  while (hasRoom(state, queue)) {
    const next = book.groups.firstOf(queue, {
      isPassedOver: (id) => plans.get(id) !== undefined,
      isHopeless: (head) => plans.unplanned.has(head),
    });
    const record = next === undefined || next.isActive ? undefined : book.get(next.id);
    if (record === undefined || !makePlan(state, nowMs, record)) return;
  }
}

function makePlan(state: CoreState, nowMs: Ms, record: WorkloadRecord): boolean {
  const { plans } = state;
  const precedes = precedenceOf(state, record);
  const takers = plans.all.filter((other) => !precedes(other));
  const found = planStart(state, record, { nowMs, takers });
  if (found.kind === 'none') {
    if (!plans.unplanned.has(record.spec.id)) plans.unplanned.set(record.spec.id, nowMs);
    return false;
  }
  plans.add(found.plan, precedes);
  if (takers.length < plans.all.length - 1) checkPlans(state, nowMs);
  return true;
}

function hasRoom({ plans, policy }: CoreState, queue: string): boolean {
  return plans.countOf(queue) < policy.backfill.depth && plans.all.length < policy.backfill.plans;
}

/** Room for one more plan of its queue, if need be instead of one that it may delay: the last of them. */
function makeRoom(state: CoreState, record: WorkloadRecord): boolean {
  const { plans, policy } = state;
  const { queue } = record.spec;
  if (policy.backfill.depth === 0 || policy.backfill.plans === 0) return false;
  if (hasRoom(state, queue)) return true;
  const isQueueFull = plans.countOf(queue) >= policy.backfill.depth;
  const rivals = plans.all.filter((plan) => !isQueueFull || plan.queue === queue);
  const last = rivals.findLast(precedenceOf(state, record));
  if (last === undefined) return false;
  plans.remove(last.workload);
  return true;
}
