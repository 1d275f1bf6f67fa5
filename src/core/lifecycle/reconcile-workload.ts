import type { Ms, PodRef } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import { invariant, unreachable } from '../invariant.js';
import type { WorkloadRecord } from '../queue/index.js';
import { isWaiting } from '../queue/index.js';
import type { DecisionWriter } from './decision-writer.js';
import type { IncarnationFate } from './incarnation-end.js';
import { fateOf } from './incarnation-end.js';
import { claimedPods, isStillLeaving } from './pod-counts.js';
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
  if (isWaiting(record) || record.told === 'hold') return;
  const { id } = record.spec;
  const rule = record.spec.hold ? 'held' : record.pause === undefined ? 'backoff' : 'refused';
  writer.tell({ kind: 'wait', workload: id, workloads: [id], binding: 'hold', because: { rule, facts: {} } });
  state.book.change(record, { told: 'hold' });
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
    case 'goes-on': {
      const isUp = fate.isUp && record.state === 'starting';
      const change = { state: 'running', startByMs: undefined, startFailures: 0, avoid: undefined } as const;
      const now = isUp ? state.book.change(record, change) : record;
      if (fate.lostSurplus.length > 0) release(writer, now, fate.lostSurplus);
      return;
    }
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
  const { reason, then, retries, notBeforeMs, startFailures } = fate;
  // Its place broke while victims were still leaving it: to evict others at once would only repeat that.
  const isBrokenHold = pods.some(({ waitsFor }) => waitsFor !== undefined);
  const evictsFromMs = isBrokenHold ? nowMs + state.policy.preemption.minRuntimeMs : record.evictsFromMs;
  const marked = state.book.change(record, { startFailures, evictsFromMs });
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

function release(writer: DecisionWriter, record: WorkloadRecord, pods: readonly PodRecord[]): void {
  const { queue, id } = record.spec;
  const because = { rule: 'lost-beyond-minimum', facts: { pods: pods.length } };
  writer.decide(record, [
    { kind: 'release', workload: id, pods: refsOf(pods), charges: sumCharges(queue, pods), because },
  ]);
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

function refsOf(pods: readonly PodRecord[]): readonly PodRef[] {
  return pods.map(({ seat }) => seat.pod);
}
