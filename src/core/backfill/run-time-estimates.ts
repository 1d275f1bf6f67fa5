import type { Ms, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Stay, WorkloadRecord } from '../queue/index.js';
import { lengthOf, overtimeMs } from '../queue/index.js';

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
  while (endMs <= nowMs) endMs += overtimeMs(endMs - sinceMs);
  return endMs;
}

/** How long the next incarnation of one that waits will run. */
export interface Lengths {
  /** As told; `Infinity` when nobody told. By it alone one may go ahead of a plan made earlier. */
  readonly toldMs: Ms;
  /** As told, else as learnt: plans made later may count on it. */
  readonly likelyMs: Ms;
}

export function lengthsOf(state: CoreState, record: WorkloadRecord): Lengths {
  const toldMs = lengthOf(record);
  const { queue } = record.spec;
  const isLearnt = toldMs === Infinity && state.policy.backfill.learn;
  return { toldMs, likelyMs: isLearnt ? (state.history.medianBeyondMs(queue, 0) ?? Infinity) : toldMs };
}
