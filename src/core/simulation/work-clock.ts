import type { Ms, WorkloadId } from '../contract/index.js';

interface Work {
  /** Running time that no eviction can take any more. */
  keptMs: Ms;
  /** Since when it runs; absent: it does not. */
  sinceMs: Ms | undefined;
  /** Rises with every begin and stop: what was due of a run before lapses. */
  stamp: number;
}

/** How long each workload has worked: running time, of which an eviction takes what no checkpoint holds. */
export class WorkClock {
  readonly #works = new Map<WorkloadId, Work>();

  begin(workload: WorkloadId, nowMs: Ms): void {
    const work = this.#of(workload);
    work.sinceMs = nowMs;
    work.stamp++;
  }

  /** Stops the run, if there is one; without checkpoints all of its work is lost. */
  stop(workload: WorkloadId, { nowMs, checkpointEveryMs }: { nowMs: Ms; checkpointEveryMs: Ms | undefined }): void {
    const work = this.#of(workload);
    if (work.sinceMs === undefined) return;
    const doneMs = work.keptMs + nowMs - work.sinceMs;
    if (checkpointEveryMs !== undefined) work.keptMs = Math.floor(doneMs / checkpointEveryMs) * checkpointEveryMs;
    work.sinceMs = undefined;
    work.stamp++;
  }

  forget(workload: WorkloadId): void {
    this.#works.delete(workload);
  }

  isRunning(workload: WorkloadId, stamp?: number): boolean {
    const work = this.#works.get(workload);
    return work?.sinceMs !== undefined && (stamp === undefined || work.stamp === stamp);
  }

  stampOf(workload: WorkloadId): number {
    return this.#of(workload).stamp;
  }

  /** When the run will have done so much in all. */
  doneAtMs(workload: WorkloadId, runtimeMs: Ms): Ms | undefined {
    const { sinceMs, keptMs } = this.#of(workload);
    return sinceMs === undefined ? undefined : sinceMs + Math.max(0, runtimeMs - keptMs);
  }

  /** When the run reaches the next multiple of `everyMs` of work after `nowMs`. */
  nextCheckpointMs(workload: WorkloadId, everyMs: Ms, nowMs: Ms): Ms | undefined {
    const { sinceMs, keptMs } = this.#of(workload);
    if (sinceMs === undefined) return undefined;
    const doneMs = keptMs + nowMs - sinceMs;
    return nowMs + everyMs - (doneMs % everyMs);
  }

  #of(workload: WorkloadId): Work {
    const known = this.#works.get(workload);
    if (known !== undefined) return known;
    const created: Work = { keptMs: 0, sinceMs: undefined, stamp: 0 };
    this.#works.set(workload, created);
    return created;
  }
}
