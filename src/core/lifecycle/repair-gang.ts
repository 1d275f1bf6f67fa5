import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import type { Repair, WorkloadRecord } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import { avoidedRows, chargesOfParts, findStart, findStartNear, startAskOf } from '../start/index.js';
import { isSilent, refsOf } from './pod-counts.js';
import type { Preempting, Preemption } from './preempt.js';
import type { ProposedStart } from './start-workload.js';
import { startInPlaceOf } from './start-workload.js';

export interface RepairTerms {
  /** Rows kept for those who come first: it takes no new seats there. */
  readonly kept: readonly number[];
  /** Rows that others count on: new seats keep away from them as long as there are more. */
  readonly spare: readonly number[];
  /** Who could take its place back at once, if anybody could. */
  readonly whoFirst: (proposed: ProposedStart) => WorkloadRecord | undefined;
}

export type RepairTrial = Preemption | { readonly kind: 'yields'; readonly to: WorkloadRecord; readonly steps: number };

/** What must be remembered of an incarnation that ends, to start the workload anew. */
export function repairOf(state: CoreState, { spec }: WorkloadRecord, pods: readonly PodRecord[]): Repair {
  const survivors = pods.filter((pod) => pod.end === undefined && !isSilent(state, pod));
  return { seats: survivors.map(({ seat }) => seat), behind: awaitedOf(spec.id, pods) };
}

/** Its place broke while victims were still leaving it: to evict others at once would only repeat that. */
export function evictsAgainMs(state: CoreState, nowMs: Ms): Ms {
  return nowMs + state.policy.preemption.minRuntimeMs;
}

/** Its end is in the ledger, and nothing else keeps it from starting. */
export function mayBeRepaired(record: WorkloadRecord): boolean {
  const { state, then, spec, cancelRequested, inFlight, pause, notBeforeMs } = record;
  const isOver = state === 'pending' || (state === 'evicting' && then === 'requeue');
  const isHeld = spec.hold || cancelRequested || pause !== undefined || notBeforeMs !== undefined;
  return isOver && !isHeld && inFlight === undefined;
}

/**
 * Starts a workload anew whose incarnation has ended: where it stood as far as it can, in the place of its own pods and
 * of those that they waited for, which may still be leaving; else anywhere. The minimum, said at once. No plan keeps it
 * from seats that it has held: they are late, and not new.
 */
export function tryRepair(repairing: Preempting, record: WorkloadRecord, terms: RepairTerms): RepairTrial {
  const { state } = repairing;
  const behind = leavingBefore(state, record);
  const before = state.tx.mark();
  for (const share of state.pods.shareOf(behind)) state.tx.give(share);
  const { parts, steps } = findPlace(state, record, terms);
  const first = parts && terms.whoFirst({ record, parts, charges: chargesOfParts(state, record, parts) });
  state.tx.rollbackTo(before);
  if (first !== undefined) return { kind: 'yields', to: first, steps };
  if (parts === undefined) return { kind: 'blocked', retryAtMs: undefined, steps };
  const because = { rule: 'repaired', facts: { kept: keptSeats(state, record, parts) } };
  startInPlaceOf(repairing, { record, parts, because, behind: refsOf(behind) }, []);
  return { kind: 'preempted', steps };
}

/** It was tried, and is as everybody again. One whose place broke evicts nobody more for a while. */
export function endRepair(state: CoreState, nowMs: Ms, tried: WorkloadRecord): void {
  const record = state.book.get(tried.spec.id);
  if (record === undefined) return;
  const isBroken = tried.repair !== undefined && tried.repair.behind.length > 0;
  const evictsFromMs = isBroken ? evictsAgainMs(state, nowMs) : record.evictsFromMs;
  state.book.change(record, { repair: undefined, evictsFromMs });
  // It is told by which plan it is held back when its turn comes.
  state.plans.heldBack.delete(tried.spec.id);
}

/** Where gangs that are to be repaired have stood. */
export function formerRows({ fleet }: CoreState, records: readonly WorkloadRecord[]): readonly number[] {
  const nodes = records.flatMap(({ repair }) => repair?.seats.map(({ node }) => node) ?? []);
  return [...new Set(nodes)].filter((node) => fleet.has(node)).map((node) => fleet.rowOf(node));
}

/** Pods of others that these wait for. */
function awaitedOf(id: string, pods: readonly PodRecord[]): Repair['behind'] {
  return pods.flatMap(({ waitsFor = [] }) => waitsFor).filter(({ workload }) => workload !== id);
}

/** In whose place it may stand: they have no claim any more and are going; one that must stay for now is not. */
export function leavingBefore(state: CoreState, { spec, repair }: WorkloadRecord): readonly PodRecord[] {
  const others = repair?.behind.map((ref) => state.pods.find(ref)).filter((pod) => pod !== undefined) ?? [];
  const pods = new Set([...state.pods.ofWorkload(spec.id), ...others]);
  return [...pods].filter(({ claim, staysUntilMs }) => claim === 'none' && staysUntilMs === undefined);
}

/** Takes the seats that it finds. */
function findPlace(
  state: CoreState,
  record: WorkloadRecord,
  { kept, spare }: Pick<RepairTerms, 'kept' | 'spare'>,
): { readonly parts: readonly StartPart[] | undefined; readonly steps: number } {
  const own = startAskOf(state, record);
  const ask = kept.length === 0 ? own : { ...own, avoid: new Set([...own.avoid, ...kept]) };
  const former = { seats: record.repair?.seats ?? [], avoid: new Set(avoidedRows(state, record)) };
  const spared = new Set([...ask.avoid, ...spare]);
  let steps = 0;
  for (const avoid of spared.size > ask.avoid.size ? [spared, ask.avoid] : [ask.avoid]) {
    steps++;
    const parts = findStartNear(state, { ...ask, avoid }, former);
    if (parts !== undefined) return { parts, steps };
  }
  const found = findStart(state, ask);
  return { parts: found.kind === 'found' ? found.parts : undefined, steps: steps + found.steps };
}

/** On how many of its former seats, node by node, it stands again. */
function keptSeats(state: CoreState, { repair }: WorkloadRecord, parts: readonly StartPart[]): number {
  const left = (repair?.seats ?? []).map(({ pod, node }) => `${pod.podSet}/${node}`);
  const before = left.length;
  for (const { podSet, pods } of parts) {
    for (const { row } of pods) {
      const at = left.indexOf(`${podSet.name}/${state.fleet.recordOf(row).spec.name}`);
      if (at >= 0) left.splice(at, 1);
    }
  }
  return before - left.length;
}
