import type { Ms, QueueName } from '../contract/index.js';
import { compareText } from '../text-order.js';

/** The last finished workloads of a queue, oldest first. */
export interface RunHistoryRecord {
  readonly queue: QueueName;
  /** How long they ran, in ms. */
  readonly runsMs: readonly Ms[];
  /** How long they ran, in thousandths of their estimates; of those that had one. */
  readonly ofEstimatePermille: readonly number[];
}

interface Runs {
  readonly runsMs: number[];
  readonly ofEstimatePermille: number[];
  sortedRuns: readonly number[] | undefined;
}

/** Kept for each queue: enough for a tenth at either end to be twenty. */
const KEPT = 200;
/** Fewer say nothing. */
const RUNS_MIN = 20;
/** A run this many times as long as its estimate is as wrong as an estimate can be. */
const PERMILLE_MAX = 1_000_000;

/** What finished workloads teach about those that run. Only successful runs are in it: others were cut short. */
export class RunHistory {
  readonly #runs = new Map<QueueName, Runs>();
  #version = 0;

  /** Rises with every change. */
  get version(): number {
    return this.#version;
  }

  add(queue: QueueName, { runMs, estimateMs }: { readonly runMs: Ms; readonly estimateMs: Ms | undefined }): void {
    const runs = this.#of(queue);
    push(runs.runsMs, runMs);
    if (estimateMs !== undefined && estimateMs > 0) {
      push(runs.ofEstimatePermille, Math.min(PERMILLE_MAX, Math.floor((runMs * 1000) / estimateMs)));
    }
    runs.sortedRuns = undefined;
    this.#version++;
  }

  forget(queue: QueueName): void {
    if (this.#runs.delete(queue)) this.#version++;
  }

  /** The median run time of those of the queue's that ran longer than `ageMs`; with fewer than 20 runs in all, none. */
  medianBeyondMs(queue: QueueName, ageMs: Ms): Ms | undefined {
    const runs = this.#runs.get(queue);
    if (runs === undefined || runs.runsMs.length < RUNS_MIN) return undefined;
    runs.sortedRuns ??= [...runs.runsMs].sort((a, b) => a - b);
    const from = runs.sortedRuns.findIndex((run) => run > ageMs);
    return from < 0 ? undefined : runs.sortedRuns[(from + runs.sortedRuns.length - 1) >> 1];
  }

  /** Run times in thousandths of their estimates, sorted; of all queues while its own are too few. */
  errorsPermille(queue: QueueName): readonly number[] {
    const own = this.#runs.get(queue)?.ofEstimatePermille ?? [];
    const known = own.length >= RUNS_MIN ? own : [...this.#runs.values()].flatMap((runs) => runs.ofEstimatePermille);
    return known.length < RUNS_MIN ? [] : [...known].sort((a, b) => a - b);
  }

  records(): readonly RunHistoryRecord[] {
    return [...this.#runs]
      .map(([queue, { runsMs, ofEstimatePermille }]) => ({
        queue,
        runsMs: [...runsMs],
        ofEstimatePermille: [...ofEstimatePermille],
      }))
      .sort((a, b) => compareText(a.queue, b.queue));
  }

  restore(records: readonly RunHistoryRecord[]): void {
    for (const { queue, runsMs, ofEstimatePermille } of records) {
      const runs = { runsMs: [...runsMs], ofEstimatePermille: [...ofEstimatePermille], sortedRuns: undefined };
      this.#runs.set(queue, runs);
    }
  }

  #of(queue: QueueName): Runs {
    const known = this.#runs.get(queue);
    if (known !== undefined) return known;
    const created: Runs = { runsMs: [], ofEstimatePermille: [], sortedRuns: undefined };
    this.#runs.set(queue, created);
    return created;
  }
}

function push(list: number[], value: number): void {
  list.push(value);
  if (list.length > KEPT) list.shift();
}
