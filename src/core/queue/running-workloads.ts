import type { QueueName, WorkloadId } from '../contract/index.js';
import type { WorkloadRecord } from './workload-record.js';

/** By priority: who of a queue could be a victim, in no particular order. */
type ByPriority = Map<number, Map<WorkloadId, WorkloadRecord>>;

/**
 * Started workloads that may be asked to give way: preemptible, and no set about them is in flight. By queue and
 * priority, so that the choice of victims looks only at those over whom there may be a right.
 */
export class RunningWorkloads {
  readonly #ofQueue = new Map<QueueName, ByPriority>();
  readonly #elastic = new Map<QueueName, Map<WorkloadId, WorkloadRecord>>();
  /** All that are started, preemptible or not. */
  #started = 0;

  get startedCount(): number {
    return this.#started;
  }

  /** `before` and `after` a change of the record; `undefined`: it was not, or is not any more. */
  replace(before: WorkloadRecord | undefined, after: WorkloadRecord | undefined): void {
    if (before !== undefined && isStarted(before)) this.#started--;
    if (after !== undefined && isStarted(after)) this.#started++;
    if (before !== undefined && mayGiveWay(before)) {
      this.#ofQueue.get(before.spec.queue)?.get(before.spec.priority)?.delete(before.spec.id);
      this.#elastic.get(before.spec.queue)?.delete(before.spec.id);
    }
    if (after === undefined || !mayGiveWay(after)) return;
    entryOf(entryOf(this.#ofQueue, after.spec.queue), after.spec.priority).set(after.spec.id, after);
    if (isElastic(after)) entryOf(this.#elastic, after.spec.queue).set(after.spec.id, after);
  }

  /** Lowest first; only priorities that somebody has. */
  prioritiesOf(queue: QueueName): readonly number[] {
    const all = [...(this.#ofQueue.get(queue) ?? [])];
    return all.flatMap(([priority, records]) => (records.size > 0 ? [priority] : [])).sort((a, b) => a - b);
  }

  /** In no particular order. */
  of(queue: QueueName, priority: number): Iterable<WorkloadRecord> {
    return this.#ofQueue.get(queue)?.get(priority)?.values() ?? [];
  }

  /** Those that may hold more than their minimum; in no particular order. */
  elasticOf(queue: QueueName): Iterable<WorkloadRecord> {
    return this.#elastic.get(queue)?.values() ?? [];
  }
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

function entryOf<Key, Inner, Value>(maps: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  const known = maps.get(key);
  if (known !== undefined) return known;
  const created = new Map<Inner, Value>();
  maps.set(key, created);
  return created;
}
