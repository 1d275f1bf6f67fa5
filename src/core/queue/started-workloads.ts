import type { Ms, QueueName, WorkloadId } from '../contract/index.js';
import { SortedList } from '../sorted-list.js';
import { compareText } from '../text-order.js';
import { lengthOf } from './remaining-work.js';
import type { WorkloadRecord } from './workload-record.js';

/** A workload that holds something; `endMs` as it was told, `undefined` when nothing was. */
export interface Stay {
  readonly id: WorkloadId;
  readonly queue: QueueName;
  readonly sinceMs: Ms;
  readonly endMs: Ms | undefined;
}

/** How long pods that were told to stop are expected to take. */
const LEAVING_MS: Ms = 60_000;

/**
 * Since when it holds what it holds, and until when by what is told of it: the earlier of start + limit and start +
 * what is left of the estimate; what it says of its progress stands in place of its estimate. `undefined`: it holds nothing.
 */
export function stayOf(record: WorkloadRecord): Stay | undefined {
  const { spec, state, startedAtMs, evictedAtMs, progressEndMs } = record;
  const { id, queue, limitMs } = spec;
  if (state === 'evicting') {
    return evictedAtMs === undefined ? undefined : { id, queue, sinceMs: evictedAtMs, endMs: evictedAtMs + LEAVING_MS };
  }
  if (startedAtMs === undefined) return undefined;
  const estimated = progressEndMs ?? startedAtMs + lengthOf(record);
  const endMs = Math.min(estimated, startedAtMs + (limitMs ?? Infinity));
  return { id, queue, sinceMs: startedAtMs, endMs: endMs === Infinity ? undefined : endMs };
}

/** All workloads that hold something, by their ends as told; those of which none is told, by their starts. */
export class StartedWorkloads {
  readonly #ending = new SortedList(compareStays);
  readonly #open = new Map<QueueName, SortedList<Stay>>();

  /** Those with a told end, first to last; equals by id. */
  ending(): Iterable<Stay> {
    return this.#ending;
  }

  /** Those of `ending` whose end has come and who are still there. */
  overdue(nowMs: Ms): Iterable<Stay> {
    return this.#ending.while(({ endMs }) => endMs !== undefined && endMs <= nowMs);
  }

  /** Those of `ending` whose end is to come. */
  endingAfter(nowMs: Ms): Iterable<Stay> {
    return this.#ending.from(({ endMs }) => endMs !== undefined && endMs <= nowMs);
  }

  /** The queues that have somebody without a told end, in no particular order. */
  openQueues(): readonly QueueName[] {
    return [...this.#open].flatMap(([queue, stays]) => (stays.length > 0 ? [queue] : []));
  }

  /** Those of the queue without a told end, by start, equals by id. */
  openOf(queue: QueueName): Iterable<Stay> {
    return this.#open.get(queue) ?? [];
  }

  change(before: WorkloadRecord | undefined, after: WorkloadRecord | undefined): void {
    const was = before && stayOf(before);
    const is = after && stayOf(after);
    if (was?.sinceMs === is?.sinceMs && was?.endMs === is?.endMs && was?.queue === is?.queue) return;
    if (was !== undefined) this.#listOf(was).delete(was);
    if (is !== undefined) this.#listOf(is).add(is);
  }

  #listOf({ queue, endMs }: Stay): SortedList<Stay> {
    if (endMs !== undefined) return this.#ending;
    const known = this.#open.get(queue);
    if (known !== undefined) return known;
    const created = new SortedList(compareStays);
    this.#open.set(queue, created);
    return created;
  }
}

function compareStays(a: Stay, b: Stay): number {
  return (a.endMs ?? a.sinceMs) - (b.endMs ?? b.sinceMs) || compareText(a.id, b.id);
}
