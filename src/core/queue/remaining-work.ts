import type { Ms } from '../contract/index.js';
import type { WorkloadRecord } from './workload-record.js';

/** What of a record says how much work is left. */
export type WorkOf = Pick<
  WorkloadRecord,
  'spec' | 'startedAtMs' | 'progressEndMs' | 'checkpointAtMs' | 'workDoneMs' | 'expectedMs'
>;

/** Past its estimate, work is expected to take a tenth of its age more, and at least so long. */
const OVERTIME_MS_MIN: Ms = 60_000;
const OVERTIME_PARTS = 10;

/**
 * How long it has yet to run. While it waits: what it was expected to take, less what earlier incarnations have saved;
 * the same until it starts, whatever the time is. `undefined` when neither estimate nor limit was told.
 */
export function remainingMs(work: WorkOf, nowMs: Ms): Ms | undefined {
  const age = work.startedAtMs === undefined ? 0 : Math.max(0, nowMs - work.startedAtMs);
  const done = work.workDoneMs + age;
  if (work.progressEndMs !== undefined) return left(work.progressEndMs - nowMs, done);
  const expected = expectedMsOf(work);
  return expected === undefined ? undefined : left(expected - done, done);
}

/**
 * What the end of an incarnation leaves: its run time up to its last checkpoint is done, and what it said last of its
 * progress stands in place of the estimate.
 */
export function workAfterEnd(work: WorkOf, endMs: Ms): Pick<WorkloadRecord, 'workDoneMs' | 'expectedMs'> {
  const { startedAtMs, progressEndMs, workDoneMs, expectedMs } = work;
  if (startedAtMs === undefined) return { workDoneMs, expectedMs };
  const saved = savedRunMs(work, endMs);
  const told = progressEndMs === undefined ? expectedMs : workDoneMs + Math.max(saved, progressEndMs - startedAtMs);
  return { workDoneMs: workDoneMs + saved, expectedMs: told };
}

/** Run time of the present incarnation that would not be lost, ended it then: by what was seen, else by its interval. */
export function savedRunMs({ spec, startedAtMs, checkpointAtMs }: WorkOf, endMs: Ms): Ms {
  if (startedAtMs === undefined) return 0;
  const age = Math.max(0, endMs - startedAtMs);
  if (checkpointAtMs !== undefined) return Math.min(age, Math.max(0, checkpointAtMs - startedAtMs));
  const { checkpointEveryMs } = spec;
  return checkpointEveryMs === undefined || checkpointEveryMs <= 0 ? 0 : age - (age % checkpointEveryMs);
}

/** The earlier of estimate and limit. */
function expectedMsOf({ spec, expectedMs }: WorkOf): Ms | undefined {
  const shortest = Math.min(expectedMs ?? spec.estimateMs ?? Infinity, spec.limitMs ?? Infinity);
  return shortest === Infinity ? undefined : shortest;
}

function left(ms: Ms, done: Ms): Ms {
  return ms > 0 ? ms : Math.max(OVERTIME_MS_MIN, Math.floor(done / OVERTIME_PARTS));
}
