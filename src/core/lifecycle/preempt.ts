import type { Charge, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { Fallen, VictimSearch } from '../preemption/index.js';
import { brakedUntilMs, countEvictions, findVictims } from '../preemption/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { addCharges } from '../start/index.js';
import type { DecisionWriter } from './decision-writer.js';
import type { WayBody } from './give-way.js';
import { afterEviction } from './incarnation-end.js';
import { refsOf } from './pod-counts.js';
import { startInPlaceOf } from './start-workload.js';

export interface Preempting {
  readonly state: CoreState;
  readonly writer: DecisionWriter;
  readonly nowMs: Ms;
}

export type Preemption = { readonly steps: number } & (
  | { readonly kind: 'preempted' }
  /** Nothing was changed; with a time at which it may go otherwise though nothing happens. */
  | { readonly kind: 'blocked'; readonly retryAtMs: Ms | undefined }
);

/** Where a start in the place of others is tried, and who has a say in it. */
export interface PreemptTerms {
  /** Rows to keep away from, besides those that the workload avoids itself. */
  readonly avoid: ReadonlySet<number>;
  /** Pods that are leaving already, in whose place it may stand too. */
  readonly behind: readonly PodRecord[];
  /** Nothing is changed when it is judged, but that those are gone. `false`: nobody falls. */
  readonly mayStart: (found: FoundVictims) => boolean;
}

type FoundVictims = VictimSearch & { readonly kind: 'found' };

/** Starts a waiting workload in the place of others, if it has the right to and fits then: one set, said at once. */
export function tryPreempt(
  { state, writer, nowMs }: Preempting,
  record: WorkloadRecord,
  { avoid, behind, mayStart }: PreemptTerms,
): Preemption {
  const before = state.tx.mark();
  for (const share of state.pods.shareOf(behind)) state.tx.give(share);
  const found = findWays({ state, nowMs }, record, { avoid, mayStart });
  state.tx.rollbackTo(before);
  if (found.kind === 'blocked') return found;
  const { search, ways, evictions } = found;
  const { steps } = search;
  countEvictions(state, evictions, nowMs);
  const [first] = search.victims;
  const facts = { victims: ways.length, ...(first?.right.facts ?? {}) };
  const because = { rule: first?.right.reason ?? 'fits', facts };
  const waiting = state.book.change(record, { tryAgainAtMs: undefined });
  const start = { record: waiting, parts: search.parts, because, behind: refsOf(behind) };
  startInPlaceOf({ state, writer, nowMs }, start, ways);
  return { kind: 'preempted', steps };
}

/** What others would give up, and how many of them all that they have. */
function findWays(
  { state, nowMs }: Omit<Preempting, 'writer'>,
  record: WorkloadRecord,
  { avoid, mayStart }: Omit<PreemptTerms, 'behind'>,
):
  | { kind: 'found'; search: FoundVictims; ways: readonly WayBody[]; evictions: number }
  | (Preemption & { kind: 'blocked' }) {
  const fromMs = record.evictsFromMs ?? 0;
  if (fromMs > nowMs) return { kind: 'blocked', retryAtMs: fromMs, steps: 1 };
  const search = findVictims(state, record, { nowMs, avoid });
  const { steps, retryAtMs } = search;
  if (search.kind === 'none') return { kind: 'blocked', retryAtMs, steps };
  const ways = waysOf(record.spec.id, search);
  const evictions = ways.filter(({ kind }) => kind === 'evict').length;
  const braked = brakedUntilMs(state, evictions, nowMs);
  if (braked !== undefined) return { kind: 'blocked', retryAtMs: braked, steps };
  return mayStart(search) ? { kind: 'found', search, ways, evictions } : { kind: 'blocked', retryAtMs, steps };
}

/** One decision for each workload that gives something up, in the order in which they fall. */
function waysOf(by: WorkloadId, { victims }: FoundVictims): readonly WayBody[] {
  const ofVictim = new Map<WorkloadId, Fallen[]>();
  for (const fallen of victims) {
    const { id } = fallen.unit.record.spec;
    ofVictim.set(id, [...(ofVictim.get(id) ?? []), fallen]);
  }
  return [...ofVictim.values()].map((parts) => wayOf(by, parts)).filter((way) => way !== undefined);
}

function wayOf(by: WorkloadId, parts: readonly Fallen[]): WayBody | undefined {
  const last = parts[parts.length - 1];
  if (last === undefined) return undefined;
  const { record, kind } = last.unit;
  const { reason, facts } = last.right;
  const pods = parts.flatMap(({ unit }) => unit.pods.map(({ seat }) => seat.pod));
  const body = {
    workload: record.spec.id,
    incarnation: record.incarnation,
    pods,
    charges: parts.reduce<readonly Charge[]>((sum, { unit }) => addCharges(sum, unit.charges), []),
    for: by,
    because: { rule: reason, facts: { ...facts, for: by } },
  };
  if (kind === 'surplus') return { ...body, kind: 'shrink' };
  const { retries } = record;
  const then = afterEviction(
    record,
    parts.flatMap(({ unit }) => unit.pods),
  );
  return { ...body, kind: 'evict', reason, then, retries, workLostMilliDeviceSeconds: last.unit.workLost };
}
