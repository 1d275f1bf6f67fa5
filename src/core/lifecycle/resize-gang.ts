import type { Charge, PodSetSpec, Seat } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { PlacedPod } from '../placement/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import {
  addCharges,
  chargeOfPod,
  chargesOf,
  chargesOfParts,
  findStart,
  growStart,
  standingPart,
  startAskOf,
  sumCharges,
} from '../start/index.js';
import type { DecisionBody, DecisionWriter } from './decision-writer.js';
import { claimedPods, doneOf, missingOf, podsOfSet, refsOf } from './pod-counts.js';
import { podOf, podsInQuota } from './start-workload.js';

interface Resizing {
  readonly state: CoreState;
  readonly writer: DecisionWriter;
  readonly nowMs: number;
}

/** May these pods, whose seats are taken and charged, join the workload now? No when they would delay a plan. */
export type GrowthGuard = (
  record: WorkloadRecord,
  growth: { readonly parts: readonly StartPart[]; readonly charges: readonly Charge[] },
) => boolean;

/** Has a started workload fewer pods than it may have? One that is about to end needs no more. */
export function isShort(state: CoreState, record: WorkloadRecord): boolean {
  const pods = claimedPods(state, record);
  return record.spec.podSets.some((podSet) => missingOf(record, pods, podSet) > 0);
}

/** What the pods that it is short of would be charged for, in the flavor of those that it has. */
export function missingCharges(state: CoreState, record: WorkloadRecord): readonly Charge[] {
  const pods = claimedPods(state, record);
  return record.spec.podSets.reduce<readonly Charge[]>((sum, podSet) => {
    const missing = missingOf(record, pods, podSet);
    const charge = podsOfSet(pods, podSet)[0]?.charge ?? chargeOfPod(state, podSet, podSet.flavors[0]);
    if (missing === 0 || charge === undefined) return sum;
    return addCharges(sum, [{ queue: record.spec.queue, flavor: charge.flavor, milli: missing * charge.milli }]);
  }, []);
}

/** Pods that its counts do not allow any more, aside from those that are given up already. */
export function beyondCount(
  state: CoreState,
  record: WorkloadRecord,
  gone: readonly PodRecord[],
): readonly PodRecord[] {
  const pods = claimedPods(state, record).filter((pod) => !gone.includes(pod));
  return record.spec.podSets.flatMap((podSet) => surplusOf(pods, podSet, podSet.count - doneOf(record, podSet)));
}

/** Gives up these pods; the others go on. */
export function shrinkBody(
  { spec, incarnation, membership }: WorkloadRecord,
  pods: readonly PodRecord[],
  rule: string,
): DecisionBody {
  const { queue, id: workload } = spec;
  return {
    kind: 'shrink',
    workload,
    incarnation,
    pods: refsOf(pods),
    charges: sumCharges(queue, pods),
    because: { rule, facts: { pods: pods.length, round: membership.round + 1 } },
  };
}

/**
 * Gives a running workload more pods, up to its counts: in the flavor of its pods, nearest to them, as far out as its
 * requirement allows, on what is free in fleet and quota. Never evicts. Parks it until more comes free.
 */
export function growWorkload(resizing: Resizing, record: WorkloadRecord, guard: GrowthGuard): void {
  const { state, writer, nowMs } = resizing;
  state.book.groups.growing.park(record.spec.id);
  if (!mayGrow(record)) return;
  const start = state.tx.mark();
  const grown = findGrowth(state, record);
  const charges = chargesOfParts(state, record, grown);
  if (grown.length === 0 || !guard(record, { parts: grown, charges })) {
    state.tx.rollbackTo(start);
    return;
  }
  const startByMs = nowMs + state.policy.start.deadlineMs;
  const nextIndex = { ...record.membership.nextIndex };
  const seats: Seat[] = [];
  for (const part of grown) {
    for (const placed of part.pods) {
      const index = nextIndex[part.podSet.name] ?? 0;
      nextIndex[part.podSet.name] = index + 1;
      const pod = podOf(state, record, { part, placed, index });
      state.pods.add(pod, 'taken');
      seats.push(pod.seat);
    }
  }
  const changed = state.book.change(record, {
    charges: addCharges(record.charges, charges),
    startByMs,
    membership: { ...record.membership, nextIndex },
  });
  const { incarnation, spec } = record;
  const facts = { policy: state.policy.version, queue: spec.queue, round: record.membership.round + 1 };
  const because = { rule: 'room-to-grow', facts };
  writer.decide(changed, [
    { kind: 'grow', workload: spec.id, incarnation, seats, charges, waitsFor: [], startByMs, because },
  ]);
}

/** Not while pods that it grew by before are still to come. */
function mayGrow({ state, inFlight, pause, cancelRequested, startByMs, membership }: WorkloadRecord): boolean {
  const isFree = inFlight === undefined && pause === undefined && !cancelRequested;
  return state === 'running' && isFree && startByMs === undefined && membership.growNotBeforeMs === undefined;
}

interface GrownPart extends StartPart {
  readonly pods: readonly PlacedPod[];
}

/** Takes and charges what each pod set can get; the caller rolls back or goes on. */
function findGrowth(state: CoreState, record: WorkloadRecord): readonly GrownPart[] {
  const pods = claimedPods(state, record);
  const { avoid } = startAskOf(state, record);
  const withDevices = pods.filter(({ seat }) => seat.slots.length > 0);
  const rows = new Set(withDevices.map(({ seat }) => state.fleet.rowOf(seat.node)));
  const grown: GrownPart[] = [];
  for (const podSet of record.spec.podSets) {
    const missing = missingOf(record, pods, podSet);
    if (missing === 0) continue;
    const own = podsOfSet(pods, podSet);
    const part =
      own.length > 0
        ? standingPart(
            state,
            podSet,
            own.map(({ seat }) => seat),
          )
        : partAnew(state, record, { ...podSet, count: missing });
    if (part === undefined) continue;
    state.charge(chargesOf(state, record, { part, pods: part.pods.length }));
    const count = Math.min(missing - part.pods.length, podsInQuota(state, record, part));
    const more = count > 0 ? growStart(state, part, { count, avoid, own: rows }) : [];
    state.charge(chargesOf(state, record, { part, pods: more.length }));
    const placed = [...part.pods, ...more];
    if (placed.length > 0) grown.push({ ...part, pods: placed });
  }
  return grown;
}

/** All that it had have succeeded: the rest of a set starts anew, wherever its first pods find a place. */
function partAnew(state: CoreState, record: WorkloadRecord, podSet: PodSetSpec): StartPart | undefined {
  if (podSet.start === 'together') return undefined;
  const found = findStart(state, { ...startAskOf(state, record), podSets: [podSet] });
  return found.kind === 'found' ? found.parts[0] : undefined;
}

/** The pods of the set above so many, highest index first; those that have ended are none to give up. */
function surplusOf(pods: readonly PodRecord[], podSet: PodSetSpec, keep: number): readonly PodRecord[] {
  const own = podsOfSet(pods, podSet);
  const running = own.filter(({ end }) => end === undefined).sort((a, b) => b.seat.pod.index - a.seat.pod.index);
  return running.slice(0, Math.max(0, own.length - keep));
}
