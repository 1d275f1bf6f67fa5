import type { Milli, Ms, QueueName, WorkloadId } from '../contract/index.js';
import type { Sorted } from '../sorted-list.js';
import { SortedList } from '../sorted-list.js';
import { compareText } from '../text-order.js';
import type { WorkloadRecord } from './workload-record.js';

/** A started workload that may be asked to give way, with what its place among the others follows from. */
export interface RunningWorkload {
  readonly record: WorkloadRecord;
  /** What it pays, over all flavors. */
  readonly milli: Milli;
  /** Since when its work would be lost; earlier by as much as remembered evictions have cost it. */
  readonly sinceMs: Ms;
  readonly startedAtMs: Ms;
}

/** Of one size, in the order of the work that would be lost: the least last. */
export type Lane = Sorted<RunningWorkload>;

interface Entry extends RunningWorkload {
  record: WorkloadRecord;
  readonly lane: RunningLane;
}

/**
 * Equal queue, priority and size: time passes for all alike, so their order never changes. The least loss last: there
 * most come and go.
 */
interface RunningLane {
  readonly milli: Milli;
  readonly entries: SortedList<Entry>;
}

/**
 * Started workloads that may be asked to give way: preemptible, and no set about them is in flight. By queue, priority
 * and size, in the order of the work that would be lost: the choice of victims looks at those it takes and no others.
 */
export class RunningWorkloads {
  readonly #lanes = new Map<QueueName, Map<number, Map<Milli, RunningLane>>>();
  readonly #elastic = new Map<QueueName, Map<WorkloadId, WorkloadRecord>>();
  readonly #entries = new Map<WorkloadId, Entry>();
  /** All that are started, preemptible or not. */
  #started = 0;

  get startedCount(): number {
    return this.#started;
  }

  /** `before` and `after` a change of the record; `undefined`: it was not, or is not any more. */
  replace(before: WorkloadRecord | undefined, after: WorkloadRecord | undefined): void {
    if (before !== undefined && isStarted(before)) this.#started--;
    if (after !== undefined && isStarted(after)) this.#started++;
    if (before !== undefined && after !== undefined && this.#stays(before, after)) return;
    if (before !== undefined) this.#drop(before);
    if (after !== undefined && mayGiveWay(after)) this.#enter(after);
  }

  /** Lowest first; only priorities that somebody has. */
  prioritiesOf(queue: QueueName): readonly number[] {
    const all = [...(this.#lanes.get(queue) ?? [])];
    return all.flatMap(([priority, lanes]) => (lanes.size > 0 ? [priority] : [])).sort((a, b) => a - b);
  }

  /** By size, smallest first; in each the least loss last. */
  lanesOf(queue: QueueName, priority: number): readonly Lane[] {
    const lanes = [...(this.#lanes.get(queue)?.get(priority)?.values() ?? [])];
    return lanes.sort((a, b) => a.milli - b.milli).map(({ entries }) => entries);
  }

  /** Those that may hold more than their minimum; in no particular order. */
  elasticOf(queue: QueueName): Iterable<WorkloadRecord> {
    return this.#elastic.get(queue)?.values() ?? [];
  }

  /** It keeps its place, with the record as it is now. */
  #stays(before: WorkloadRecord, after: WorkloadRecord): boolean {
    const entry = this.#entries.get(after.spec.id);
    const isSame =
      before.spec === after.spec &&
      before.charges === after.charges &&
      before.losses === after.losses &&
      before.startedAtMs === after.startedAtMs &&
      before.checkpointAtMs === after.checkpointAtMs;
    if (entry === undefined || !isSame || !mayGiveWay(after)) return false;
    entry.record = after;
    const elastic = this.#elastic.get(after.spec.queue);
    if (elastic?.has(after.spec.id) === true) elastic.set(after.spec.id, after);
    return true;
  }

  #enter(record: WorkloadRecord): void {
    const { id, queue, priority } = record.spec;
    const milli = record.charges.reduce((sum, charge) => sum + charge.milli, 0);
    const lanes = entryOf(
      entryOf(this.#lanes, queue, () => new Map<number, Map<Milli, RunningLane>>()),
      priority,
      () => new Map<Milli, RunningLane>(),
    );
    const lane = entryOf(lanes, milli, () => ({
      milli,
      entries: new SortedList<Entry>((a, b) => compareByLoss(b, a)),
    }));
    const startedAtMs = record.startedAtMs ?? 0;
    const lost = record.losses.reduce((sum, loss) => sum + loss.lost, 0);
    const sinceMs = Math.max(startedAtMs, record.checkpointAtMs ?? 0) - Math.floor((lost * 1000) / Math.max(1, milli));
    const entry: Entry = { record, milli, sinceMs, startedAtMs, lane };
    lane.entries.add(entry);
    this.#entries.set(id, entry);
    if (isElastic(record)) entryOf(this.#elastic, queue, () => new Map<WorkloadId, WorkloadRecord>()).set(id, record);
  }

  #drop({ spec }: WorkloadRecord): void {
    const entry = this.#entries.get(spec.id);
    if (entry === undefined) return;
    this.#entries.delete(spec.id);
    this.#elastic.get(spec.queue)?.delete(spec.id);
    const { lane } = entry;
    lane.entries.delete(entry);
    if (lane.entries.length > 0) return;
    const lanes = this.#lanes.get(spec.queue)?.get(spec.priority);
    lanes?.delete(lane.milli);
    if (lanes?.size === 0) this.#lanes.get(spec.queue)?.delete(spec.priority);
  }
}

/** The least loss first among equals in size; then the newest. The id tells apart what is still equal. */
export function compareByLoss(a: RunningWorkload, b: RunningWorkload): number {
  return (
    b.sinceMs - a.sinceMs ||
    b.startedAtMs - a.startedAtMs ||
    b.record.spec.submittedAtMs - a.record.spec.submittedAtMs ||
    compareText(b.record.spec.name, a.record.spec.name) ||
    compareText(b.record.spec.id, a.record.spec.id)
  );
}

function isStarted({ state }: WorkloadRecord): boolean {
  return state === 'starting' || state === 'running';
}

function mayGiveWay(record: WorkloadRecord): boolean {
  const { spec, inFlight, startedAtMs, cancelRequested } = record;
  return (
    isStarted(record) && spec.preemptible && inFlight === undefined && startedAtMs !== undefined && !cancelRequested
  );
}

function isElastic({ spec }: WorkloadRecord): boolean {
  return spec.podSets.some(({ count, minCount }) => count > Math.max(1, minCount));
}

function entryOf<Key, Value>(values: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const created = create();
  values.set(key, created);
  return created;
}
