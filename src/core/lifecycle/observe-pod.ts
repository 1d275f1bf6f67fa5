import type { Ms, PodRef, SchedulerEvent } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { standingRules } from '../standing-rules.js';
import type { PodRecord } from '../fleet/index.js';
import type { Membership } from '../queue/index.js';
import type { Applied } from './applied.js';
import { addCharges, chargeOfPod, flavorOfFound, sumCharges } from '../start/index.js';

type PodEvent = SchedulerEvent & {
  readonly kind: 'pod-bound' | 'pod-started' | 'pod-ended' | 'pod-gone' | 'pod-refused';
};

/** What was seen of a pod of a committed start. A pod whose start is not answered yet cannot have been seen. */
export function observePod(state: CoreState, event: PodEvent): Applied {
  const pod = state.pods.find(event.pod);
  if (pod === undefined || pod.claim === 'assumed' || pod.occupancy === 'none') return 'misfit';
  const occupancy = pod.occupancy === 'leaving' ? 'leaving' : 'present';
  switch (event.kind) {
    case 'pod-bound':
      if (pod.occupancy !== 'expected') return 'misfit';
      state.pods.change(pod, { occupancy });
      return 'applied';
    case 'pod-started':
      if (pod.started || pod.end !== undefined) return 'misfit';
      state.pods.change(pod, { occupancy, started: true });
      break;
    case 'pod-ended': {
      if (pod.end !== undefined) return 'misfit';
      const { outcome, blame, exitCode } = event;
      const end = { outcome, blame, ...(exitCode === undefined ? {} : { exitCode }) };
      // One that was given up while it waited for others was never there.
      const isUnseen = pod.occupancy === 'expected' && pod.waitsFor !== undefined && !pod.started;
      state.pods.change(pod, { occupancy: isUnseen ? 'expected' : occupancy, end, endSeq: event.seq });
      break;
    }
    case 'pod-gone':
      leaveNode(state, pod, event.seq);
      break;
    case 'pod-refused':
      refusePod(state, pod, event);
      break;
  }
  state.book.touch(event.pod.workload);
  return 'applied';
}

/** Nothing of the pod is left on its node; one that had not ended was lost. */
export function leaveNode(state: CoreState, pod: PodRecord, seq: number): void {
  const end = pod.end ?? { outcome: 'lost', blame: 'node' };
  state.pods.change(pod, { occupancy: 'none', end, endSeq: pod.endSeq ?? seq });
  state.dropIfEmpty(pod.seat.node);
  state.book.touch(pod.seat.pod.workload);
}

function refusePod(state: CoreState, pod: PodRecord, event: SchedulerEvent & { kind: 'pod-refused' }): void {
  const end = pod.end ?? { outcome: 'failed', blame: 'scheduler', refused: event.retry };
  state.pods.change(pod, { occupancy: 'none', end, endSeq: pod.endSeq ?? event.seq });
  state.dropIfEmpty(pod.seat.node);
  const record = state.book.get(event.pod.workload);
  if (event.retry !== 'elsewhere' || record === undefined) return;
  const nodes = [...new Set([...(record.avoid?.nodes ?? []), pod.seat.node])].sort();
  state.book.change(record, { avoid: { nodes, untilMs: event.atMs + state.policy.retry.backoffMsMax } });
}

/**
 * A seat that ledger and driver agree on, found when the core is rebuilt. Found while a set about its workload is in
 * flight, or of another life, it only blocks what it stands on: what was decided must not change before the answer.
 */
export function adoptPod(state: CoreState, event: SchedulerEvent & { kind: 'pod-adopted' }): Applied {
  const { seat } = event;
  const record = state.book.get(seat.pod.workload);
  if (!state.fleet.has(seat.node) || state.pods.find(seat.pod) !== undefined) return 'misfit';
  state.fleet.ensureSlots(state.fleet.rowOf(seat.node), 1 + Math.max(-1, ...seat.slots.map(({ slot }) => slot)));
  const podSet = record?.spec.podSets.find(({ name }) => name === seat.pod.podSet);
  const standing = podSet && standingRules(podSet);
  const rules = standing === undefined ? {} : { rules: standing };
  const waits = event.waitsFor === undefined || event.waitsFor.length === 0 ? {} : { waitsFor: event.waitsFor };
  const isSettled = record !== undefined && record.inFlight === undefined;
  const isCurrent = isSettled && seat.pod.incarnation === record.incarnation && podSet !== undefined;
  if (!isCurrent || event.state === 'leaving' || (record.state === 'evicting' && record.then !== 'requeue')) {
    state.pods.add({ seat, ...rules, claim: 'none', occupancy: 'leaving', started: false, ...waits }, 'to-take');
    if (isSettled && record.state === 'pending')
      state.book.change(record, { state: 'evicting', then: 'requeue', evictedAtMs: event.atMs });
    state.book.touch(seat.pod.workload);
    return 'applied';
  }
  const isPayable = state.quota.spec(record.spec.queue) !== undefined;
  const charge = isPayable ? chargeOfPod(state, podSet, flavorOfFound(state, podSet, seat)) : undefined;
  const occupancy = event.state === 'expected' ? 'expected' : 'present';
  const pod: PodRecord = {
    seat,
    ...(charge === undefined ? {} : { charge }),
    ...rules,
    claim: 'granted',
    occupancy,
    started: event.state === 'started',
    ...(occupancy === 'expected' ? waits : {}),
  };
  state.pods.add(pod, 'to-take');
  const charges = sumCharges(record.spec.queue, [pod]);
  state.charge(charges);
  state.book.change(record, {
    state: 'starting',
    then: undefined,
    evictedAtMs: undefined,
    startedAtMs: Math.min(record.startedAtMs ?? Infinity, event.startedAtMs ?? event.atMs),
    startByMs: record.startByMs ?? deadline(state, event.atMs),
    charges: addCharges(record.charges, charges),
    membership: withIndex(record.membership, seat.pod),
  });
  state.book.touch(seat.pod.workload);
  return 'applied';
}

/** An index that is found is used, whatever the ledger told before. */
function withIndex(membership: Membership, { podSet, index }: PodRef): Membership {
  const next = Math.max(membership.nextIndex[podSet] ?? 0, index + 1);
  return { ...membership, nextIndex: { ...membership.nextIndex, [podSet]: next } };
}

function deadline(state: CoreState, nowMs: Ms): Ms {
  return nowMs + state.policy.start.deadlineMs;
}
