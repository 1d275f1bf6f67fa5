import type { Decision, Ms, PodRef, SchedulerEvent, Seat, SetId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodChange } from '../fleet/index.js';
import { unreachable } from '../invariant.js';
import type { Membership, WorkloadRecord } from '../queue/index.js';
import { workAfterEnd } from '../queue/index.js';
import type { Applied } from './applied.js';
import { LOSS_MEMORY_MS, uncountEvictions } from '../preemption/index.js';
import { isForAnother, standAgain } from './give-way.js';
import { isStillLeaving } from './pod-counts.js';
import { subtractCharges } from '../start/index.js';
import { wakeTakers } from './unblock.js';

const NOT_STARTED = {
  startedAtMs: undefined,
  progressEndMs: undefined,
  checkpointAtMs: undefined,
  startByMs: undefined,
} as const;

/** The ledger has stored the set: what it says is true from now on. */
export function commitSet(state: CoreState, { set, atMs }: SchedulerEvent & { kind: 'set-committed' }): Applied {
  const decisions = state.inFlight.get(set);
  if (decisions === undefined) return answeredBefore(state, set);
  state.inFlight.delete(set);
  for (const decision of decisions) {
    if (decision.kind === 'start') state.plans.startCommitted(decision.workload);
    const record = state.book.get(decision.workload);
    if (record === undefined) continue;
    const answered = state.book.change(record, { inFlight: undefined });
    carryOut({ state, atMs }, answered, decision);
    wakeTakers(state, decision.workload);
    rememberEviction(state, decision, { decisions, atMs });
    state.book.touch(decision.workload);
  }
  return 'applied';
}

/** What it cost the victim, so that it is not the cheapest one again and again, and who did it. */
function rememberEviction(
  state: CoreState,
  decision: Decision,
  { decisions, atMs }: { readonly decisions: readonly Decision[]; readonly atMs: Ms },
): void {
  const record = state.book.get(decision.workload);
  if (record === undefined || decision.kind !== 'evict' || !isForAnother(decision)) return;
  const lost = decision.workLostMilliDeviceSeconds ?? 0;
  const losses = record.losses.filter((loss) => loss.atMs > atMs - LOSS_MEMORY_MS);
  const start = decisions.find((other) => other.kind === 'start');
  state.book.change(record, {
    losses: [...losses, { atMs, lost }],
    evictedBy:
      start?.kind === 'start'
        ? { workload: start.workload, incarnation: start.incarnation, rights: state.rightsVersion }
        : undefined,
  });
}

/**
 * The ledger did not store the set. Only a start or growth, and what others gave up for it, was assumed before the
 * answer, so only that is undone. Whose start or end was refused waits a while; who would have made room, or grown, runs
 * on as if nothing had been.
 */
export function refuseSet(state: CoreState, event: SchedulerEvent & { kind: 'set-refused' }): Applied {
  const decisions = state.inFlight.get(event.set);
  if (decisions === undefined) return answeredBefore(state, event.set);
  state.inFlight.delete(event.set);
  const evictions = decisions.filter((decision) => decision.kind === 'evict' && isForAnother(decision)).length;
  if (evictions > 0) {
    uncountEvictions(state, evictions, event.atMs);
    // The brake keeps back whoever would evict, whatever it asks for.
    state.book.groups.wakeAll();
  }
  const afterRefusal = { untilMs: event.atMs + state.policy.retry.backoffMs, at: event.at };
  for (const decision of decisions) {
    const record = state.book.get(decision.workload);
    if (record === undefined) continue;
    // Whoever was cancelled meanwhile will not be started again: there is nothing to wait for.
    const isGivenUp = decision.kind === 'start' && record.cancelRequested;
    const runsOn = decision.kind === 'grow' || isForAnother(decision);
    const pause = isGivenUp || runsOn ? undefined : afterRefusal;
    if (decision.kind === 'start') undoStart(state, record, { start: decision, againMs: afterRefusal.untilMs });
    if (decision.kind === 'grow') undoGrowth(state, record, { growth: decision, atMs: event.atMs });
    if (isForAnother(decision)) standAgain(state, decision);
    const undone = state.book.get(decision.workload);
    if (undone !== undefined) state.book.change(undone, { inFlight: undefined, pause, repair: undefined });
    wakeTakers(state, decision.workload);
    state.book.touch(decision.workload);
  }
  return 'applied';
}

/** An answer to words for display, or a second one, changes nothing; to a set never decided it is a misfit. */
function answeredBefore(state: CoreState, set: SetId): Applied {
  return set < state.nextSet ? 'applied' : 'misfit';
}

