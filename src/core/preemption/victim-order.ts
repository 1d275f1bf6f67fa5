import type { Charge, Ms, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { sumCharges, surplusFrom } from '../start/index.js';
import { compareText } from '../text-order.js';
import type { EvictionRights, Preemptor } from './eviction-rights.js';

/** What falls at once: a pod that an elastic gang can spare, or a workload with all that it has. */
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
    const allowed = elastic.filter(({ spec }) => !isOwn || spec.priority < ask.preemptor.record.spec.priority);
    const byPriority = sortByOrder(allowed, ask.nowMs, 'by-priority');
    for (const record of byPriority) yield* surplusOf(state, record);
  }
  for (const { queues, priority } of ranks.whole) {
    const records: WorkloadRecord[] = [];
    for (const queue of queues) {
      for (const record of state.book.running.of(queue, priority)) {
        const untilMs = protectedUntilMs(state, record);
        if (untilMs <= ask.nowMs) records.push(record);
        else onProtected(untilMs);
      }
    }
    for (const record of popInOrder(records, ask.nowMs)) {
      const pods = claimsOf(state, record);
      if (pods.length === 0 || pods.some(({ waitsFor }) => waitsFor !== undefined)) continue;
      yield { kind: 'whole', record, pods, charges: record.charges, workLost: lostWork(record, ask.nowMs) };
    }
  }
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
  return {
    queues: [
      { queues: others, isOwn: !mayTakeAny },
      { queues: inside, isOwn: true },
    ],
    whole: [
      ...ranksIn(state, others).filter(({ priority }) => mayTakeAny || priority < spec.priority),
      ...ranksIn(state, inside).filter(({ priority }) => priority < spec.priority),
    ],
  };
}

function ranksIn(state: CoreState, queues: readonly QueueName[]): readonly Rank[] {
  const priorities = new Set(queues.flatMap((queue) => state.book.running.prioritiesOf(queue)));
  return [...priorities].sort((a, b) => a - b).map((priority) => ({ queues, priority }));
}

/** The pods above the minimum of each pod set, the last first. */
function* surplusOf(state: CoreState, record: WorkloadRecord): Generator<VictimUnit> {
  const pods = claimsOf(state, record);
  if (pods.some(({ waitsFor }) => waitsFor !== undefined)) return;
  for (const podSet of record.spec.podSets) {
    const ofSet = pods.filter(({ seat, end }) => seat.pod.podSet === podSet.name && end === undefined);
    for (const pod of ofSet.slice(surplusFrom(podSet)).reverse()) {
      const charges = sumCharges(record.spec.queue, [pod]);
      yield { kind: 'surplus', record, pods: [pod], charges, workLost: 0 };
    }
  }
}

function claimsOf(state: CoreState, { spec, incarnation }: WorkloadRecord): readonly PodRecord[] {
  return state.pods
    .ofWorkload(spec.id)
    .filter(({ claim, seat }) => claim === 'granted' && seat.pod.incarnation === incarnation);
}

/** Since the last checkpoint, with a restart; in thousandths of a device x seconds. */
export function lostWork({ charges, startedAtMs, checkpointAtMs }: WorkloadRecord, nowMs: Ms): number {
  const milli = charges.reduce((sum, charge) => sum + charge.milli, 0);
  const sinceMs = Math.max(startedAtMs ?? nowMs, checkpointAtMs ?? 0);
  return Math.floor((milli * (Math.max(0, nowMs - sinceMs) + RESTART_MS)) / 1000);
}

function costOf(record: WorkloadRecord, nowMs: Ms): number {
  const remembered = record.losses.filter(({ atMs }) => atMs > nowMs - LOSS_MEMORY_MS);
  return lostWork(record, nowMs) + remembered.reduce((sum, { lost }) => sum + lost, 0);
}

function sortByOrder(
  records: readonly WorkloadRecord[],
  nowMs: Ms,
  first: 'by-priority' | 'by-cost',
): readonly WorkloadRecord[] {
  const keyed = records.map((record) => ({ record, cost: costOf(record, nowMs) }));
  const priority = ({ spec }: WorkloadRecord) => (first === 'by-priority' ? spec.priority : 0);
  keyed.sort((a, b) => priority(a.record) - priority(b.record) || a.cost - b.cost || compareNewest(a.record, b.record));
  return keyed.map(({ record }) => record);
}

/** The least cost first, as a heap over indexes: of thousands of equal candidates often only one is taken. */
function* popInOrder(records: readonly WorkloadRecord[], nowMs: Ms): Generator<WorkloadRecord> {
  const costs = Float64Array.from(records, (record) => costOf(record, nowMs));
  const heap = Int32Array.from(records, (_record, index) => index);
  const isLess = (a: number, b: number): boolean => {
    const byCost = (costs[a] ?? 0) - (costs[b] ?? 0);
    if (byCost !== 0) return byCost < 0;
    const [x, y] = [records[a], records[b]];
    return x !== undefined && y !== undefined && compareNewest(x, y) < 0;
  };
  let size = heap.length;
  for (let at = (size >> 1) - 1; at >= 0; at--) sink({ heap, isLess, size }, at);
  while (size > 0) {
    const first = records[heap[0] ?? 0];
    heap[0] = heap[--size] ?? 0;
    sink({ heap, isLess, size }, 0);
    if (first !== undefined) yield first;
  }
}

function sink(
  { heap, isLess, size }: { heap: Int32Array; isLess: (a: number, b: number) => boolean; size: number },
  from: number,
): void {
  for (let at = from; ;) {
    const left = 2 * at + 1;
    if (left >= size) return;
    const right = left + 1;
    const child = right < size && isLess(heap[right] ?? 0, heap[left] ?? 0) ? right : left;
    const [above, below] = [heap[at] ?? 0, heap[child] ?? 0];
    if (!isLess(below, above)) return;
    heap[at] = below;
    heap[child] = above;
    at = child;
  }
}

/** The newest first; the id tells apart what is still equal. */
function compareNewest(a: WorkloadRecord, b: WorkloadRecord): number {
  return (
    (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0) ||
    b.spec.submittedAtMs - a.spec.submittedAtMs ||
    compareText(b.spec.name, a.spec.name) ||
    compareText(b.spec.id, a.spec.id)
  );
}
