import type { Ms, QueueName, WorkloadSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { toldLengthMs } from '../queue/index.js';
import type { Stay } from '../queue/index.js';

/** Past its estimate, work is expected to run a tenth of its age longer, and at least this. */
const LONGER_MS_MIN: Ms = 60_000;

/**
 * When what a workload holds is expected to come free, later than `nowMs`. A told end that has passed is put off by a
 * tenth of the age reached then, at least 60 s, as often as needed; so it changes only when it passes, and never with
 * each look. Without a told end: what finished workloads of the queue teach (`backfill.learn`), judged at its start
 * and again whenever the expected end has passed. `undefined`: nobody knows.
 */
export function expectedEndMs(state: CoreState, stay: Stay, nowMs: Ms): Ms | undefined {
  if (stay.endMs !== undefined) return putOff(stay.sinceMs, stay.endMs, nowMs);
  if (!teaches(state, stay.queue)) return undefined;
  let endMs = stay.sinceMs;
  do {
    const runMs = state.history.medianBeyondMs(stay.queue, endMs - stay.sinceMs);
    if (runMs === undefined) return undefined;
    endMs = stay.sinceMs + runMs;
  } while (endMs <= nowMs);
  return endMs;
}

/** Do the finished workloads of the queue tell how long others of it run? */
export function teaches({ policy, history }: CoreState, queue: QueueName): boolean {
  return policy.backfill.learn && history.medianBeyondMs(queue, 0) !== undefined;
}

function putOff(sinceMs: Ms, toldMs: Ms, nowMs: Ms): Ms {
  let endMs = toldMs;
  while (endMs <= nowMs) endMs += Math.max(LONGER_MS_MIN, Math.floor((endMs - sinceMs) / 10));
  return endMs;
}

/** How long a planned workload is expected to hold its place: as told, else as learnt, else for ever (`Infinity`). */
export function plannedLengthMs(state: CoreState, spec: WorkloadSpec): Ms {
  const toldMs = toldLengthMs(spec);
  if (toldMs !== Infinity || !state.policy.backfill.learn) return toldMs;
  return state.history.medianBeyondMs(spec.queue, 0) ?? Infinity;
}
