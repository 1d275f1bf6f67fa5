import type { Explanation, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { invariant } from '../invariant.js';
import type { WorkloadRecord } from '../queue/index.js';
import { startInterval } from '../backfill/index.js';
import { constraintsOf } from './constraints.js';
import { smallestChange } from './smallest-change.js';

/** Why a workload waits and what would start it, on the live state; nothing of it changes. */
export function explain(state: CoreState, workload: WorkloadId, nowMs: Ms): Explanation {
  const known = state.book.get(workload);
  if (known === undefined) return { kind: 'unknown-workload' };
  const record = asOf(known, nowMs);
  if (record.state !== 'pending' || record.cancelRequested || record.inFlight !== undefined)
    return { kind: 'not-pending' };
  const [binding, ...also] = constraintsOf(state, record, nowMs);
  invariant(binding !== undefined, 'whoever waits has a reason', { workload });
  const { change, searched } = smallestChange(state, record, nowMs);
  const eta = startInterval(state, workload, nowMs);
  const verdict = { kind: 'pending', workload, seq: state.seq, binding, also, change, searched } as const;
  return eta === undefined ? verdict : { ...verdict, eta };
}

/** What the clock has ended already counts no more, though no settle has noticed it yet. */
function asOf(record: WorkloadRecord, nowMs: Ms): WorkloadRecord {
  const { notBeforeMs, pause } = record;
  return {
    ...record,
    notBeforeMs: notBeforeMs !== undefined && notBeforeMs <= nowMs ? undefined : notBeforeMs,
    pause: pause !== undefined && pause.untilMs <= nowMs ? undefined : pause,
  };
}
