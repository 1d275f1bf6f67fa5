import type { Ms } from '../contract/index.js';
import type { WorkloadRecord } from './workload-record.js';

/** What of a record says how much work is left. */
export type WorkOf = Pick<
  WorkloadRecord,
  'spec' | 'startedAtMs' | 'progressEndMs' | 'checkpointAtMs' | 'workDoneMs' | 'expectedMs'
>;

const OVERTIME_MS_MIN: Ms = 60_000;
const OVERTIME_PARTS = 10;

/** Past its estimate, work is expected to take a tenth of its age more, and at least 60 s. */
export function overtimeMs(ageMs: Ms): Ms {
  return Math.max(OVERTIME_MS_MIN, Math.floor(ageMs / OVERTIME_PARTS));
}

/**
 * How long an incarnation runs by what was told: the shorter of its limit and the work that its estimate leaves after
 * what earlier ones have saved; `Infinity` when neither was told.
 */
export function lengthOf({ spec, workDoneMs, expectedMs }: Omit<WorkOf, 'checkpointAtMs'>): Ms {
  const expected = expectedMs ?? spec.estimateMs;
  const work =
    expected === undefined ? Infinity : workDoneMs === 0 ? expected : left(expected - workDoneMs, workDoneMs);
  return Math.min(work, spec.limitMs ?? Infinity);
}

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
  return ms > 0 ? ms : overtimeMs(done);
}