function carryOut(
  { state, atMs }: { readonly state: CoreState; readonly atMs: Ms },
  record: WorkloadRecord,
  decision: Decision,
): void {
  switch (decision.kind) {
    case 'start':
      changePods(state, refsOf(decision.seats), { claim: 'granted', occupancy: 'expected' });
      return;
    case 'evict': {
      changePods(state, decision.pods, { claim: 'none' });
      if (!isForAnother(decision)) state.refund(decision.charges);
      const { then, retries, notBeforeMs } = decision;
      const ended = { ...NOT_STARTED, ...workAfterEnd(record, atMs), evictedAtMs: atMs };
      const change = { state: 'evicting', then, retries, notBeforeMs, charges: [] } as const;
      state.book.change(record, { ...change, ...ended, told: undefined });
      return;
    }
    case 'release': {
      const membership = { ...nextRound(record), done: doneAfter(state, record, decision.pods) };
      changePods(state, decision.pods, { claim: 'none' });
      state.refund(decision.charges);
      state.book.change(record, {
        charges: subtractCharges(record.charges, decision.charges),
        membership,
      });
      return;
    }
    case 'finish':
      if (decision.outcome === 'succeeded') learn(state, record, atMs);
      state.book.remove(record);
      if (decision.outcome === 'succeeded') state.book.dependencySucceeded(record.spec.id);
      return;
    case 'grow':
      changePods(state, refsOf(decision.seats), { claim: 'granted', occupancy: 'expected' });
      state.book.change(record, { membership: nextRound(record) });
      return;
    case 'shrink':
      changePods(state, decision.pods, { claim: 'none' });
      shrunk(state, record, { shrink: decision, atMs });
      return;
    case 'plan':
    case 'unplan':
    case 'wait':
      return;
    default:
      unreachable(decision);
  }
}

/** Released pods that have succeeded are counted: the set needs no others in their place. */
function doneAfter(state: CoreState, { membership }: WorkloadRecord, refs: readonly PodRef[]): Membership['done'] {
  const done = { ...membership.done };
  for (const ref of refs) {
    const isDone = state.pods.find(ref)?.end?.outcome === 'succeeded';
    if (isDone) done[ref.podSet] = (done[ref.podSet] ?? 0) + 1;
  }
  return done;
}

/** How long it ran tells how long its like will. */
function learn(state: CoreState, { spec, startedAtMs }: WorkloadRecord, atMs: Ms): void {
  if (startedAtMs === undefined) return;
  state.history.add(spec.queue, { runMs: Math.max(0, atMs - startedAtMs), estimateMs: spec.estimateMs });
}

/** It waits where it was, also among the planned. */
function undoStart(
  state: CoreState,
  record: WorkloadRecord,
  { start, againMs }: { readonly start: Decision & { kind: 'start' }; readonly againMs: Ms },
): void {
  changePods(state, refsOf(start.seats), { claim: 'none' });
  state.refund(start.charges);
  const incarnation = start.incarnation - 1;
  const waitsOn = incarnation > 0 ? [] : state.book.openDependencies(record.spec);
  state.plans.startRefused(record.spec.id, againMs);
  // One that was to be repaired may still have pods of before.
  const after = isStillLeaving(state, record)
    ? ({ state: 'evicting', then: 'requeue', evictedAtMs: state.nowMs } as const)
    : ({ state: 'pending' } as const);
  state.book.change(record, { ...after, incarnation, charges: [], waitsOn, ...NOT_STARTED });
}

/** Pods that were to join never were; it is not tried again before the first backoff. Their indexes stay used. */
function undoGrowth(
  state: CoreState,
  record: WorkloadRecord,
  { growth, atMs }: { readonly growth: Decision & { kind: 'grow' }; readonly atMs: Ms },
): void {
  changePods(state, refsOf(growth.seats), { claim: 'none' });
  state.refund(growth.charges);
  state.book.change(record, {
    charges: subtractCharges(record.charges, growth.charges),
    startByMs: undefined,
    membership: { ...record.membership, growNotBeforeMs: atMs + state.policy.retry.backoffMs },
  });
}

function shrunk(
  state: CoreState,
  record: WorkloadRecord,
  { shrink, atMs }: { readonly shrink: Decision & { kind: 'shrink' }; readonly atMs: Ms },
): void {
  const membership = { ...nextRound(record), growNotBeforeMs: afterShrinking(state, record, atMs) };
  // Charges given up for another ended with the decision.
  const charges = isForAnother(shrink) ? record.charges : subtractCharges(record.charges, shrink.charges);
  if (!isForAnother(shrink)) state.refund(shrink.charges);
  state.book.change(record, { charges, membership });
}

function nextRound({ membership }: WorkloadRecord): Membership {
  return { ...membership, round: membership.round + 1 };
}

/** A gang that shrank and grew with each small arrival and end would restart for each of them. */
function afterShrinking(state: CoreState, { membership }: WorkloadRecord, atMs: Ms): Ms {
  return Math.max(membership.growNotBeforeMs ?? 0, atMs + state.policy.preemption.minRuntimeMs);
}

function refsOf(seats: readonly Seat[]): readonly PodRef[] {
  return seats.map(({ pod }) => pod);
}

/** A pod that loses its claim while it occupies its node is leaving. */
function changePods(state: CoreState, refs: readonly PodRef[], change: PodChange): void {
  for (const ref of refs) {
    const pod = state.pods.find(ref);
    if (pod === undefined) continue;
    const isLeaving = change.claim === 'none' && pod.occupancy !== 'none';
    state.pods.change(pod, isLeaving ? { ...change, occupancy: 'leaving' } : change);
    state.dropIfEmpty(pod.seat.node);
  }
}
