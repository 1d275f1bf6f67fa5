import type { Ms, QueueName, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { protectedUntilMs } from '../preemption/index.js';
import { isWaiting, keepsItsPlan } from '../queue/index.js';
import { minimumOf } from '../start/index.js';
import { compareText } from '../text-order.js';
import type { Expected } from './availability-walk.js';
import { AvailabilityWalk } from './availability-walk.js';
import { precedenceOf } from './plan-precedence.js';
import { keepRights } from './plan-rights.js';
import { planStart } from './plan-start.js';

/**
 * Looks at all plans after something happened: those of workloads that do not wait any more end, and those that cannot
 * be kept are made anew. Returns the queues that have lost a plan, sorted.
 */
export function keepPlans(state: CoreState, nowMs: Ms): readonly QueueName[] {
  const { plans, seq } = state;
  if (plans.checked?.seq === seq && plans.checked.atMs === nowMs) return [];
  const { unplanned, heldBack } = plans;
  const left = state.book.groups.takeLeft();
  // After a restore nobody knows who has left since the last look.
  const mayBeGone = plans.checked === undefined ? [...unplanned.ids(), ...heldBack.keys()] : left;
  plans.checked = { seq, atMs: nowMs };
  const before = plans.all;
  dropVanished(state, mayBeGone);
  checkPlans(state, nowMs);
  const lost = before.filter(({ workload }) => plans.get(workload) === undefined);
  return [...new Set(lost.map(({ queue }) => queue))].sort(compareText);
}

/**
 * Plans that cannot be kept (capacity or quota is lost or comes late, an earlier plan needs it) are made anew, in the
 * order in which they were made. A plan that can be kept stays as it is.
 */
export function checkPlans(state: CoreState, nowMs: Ms): void {
  keepRights(state, nowMs);
  let sound = 0;
  for (let round = state.plans.all.length; round > 0; round--) {
    const broken = firstBroken(state, nowMs, sound);
    if (broken === undefined) return;
    sound = state.plans.all.indexOf(broken);
    if (makeAnew(state, nowMs, broken) === 'replaced') sound++;
  }
}

/** Who waits for a turn and may have a plan; others have lost theirs. */
function dropVanished(state: CoreState, mayBeGone: readonly WorkloadId[]): void {
  const { plans, policy, book } = state;
  const counts = new Map<string, number>();
  for (const plan of plans.all) {
    const record = book.get(plan.workload);
    const count = 1 + (counts.get(plan.queue) ?? 0);
    const mayStay = record !== undefined && keepsItsPlan(record) && record.spec.queue === plan.queue;
    if (!mayStay || count > policy.backfill.depth) plans.remove(plan.workload);
    else counts.set(plan.queue, count);
  }
  for (const plan of plans.all.slice(policy.backfill.plans)) plans.remove(plan.workload);
  for (const id of mayBeGone) {
    const record = book.get(id);
    if (waits(state, id) || (record !== undefined && keepsItsPlan(record))) continue;
    plans.unplanned.delete(id);
    plans.heldBack.delete(id);
  }
}

/** Or would like to grow. */
function waits(state: CoreState, id: WorkloadId): boolean {
  const record = state.book.get(id);
  return record !== undefined && (isWaiting(record) || state.book.groups.growing.has(id));
}

/**
 * The first made of the plans that fail, alone or together with those made before; so many of the first are known to
 * stand. Who fails alone is found without looking at what will be free.
 */
function firstBroken(state: CoreState, nowMs: Ms, sound: number): Plan | undefined {
  const { all } = state.plans;
  const stands = (plan: Plan): boolean => isOfItsWorkload(state, plan) && mayEvict(state, plan);
  const alone = all.findIndex((plan, index) => index >= sound && !stands(plan));
  let low = sound;
  let high = alone < 0 ? all.length : alone;
  if (low === high || canAllStart(state, nowMs, all.slice(0, high))) return all[high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (canAllStart(state, nowMs, all.slice(0, middle))) low = middle;
    else high = middle;
  }
  return all[low];
}

/** Is nobody of whom it counts on the eviction protected longer than was known, and has it all rights still? */
function mayEvict(state: CoreState, { startMs, victims, rights }: Plan): boolean {
  if (victims.length === 0) return true;
  if (rights !== state.rightsVersion) return false;
  return victims.every(({ workload, pods }) => {
    const record = state.book.get(workload);
    const isThere = record !== undefined && pods.some((pod) => pod.incarnation === record.incarnation);
    return !isThere || protectedUntilMs(state, record) <= startMs;
  });
}

/** Does it still plan what the workload asks for? */
function isOfItsWorkload(state: CoreState, plan: Plan): boolean {
  const podSets = state.book.get(plan.workload)?.spec.podSets ?? [];
  const needed = podSets.reduce((sum, podSet) => sum + minimumOf(podSet), 0);
  const isWhole = podSets.every((podSet) => {
    const pods = plan.pods.filter((pod) => pod.podSet === podSet.name);
    const mayUse: readonly (string | undefined)[] = podSet.flavors.length === 0 ? [undefined] : podSet.flavors;
    return pods.length === minimumOf(podSet) && pods.every(({ flavor }) => mayUse.includes(flavor));
  });
  return isWhole && needed === plan.pods.length;
}

/** By what is expected now: does every one of the plans fit at its start, beside the others? */
export function canAllStart(state: CoreState, nowMs: Ms, plans: readonly Plan[]): boolean {
  return firstHindered(state, nowMs, { plans }) === undefined;
}

/** The first of the plans, in time, that does not fit at its start. */
export function firstHindered(state: CoreState, nowMs: Ms, expected: Expected): Plan | undefined {
  if (expected.plans.length === 0) return undefined;
  const walk = new AvailabilityWalk(state, nowMs, expected);
  const last = walk.changes.findLastIndex(({ kind }) => kind === 'plan-starts');
  const start = state.tx.mark();
  let hindered: Plan | undefined;
  for (const change of walk.changes.slice(0, last + 1)) {
    if (!walk.apply(change) && change.kind === 'plan-starts') {
      hindered = change.plan;
      break;
    }
  }
  state.tx.rollbackTo(start);
  return hindered;
}

function makeAnew(state: CoreState, nowMs: Ms, broken: Plan): 'replaced' | 'removed' {
  const { plans } = state;
  const record = state.book.get(broken.workload);
  const takers = plans.all.slice(0, plans.all.indexOf(broken));
  const found = record === undefined ? undefined : planStart(state, record, { nowMs, takers });
  if (found?.kind === 'planned') {
    plans.replace(found.plan);
    return 'replaced';
  }
  plans.remove(broken.workload);
  if (record !== undefined) plans.unplanned.set(broken.workload, nowMs);
  return 'removed';
}

/**
 * A planned workload was visited and cannot start: an earlier start for it, if there is one that moves no plan but those
 * that it may delay; when its start has come, the next one.
 */
export function advancePlan(state: CoreState, nowMs: Ms, record: WorkloadRecord): void {
  const { plans } = state;
  const plan = plans.get(record.spec.id);
  if (plan === undefined) return;
  const precedes = precedenceOf(state, record);
  const takers = plans.all.filter((other) => other !== plan && !precedes(other));
  const later = plans.all.slice(plans.all.indexOf(plan) + 1);
  const isDue = plan.startMs <= nowMs;
  const found = planStart(state, record, { nowMs, takers, later, ...(isDue ? {} : { soonerThanMs: plan.startMs }) });
  if (found.kind === 'planned' && (isDue || found.plan.startMs < plan.startMs)) {
    plans.replace(found.plan, precedes);
    if (takers.length < plans.all.length - 1) checkPlans(state, nowMs);
  }
  if (found.kind === 'none' && isDue) {
    plans.remove(record.spec.id);
    plans.unplanned.set(record.spec.id, nowMs);
  }
}
