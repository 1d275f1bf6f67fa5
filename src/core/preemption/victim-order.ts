import type { Charge, Ms, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { Lane, RunningWorkload, WorkloadRecord } from '../queue/index.js';
import { compareByLoss } from '../queue/index.js';
import { requestsOf, sumCharges } from '../start/index.js';
import { compareText } from '../text-order.js';
import type { Preemptor } from './eviction-rights.js';
import { EvictionRights, mayTakeByOrder } from './eviction-rights.js';
import { surplusUnits } from './surplus-units.js';

/** What falls at once: a pod or a slice that an elastic gang can spare, or a workload with all that it has. */
export interface VictimUnit {
  readonly kind: 'surplus' | 'whole';
  readonly record: WorkloadRecord;
  readonly pods: readonly PodRecord[];
  readonly charges: readonly Charge[];
  /** Thousandths of a device x seconds, the memory of earlier evictions aside. */
  readonly workLost: number;
}

/** What a restart costs besides the lost work: images, data, the first step. */
const RESTART_MS = 60_000;
/** For so long an eviction makes its victim dearer. */
export const LOSS_MEMORY_MS = 24 * 3_600_000;

/**
 * Over whom the pre-emptor may have a right, whoever should fall first first: surplus pods of elastic gangs before
 * whole gangs, work of borrowers before work of the own queue, then the lowest priority, the least work lost (with what
 * evictions of the last day cost it), the newest. Lazy: who is not asked for is not sorted. `onProtected` hears when
 * the protection of somebody who was passed over ends.
 */
export function* victimsInOrder(
  state: CoreState,
  ask: { readonly preemptor: Preemptor; readonly rights: EvictionRights; readonly nowMs: Ms },
  onProtected: (untilMs: Ms) => void,
): Generator<VictimUnit> {
  const ranks = ranksOf(state, ask);
  for (const { queues, isOwn } of ranks.queues) {
    const elastic = queues.flatMap((queue) => [...state.book.running.elasticOf(queue)]);
    const allowed = elastic.filter(({ spec }) => !isOwn || ranks.isLow(spec.priority));
    for (const record of [...allowed].sort(compareElastic)) {
      const refusedUntilMs = record.protectedUntilMs ?? 0;
      if (refusedUntilMs <= ask.nowMs) yield* surplusOf(state, record);
      else onProtected(refusedUntilMs);
    }
  }
  for (const { queues, priority } of ranks.whole) {
    const lanes = queues.flatMap((queue) => state.book.running.lanesOf(queue, priority));
    for (const record of cheapestFirst(state, { lanes, nowMs: ask.nowMs, onProtected })) {
      const pods = state.pods.claimsOf(record.spec.id, record.incarnation);
      if (pods.length === 0 || pods.some(({ waitsFor }) => waitsFor !== undefined)) continue;
      yield { kind: 'whole', record, pods, charges: record.charges, workLost: lostWork(record, ask.nowMs) };
    }
  }
}

/** Is there anybody in whose order `victimsInOrder` would look, protected or not? */
export function mayHaveVictims(
  state: CoreState,
  ask: { readonly preemptor: Preemptor; readonly rights: EvictionRights },
): boolean {
  const ranks = ranksOf(state, ask);
  if (ranks.whole.length > 0) return true;
  return ranks.queues.some(({ queues, isOwn }) =>
    queues.some((queue) => {
      for (const { spec } of state.book.running.elasticOf(queue)) if (!isOwn || ranks.isLow(spec.priority)) return true;
      return false;
    }),
  );
}

/**
 * When the protection ends of those over whom the workload may have a right, as things are now: each time once, sorted;
 * `nowMs` for all whose protection has ended.
 */
export function protectionEnds(state: CoreState, record: WorkloadRecord, nowMs: Ms): readonly Ms[] {
  const contended = new Set(requestsOf(state, record.spec).flatMap((request) => request.map(({ flavor }) => flavor)));
  const preemptor = { record, charges: [], contended };
  const ranks = ranksOf(state, { preemptor, rights: new EvictionRights(state, preemptor) });
  const { running } = state.book;
  const whole = ranks.whole.flatMap(({ queues, priority }) =>
    queues.flatMap((queue) => running.lanesOf(queue, priority)),
  );
  const elastic = ranks.queues.flatMap(({ queues }) => queues.flatMap((queue) => [...running.elasticOf(queue)]));
  const ends = [
    ...whole.flatMap((lane) => [...lane.backwards()].map((entry) => protectedUntilMs(state, entry.record))),
    ...elastic.map((gang) => gang.protectedUntilMs ?? 0),
  ];
  return [...new Set(ends.map((endMs) => Math.max(nowMs, endMs)))].sort((a, b) => a - b);
}

/** Of several lanes, each from its end, always the one that costs least. */
function* cheapestFirst(
  state: CoreState,
  ask: {
    readonly lanes: readonly Lane[];
    readonly nowMs: Ms;
    readonly onProtected: (untilMs: Ms) => void;
  },
): Generator<WorkloadRecord> {
  const { lanes, nowMs, onProtected } = ask;
  const ends = lanes.map((lane) => {
    const rest = unprotected(state, { lane, nowMs, onProtected });
    return { rest, next: nextOf(rest) };
  });
  for (;;) {
    let best: (typeof ends)[number] | undefined;
    for (const end of ends) {
      if (end.next === undefined) continue;
      if (best?.next === undefined || compareByCost(end.next, best.next, nowMs) < 0) best = end;
    }
    if (best?.next === undefined) return;
    const { record } = best.next;
    best.next = nextOf(best.rest);
    yield record;
  }
}

function nextOf(rest: Iterator<RunningWorkload, undefined>): RunningWorkload | undefined {
  return rest.next().value;
}

function* unprotected(
  state: CoreState,
  ask: { readonly lane: Lane; readonly nowMs: Ms; readonly onProtected: (untilMs: Ms) => void },
): Generator<RunningWorkload, undefined> {
  for (const entry of ask.lane.backwards()) {
    const untilMs = protectedUntilMs(state, entry.record);
    if (untilMs <= ask.nowMs) yield entry;
    else ask.onProtected(untilMs);
  }
}

function compareByCost(a: RunningWorkload, b: RunningWorkload, nowMs: Ms): number {
  const cost = ({ milli, sinceMs }: RunningWorkload): number => milli * (nowMs - sinceMs + RESTART_MS);
  return cost(a) - cost(b) || compareByLoss(a, b);
}

/** Until when time protects it: after its start, and when its eviction was refused. */
export function protectedUntilMs(state: CoreState, { startedAtMs, protectedUntilMs: refused }: WorkloadRecord): Ms {
  return Math.max((startedAtMs ?? 0) + state.policy.preemption.minRuntimeMs, refused ?? 0);
}

interface Rank {
  readonly queues: readonly QueueName[];
  readonly priority: number;
}

interface Ranks {
  readonly queues: readonly { readonly queues: readonly QueueName[]; readonly isOwn: boolean }[];
  readonly whole: readonly Rank[];
  /** May a priority be taken from where priority counts? */
  readonly isLow: (priority: number) => boolean;
}

function ranksOf(
  state: CoreState,
  { preemptor, rights }: { readonly preemptor: Preemptor; readonly rights: EvictionRights },
): Ranks {
  const { spec } = preemptor.record;
  const own = state.quota.spec(spec.queue);
  const others =
    own === undefined || own.reclaim === 'never' || preemptor.contended.size === 0
      ? []
      : state.quota.names().filter((queue) => queue !== spec.queue && rights.borrowsContended(queue));
  const mayTakeAny = own?.reclaim === 'any';
  const inside = own?.withinQueue === 'lowerPriority' ? [spec.queue] : [];
  const byOrder = mayTakeByOrder(state.policy);
  const isLow = (priority: number) => (byOrder ? priority <= spec.priority : priority < spec.priority);
  return {
    isLow,
    queues: [
      { queues: others, isOwn: !mayTakeAny },
      { queues: inside, isOwn: true },
    ],
    whole: [
      ...ranksIn(state, others).filter(({ priority }) => mayTakeAny || priority < spec.priority),
      ...ranksIn(state, inside).filter(({ priority }) => isLow(priority)),
    ],
  };
}

function ranksIn(state: CoreState, queues: readonly QueueName[]): readonly Rank[] {
  const priorities = new Set(queues.flatMap((queue) => state.book.running.prioritiesOf(queue)));
  return [...priorities].sort((a, b) => a - b).map((priority) => ({ queues, priority }));
}

/** What is above the minimum of each pod set. */
function* surplusOf(state: CoreState, record: WorkloadRecord): Generator<VictimUnit> {
  const pods = state.pods.claimsOf(record.spec.id, record.incarnation);
  if (pods.some(({ waitsFor }) => waitsFor !== undefined)) return;
  for (const podSet of record.spec.podSets) {
    const ofSet = pods.filter(({ seat, end }) => seat.pod.podSet === podSet.name && end === undefined);
    for (const unit of surplusUnits(state, podSet, ofSet)) {
      const charges = sumCharges(record.spec.queue, unit);
      yield { kind: 'surplus', record, pods: unit, charges, workLost: 0 };
    }
  }
}

/** Since the last checkpoint, with a restart; in thousandths of a device x seconds. */
export function lostWork({ charges, startedAtMs, checkpointAtMs }: WorkloadRecord, nowMs: Ms): number {
  const milli = charges.reduce((sum, charge) => sum + charge.milli, 0);
  const sinceMs = Math.max(startedAtMs ?? nowMs, checkpointAtMs ?? 0);
  return Math.floor((milli * (Math.max(0, nowMs - sinceMs) + RESTART_MS)) / 1000);
}

/** To lose surplus costs no work: the lowest priority first, then the newest. */
function compareElastic(a: WorkloadRecord, b: WorkloadRecord): number {
  return (
    a.spec.priority - b.spec.priority ||
    (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0) ||
    b.spec.submittedAtMs - a.spec.submittedAtMs ||
    compareText(b.spec.name, a.spec.name) ||
    compareText(b.spec.id, a.spec.id)
  );
}
