import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import { invariant, unreachable } from '../invariant.js';
import type { WorkloadRecord } from '../queue/index.js';
import { isWaiting } from '../queue/index.js';
import { backoffMs } from './backoff.js';
import type { DecisionBody, DecisionWriter } from './decision-writer.js';
import type { IncarnationFate } from './incarnation-end.js';
import { afterEviction, fateOf } from './incarnation-end.js';
import { claimedPods, isStillLeaving, refsOf } from './pod-counts.js';
import type { EndMeaning } from './pod-end.js';
import { meaningOf } from './pod-end.js';
import { evictsAgainMs, repairOf } from './repair-gang.js';
import { beyondCount, isShort, shrinkBody } from './resize-gang.js';
import { sumCharges } from '../start/index.js';

interface Reconciling {
  readonly state: CoreState;
  readonly writer: DecisionWriter;
  readonly nowMs: Ms;
}

/** Decides what the state of a workload and of its pods demands, its start aside. Idempotent: again, it says nothing. */
export function reconcileWorkload({ state, writer, nowMs }: Reconciling, record: WorkloadRecord): void {
  if (record.inFlight !== undefined || (record.pause !== undefined && record.state !== 'pending')) return;
  switch (record.state) {
    case 'pending':
      reconcilePending(writer, state, record);
      return;
    case 'evicting':
      reconcileEvicting({ state, writer, nowMs }, record);
      return;
    case 'starting':
    case 'running':
      carryOut({ state, writer, nowMs }, record, fateOf(state, record, nowMs));
      return;
    default:
      unreachable(record.state);
  }
}

function reconcilePending(writer: DecisionWriter, state: CoreState, record: WorkloadRecord): void {
  if (record.cancelRequested && record.pause === undefined) {
    finish(writer, record, 'cancelled');
    return;
  }
  const { id, hold } = record.spec;
  const isHeld = hold || record.notBeforeMs !== undefined || record.pause !== undefined;
  const binding = isHeld ? 'hold' : 'dependency';
  if (isWaiting(record) || record.told === binding) return;
  const rule = !isHeld ? 'dependency' : hold ? 'held' : record.pause === undefined ? 'backoff' : 'refused';
  const facts = isHeld ? {} : { open: record.waitsOn.length };
  writer.tell({ kind: 'wait', workload: id, workloads: [id], binding, because: { rule, facts } });
  state.book.change(record, { told: binding });
}

function reconcileEvicting({ state, writer, nowMs }: Reconciling, record: WorkloadRecord): void {
  if (isStillLeaving(state, record)) return;
  if (record.then === 'fail') {
    finish(writer, record, 'failed');
  } else if (record.then === 'end') {
    finish(writer, record, 'cancelled');
  } else {
    const notBeforeMs = (record.notBeforeMs ?? 0) <= nowMs ? undefined : record.notBeforeMs;
    const pending = state.book.change(record, {
      state: 'pending',
      then: undefined,
      evictedAtMs: undefined,
      notBeforeMs,
    });
    reconcilePending(writer, state, pending);
  }
}

function carryOut({ state, writer, nowMs }: Reconciling, record: WorkloadRecord, fate: IncarnationFate): void {
  switch (fate.kind) {
    case 'goes-on':
      goOn({ state, writer, nowMs }, record, fate);
      return;
    case 'succeeded':
      if (!isStillLeaving(state, record)) succeed(writer, state, record);
      return;
    case 'ends':
      endIncarnation({ state, writer, nowMs }, record, fate);
      return;
    default:
      unreachable(fate);
  }
}

