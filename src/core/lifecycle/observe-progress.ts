import type { SchedulerEvent } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Applied } from './applied.js';

/** What a started workload says of the time it still needs; a better estimate than the one it was submitted with. */
export function observeProgress(state: CoreState, event: SchedulerEvent & { kind: 'progress-seen' }): Applied {
  const record = state.book.get(event.workload);
  if (record === undefined) return 'misfit';
  if (record.startedAtMs === undefined) return 'applied';
  state.book.change(record, { progressEndMs: event.atMs + Math.max(0, event.remainingMs) });
  return 'applied';
}

/** From here on an eviction costs only what comes after. Of an incarnation that is over it says nothing new. */
export function saveCheckpoint(state: CoreState, event: SchedulerEvent & { kind: 'checkpoint-saved' }): Applied {
  const record = state.book.get(event.workload);
  if (record === undefined) return 'misfit';
  const isCurrent = record.startedAtMs !== undefined && record.incarnation === event.incarnation;
  if (!isCurrent || event.savedAtMs <= (record.checkpointAtMs ?? 0)) return 'applied';
  state.book.change(record, { checkpointAtMs: event.savedAtMs });
  return 'applied';
}
