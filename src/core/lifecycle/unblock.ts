import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { LOSS_MEMORY_MS, mayTakeByOrder } from '../preemption/index.js';
import type { WorkloadRecord } from '../queue/index.js';

/** The node or queue of this name changed: whom it held up may try again. */
export function nameChanged(state: CoreState, name: string): void {
  for (const record of state.book.heldUpBy(name)) {
    const nodes = record.avoid?.nodes.filter((node) => node !== name) ?? [];
    state.book.change(record, {
      pause: record.pause?.at === name ? undefined : record.pause,
      avoid: record.avoid === undefined || nodes.length === 0 ? undefined : { ...record.avoid, nodes },
    });
    state.book.touch(record.spec.id);
  }
}

/**
 * This one may be asked to give way now, or again: no set about it is in flight any more, its pods wait for nobody to
 * leave, or its priority changed. Of its own queue whoever comes first may take from it, whatever flavor it asks for; of
 * others, who asks for what it holds.
 */
export function wakeTakers({ book, policy }: CoreState, id: WorkloadId): void {
  const record = book.get(id);
  if (record?.startedAtMs === undefined) return;
  for (const { flavor } of record.charges) book.groups.wake(flavor);
  book.groups.wakeFrom(record.spec.queue, mayTakeByOrder(policy) ? record.spec.priority : record.spec.priority + 1);
}

/** What the clock ends: backoffs, pauses, grudges against nodes, the rest after a gang shrank; and start deadlines are looked at. */
export function clockMoved(state: CoreState, nowMs: Ms): void {
  const forgottenMs = nowMs - LOSS_MEMORY_MS;
  for (const record of state.book.rememberingSince(forgottenMs)) {
    state.book.change(record, { losses: record.losses.filter(({ atMs }) => atMs > forgottenMs) });
  }
  for (const record of state.book.takeDue(nowMs)) {
    const isOver = (untilMs: Ms | undefined) => untilMs !== undefined && untilMs <= nowMs;
    const change: Partial<WorkloadRecord> = {
      notBeforeMs: isOver(record.notBeforeMs) ? undefined : record.notBeforeMs,
      pause: isOver(record.pause?.untilMs) ? undefined : record.pause,
      avoid: isOver(record.avoid?.untilMs) ? undefined : record.avoid,
      tryAgainAtMs: isOver(record.tryAgainAtMs) ? undefined : record.tryAgainAtMs,
      membership: isOver(record.membership.growNotBeforeMs)
        ? { ...record.membership, growNotBeforeMs: undefined }
        : record.membership,
    };
    if (isOver(record.tryAgainAtMs)) state.book.groups.wakeGroupOf(record.spec.id);
    state.book.change(record, change);
    state.book.touch(record.spec.id);
  }
}
