import type { PodRef, SchedulerEvent } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Applied } from './applied.js';

/**
 * A pod that must go stays for now, e.g. by a disruption budget. Its workload is no victim until it may be asked again;
 * whoever waits for that pod gives its place back whole (see `fateOf`).
 */
export function refuseEviction(state: CoreState, event: SchedulerEvent & { kind: 'eviction-refused' }): Applied {
  const pod = state.pods.find(event.pod);
  if (pod === undefined || pod.occupancy !== 'leaving') return 'misfit';
  state.pods.change(pod, { staysUntilMs: event.retryAtMs });
  const record = state.book.get(event.pod.workload);
  if (record !== undefined) {
    const untilMs = Math.max(record.protectedUntilMs ?? 0, event.retryAtMs);
    state.book.change(record, { protectedUntilMs: untilMs });
  }
  for (const other of state.pods.ofNode(state.fleet.rowOf(pod.seat.node))) {
    if (other.waitsFor?.some((ref) => isSame(ref, event.pod)) === true) state.book.touch(other.seat.pod.workload);
  }
  return 'applied';
}

function isSame(a: PodRef, b: PodRef): boolean {
  return a.workload === b.workload && a.incarnation === b.incarnation && a.podSet === b.podSet && a.index === b.index;
}
