import type { Ms, QueueName, WorkloadId } from '../contract/index.js';
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
  readonly #ending: Stay[] = [];
  readonly #open = new Map<QueueName, Stay[]>();

  /** First to last; equals by id. */
  get ending(): readonly Stay[] {
    return this.#ending;
  }

  /** The queues that have somebody without a told end, in no particular order. */
  openQueues(): readonly QueueName[] {
    return [...this.#open].flatMap(([queue, stays]) => (stays.length > 0 ? [queue] : []));
  }

  /** Those of the queue without a told end, by start, equals by id. */
  openOf(queue: QueueName): readonly Stay[] {
    return this.#open.get(queue) ?? [];
  }

  change(before: WorkloadRecord | undefined, after: WorkloadRecord | undefined): void {
    const was = before && stayOf(before);
    const is = after && stayOf(after);
    if (was?.sinceMs === is?.sinceMs && was?.endMs === is?.endMs && was?.queue === is?.queue) return;
    if (was !== undefined) {
      const list = this.#listOf(was);
      list.splice(placeOf(list, was), 1);
    }
    if (is !== undefined) {
      const list = this.#listOf(is);
      list.splice(placeOf(list, is), 0, is);
    }
  }

  #listOf({ queue, endMs }: Stay): Stay[] {
    if (endMs !== undefined) return this.#ending;
    const known = this.#open.get(queue);
    if (known !== undefined) return known;
    const created: Stay[] = [];
    this.#open.set(queue, created);
    return created;
  }
}

function placeOf(list: readonly Stay[], stay: Stay): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    if (other !== undefined && compareStays(other, stay) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareStays(a: Stay, b: Stay): number {
  return (a.endMs ?? a.sinceMs) - (b.endMs ?? b.sinceMs) || compareText(a.id, b.id);
}
