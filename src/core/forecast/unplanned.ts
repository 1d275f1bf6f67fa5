import type { Ms, WorkloadId } from '../contract/index.js';
import { SortedList } from '../sorted-list.js';
import { compareText } from '../text-order.js';

interface Since {
  readonly id: WorkloadId;
  readonly sinceMs: Ms;
}

/** Blocked workloads for which no start can be planned, since when. */
export class Unplanned {
  readonly #sinceOf = new Map<WorkloadId, Since>();
  readonly #longest = new SortedList<Since>((a, b) => a.sinceMs - b.sinceMs || compareText(a.id, b.id));

  has(id: WorkloadId): boolean {
    return this.#sinceOf.has(id);
  }

  sinceOf(id: WorkloadId): Ms | undefined {
    return this.#sinceOf.get(id)?.sinceMs;
  }

  set(id: WorkloadId, sinceMs: Ms): void {
    this.delete(id);
    const since = { id, sinceMs };
    this.#sinceOf.set(id, since);
    this.#longest.add(since);
  }

  delete(id: WorkloadId): void {
    const since = this.#sinceOf.get(id);
    if (since === undefined) return;
    this.#sinceOf.delete(id);
    this.#longest.delete(since);
  }

  /** In no particular order. */
  ids(): Iterable<WorkloadId> {
    return this.#sinceOf.keys();
  }

  /** Those that have waited since then or longer, the longest first; equals by id. */
  since(atMs: Ms): readonly WorkloadId[] {
    return [...this.#longest.while(({ sinceMs }) => sinceMs <= atMs)].map(({ id }) => id);
  }

  /** Since when the next one waits that waits for less long. */
  nextAfter(atMs: Ms): Ms | undefined {
    for (const { sinceMs } of this.#longest.from((one) => one.sinceMs <= atMs)) return sinceMs;
    return undefined;
  }

  /** Sorted by id. */
  records(): readonly (readonly [WorkloadId, Ms])[] {
    const all = [...this.#sinceOf.values()].map(({ id, sinceMs }) => [id, sinceMs] as const);
    return all.sort(([a], [b]) => compareText(a, b));
  }
}
