import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { stayOf } from '../queue/index.js';
import { expectedEndMs } from './run-time-estimates.js';
import { patienceEndMs } from './standing-hold.js';

/** Whose planned start has come, in the order in which the plans were made. */
export function duePlans({ plans }: CoreState, nowMs: Ms): readonly WorkloadId[] {
  return plans.all.filter(({ startMs }) => startMs <= nowMs).map(({ workload }) => workload);
}

/**
 * The next time at which a plan falls due, somebody without one loses patience, or an end that a plan waits for has not
 * come as expected.
 */
export function plansDueMs(state: CoreState, nowMs: Ms): Ms | undefined {
  let dueMs = patienceEndMs(state, nowMs) ?? Infinity;
  for (const { startMs, waitsFor } of state.plans.all) {
    if (startMs > nowMs) dueMs = Math.min(dueMs, startMs);
    for (const id of waitsFor) {
      const record = state.book.get(id);
      const stay = record && stayOf(record);
      const endMs = stay && expectedEndMs(state, stay, nowMs);
      if (endMs !== undefined) dueMs = Math.min(dueMs, endMs);
    }
  }
  return dueMs === Infinity ? undefined : dueMs;
}
