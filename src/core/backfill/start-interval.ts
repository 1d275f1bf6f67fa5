import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { stayOf } from '../queue/index.js';

export interface StartInterval {
  readonly lowMs: Ms;
  readonly likelyMs: Ms;
  readonly highMs: Ms;
}

/**
 * When a planned workload will start, and between which times in 80 of 100 cases: the end that its plan waits for last,
 * as early and as late as a tenth of the queue's finished workloads ended at most against their estimates, of those
 * that ran as long as this one has. Without such experience from `nowMs` to twice the wait. `undefined`: not planned.
 */
export function startInterval(state: CoreState, workload: WorkloadId, nowMs: Ms): StartInterval | undefined {
  const plan = state.plans.get(workload);
  if (plan === undefined) return undefined;
  const likelyMs = Math.max(nowMs, plan.startMs);
  const last = plan.waitsFor.at(-1);
  const record = last === undefined ? undefined : state.book.get(last);
  const stay = record && stayOf(record);
  if (record === undefined || stay?.endMs === undefined)
    return { lowMs: nowMs, likelyMs, highMs: 2 * likelyMs - nowMs };
  const lengthMs = stay.endMs - stay.sinceMs;
  const reached = ((nowMs - stay.sinceMs) * 1000) / Math.max(1, lengthMs);
  const errors = state.history.errorsPermille(record.spec.queue).filter((permille) => permille > reached);
  if (errors.length === 0) return { lowMs: nowMs, likelyMs, highMs: 2 * likelyMs - nowMs };
  const endMs = (share: number): Ms => {
    const permille = errors[Math.min(errors.length - 1, Math.floor((errors.length * share) / 10))] ?? 1000;
    return stay.sinceMs + Math.floor((lengthMs * permille) / 1000);
  };
  const lowMs = Math.min(likelyMs, Math.max(nowMs, endMs(1)));
  return { lowMs, likelyMs, highMs: Math.max(likelyMs, endMs(9)) };
}
