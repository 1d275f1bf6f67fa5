import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Stay } from '../queue/index.js';
import { compareText } from '../text-order.js';
import { expectedEndMs, teaches } from './run-time-estimates.js';

/** What a workload holds comes free then. */
export interface Release {
  readonly atMs: Ms;
  readonly id: WorkloadId;
}

/**
 * Who holds something and is expected to end, first to last; equals by id. Whose end is decided and not yet answered
 * comes first, at `nowMs`: nothing is late that has come. Where that was refused, it comes when it is said again. All
 * others end after `nowMs`.
 */
export function releaseTimes(state: CoreState, nowMs: Ms): readonly Release[] {
  const ended = endedNow(state, nowMs);
  const expected = expectedReleases(state, nowMs);
  state.work.endsListed += expected.length;
  if (ended.size === 0) return expected;
  const known = [...ended].map(([id, atMs]) => ({ atMs, id })).sort(compareReleases);
  const others = expected.filter(({ id }) => !ended.has(id));
  return merge(known, others);
}

/** The workloads that have finished, as soon as the ledger has it, or as soon as their pods have gone. */
function endedNow({ inFlight, book, pods }: CoreState, nowMs: Ms): ReadonlyMap<WorkloadId, Ms> {
  const ended = new Map<WorkloadId, Ms>();
  for (const set of inFlight.values()) {
    for (const { kind, workload } of set) if (kind === 'finish') ended.set(workload, nowMs);
  }
  for (const { id } of book.started.overdue(nowMs)) {
    const own = pods.ofWorkload(id);
    if (own.length === 0 || own.some(({ end }) => end?.outcome !== 'succeeded')) continue;
    ended.set(id, Math.max(nowMs, book.get(id)?.pause?.untilMs ?? 0));
  }
  return ended;
}

function expectedReleases(state: CoreState, nowMs: Ms): readonly Release[] {
  const { started } = state.book;
  // Only where an end can be expected: mostly nothing is known of thousands.
  const open = started.openQueues().flatMap((queue) => (teaches(state, queue) ? [...started.openOf(queue)] : []));
  const moved = [...started.overdue(nowMs), ...open].flatMap((stay) => releaseOf(state, stay, nowMs));
  const onTime = [...started.endingAfter(nowMs)].flatMap((stay) => releaseOf(state, stay, nowMs));
  return merge(onTime, moved.sort(compareReleases));
}

function releaseOf(state: CoreState, stay: Stay, nowMs: Ms): readonly Release[] {
  const atMs = expectedEndMs(state, stay, nowMs);
  return atMs === undefined ? [] : [{ atMs, id: stay.id }];
}

function compareReleases(a: Release, b: Release): number {
  return a.atMs - b.atMs || compareText(a.id, b.id);
}

/** Two sorted lists as one. */
function merge(first: readonly Release[], second: readonly Release[]): readonly Release[] {
  if (second.length === 0) return first;
  const merged: Release[] = [];
  let at = 0;
  for (const release of first) {
    for (let other = second[at]; other !== undefined && compareReleases(other, release) < 0; other = second[++at]) {
      merged.push(other);
    }
    merged.push(release);
  }
  return [...merged, ...second.slice(at)];
}
