import type { SchedulerEvent } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Applied } from './applied.js';

type WorkloadEvent = SchedulerEvent & { readonly kind: 'progress-seen' | 'checkpoint-saved' };

/** What a started workload says of itself: how long it still needs, and until when its work is saved. */
export function observeWorkload(state: CoreState, event: WorkloadEvent): Applied {
  const record = state.book.get(event.workload);
  if (record === undefined) return 'misfit';
  if (record.startedAtMs === undefined) return 'applied';
  if (event.kind === 'progress-seen') {
    // A better estimate than the one it was submitted with.
    state.book.change(record, { progressEndMs: event.atMs + Math.max(0, event.remainingMs) });
  } else if (record.incarnation === event.incarnation && event.savedAtMs > (record.checkpointAtMs ?? 0)) {
    // From here on an eviction costs only what comes after.
    state.book.change(record, { checkpointAtMs: event.savedAtMs });
  }
  return 'applied';
}