function endIncarnation(
  { state, writer, nowMs }: Reconciling,
  record: WorkloadRecord,
  fate: IncarnationFate & { kind: 'ends' },
): void {
  const pods = claimedPods(state, record);
  const { reason, retries, notBeforeMs, startFailures } = fate;
  const then = fate.then === 'requeue' ? afterEviction(record, pods) : fate.then;
  const repair = repairOf(state, record, pods);
  // One that must leave a node has lost nothing yet: its pods get their time to save, and it starts when they are gone.
  const hasLost = reason === 'node-lost' || reason === 'gang-incomplete';
  const isRepaired = hasLost && then === 'requeue' && notBeforeMs === undefined;
  const evictsFromMs = !isRepaired && repair.behind.length > 0 ? evictsAgainMs(state, nowMs) : record.evictsFromMs;
  const marked = state.book.change(record, {
    startFailures,
    evictsFromMs,
    repair: isRepaired ? repair : undefined,
  });
  writer.decide(marked, [
    {
      kind: 'evict',
      workload: record.spec.id,
      incarnation: record.incarnation,
      pods: refsOf(pods),
      charges: record.charges,
      reason,
      then,
      ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
      retries,
      because: {
        rule: reason,
        facts: { pods: pods.length, ended: pods.filter(({ end }) => end !== undefined).length },
      },
    },
  ]);
}

/** A gang that keeps its minimum: what it lost is released, what it may not keep is given up, and it may grow again. */
function goOn(
  { state, writer, nowMs }: Reconciling,
  record: WorkloadRecord,
  { lost, late, done, isUp }: IncarnationFate & { kind: 'goes-on' },
): void {
  const isBad = late.length > 0 || lost.some(({ end }) => end !== undefined && isOwnFailure(meaningOf(end)));
  const wasComing = record.state === 'starting' || record.startByMs !== undefined;
  let now = record;
  if (isBad) {
    const startFailures = record.startFailures + 1;
    const growNotBeforeMs = nowMs + backoffMs(state.policy.retry, startFailures);
    now = state.book.change(now, { startFailures, membership: { ...record.membership, growNotBeforeMs } });
  } else if (isUp && wasComing) now = state.book.change(now, { startFailures: 0, avoid: undefined });
  if (isUp && wasComing) now = state.book.change(now, { state: 'running', startByMs: undefined });
  const excess = beyondCount(state, now, [...lost, ...late, ...done]);
  const bodies: DecisionBody[] = [];
  if (lost.length > 0) bodies.push(releaseBody(now, lost, 'lost-beyond-minimum'));
  if (done.length > 0) bodies.push(releaseBody(now, done, 'makes-room-for-the-rest'));
  if (late.length > 0) bodies.push(shrinkBody(now, late, 'not-up-in-time'));
  if (excess.length > 0) bodies.push(shrinkBody(now, excess, 'counts-lowered'));
  if (bodies.length > 0) writer.decide(now, bodies);
  else if (now.state === 'running') state.book.setShort(now, isShort(state, now));
}

function isOwnFailure(meaning: EndMeaning): boolean {
  return meaning !== 'not-its-fault' && meaning !== 'succeeded';
}

function releaseBody({ spec }: WorkloadRecord, pods: readonly PodRecord[], rule: string): DecisionBody {
  const { queue, id } = spec;
  const because = { rule, facts: { pods: pods.length } };
  return { kind: 'release', workload: id, pods: refsOf(pods), charges: sumCharges(queue, pods), because };
}

function succeed(writer: DecisionWriter, state: CoreState, record: WorkloadRecord): void {
  const pods = claimedPods(state, record);
  const because = { rule: 'all-pods-succeeded', facts: { pods: pods.length } };
  const { id } = record.spec;
  writer.decide(record, [
    { kind: 'release', workload: id, pods: refsOf(pods), charges: record.charges, because },
    { kind: 'finish', workload: id, outcome: 'succeeded', because },
  ]);
}

function finish(writer: DecisionWriter, record: WorkloadRecord, outcome: 'failed' | 'cancelled'): void {
  invariant(record.charges.length === 0, 'what has ended pays nothing', { id: record.spec.id });
  const because = { rule: outcome, facts: { incarnation: record.incarnation, retries: record.retries } };
  writer.decide(record, [{ kind: 'finish', workload: record.spec.id, outcome, because }]);
}
