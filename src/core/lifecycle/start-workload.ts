import type { Because, Charge, DecisionId, Ms, PodRef, Seat } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import { podSize } from '../pod-need.js';
import type { PlacedPod } from '../placement/index.js';
import type { Membership, WorkloadRecord } from '../queue/index.js';
import { FIRST_ROUND, lengthOf } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import {
  addCharges,
  chargeOfPod,
  chargesOf,
  chargesOfParts,
  costOfPod,
  findStart,
  growStart,
  holdingsOfParts,
  startAskOf,
} from '../start/index.js';
import type { DecisionWriter } from './decision-writer.js';
import type { WayBody } from './give-way.js';
import { giveWay } from './give-way.js';

/** A start of this settle that is not said yet: it may still grow. */
export interface StartDraft {
  readonly record: WorkloadRecord;
  readonly parts: readonly StartPart[];
  readonly charges: readonly Charge[];
  readonly borrows: boolean;
}

/** One that is decided. */
export interface DecidedStart extends StartDraft {
  readonly id: DecisionId;
}

export type StartTrial =
  | { readonly kind: 'started'; readonly draft: StartDraft; readonly steps: number }
  | { readonly kind: 'blocked'; readonly steps: number };

/** A start that could be: its seats are taken when it is judged, its quota is not. */
export interface ProposedStart {
  readonly record: WorkloadRecord;
  readonly parts: readonly StartPart[];
  readonly charges: readonly Charge[];
}

/** Where a start is tried, and who has a say in it. */
export interface StartTerms {
  /** Rows to keep away from, besides those that the workload avoids itself. */
  readonly avoid: ReadonlySet<number>;
  /** `false`: all is undone. */
  readonly mayStart: (proposed: ProposedStart) => boolean;
}

/** Starts the minimum of a waiting workload, if it can: seats taken, quota charged, not pending any more. */
export function tryStart(state: CoreState, record: WorkloadRecord, terms: StartTerms): StartTrial {
  const before = state.tx.mark();
  const ask = startAskOf(state, record);
  const found = findStart(state, { ...ask, avoid: new Set([...ask.avoid, ...terms.avoid]) });
  if (found.kind === 'blocked') return { kind: 'blocked', steps: found.steps };
  if (!terms.mayStart({ record, parts: found.parts, charges: chargesOfParts(state, record, found.parts) })) {
    state.tx.rollbackTo(before);
    return { kind: 'blocked', steps: found.steps };
  }
  return { kind: 'started', draft: draftStart(state, record, found.parts), steps: found.steps };
}

/** The start of a waiting workload on these seats: quota is charged, it is not pending any more. */
export function draftStart(state: CoreState, record: WorkloadRecord, parts: readonly StartPart[]): StartDraft {
  const charges = chargesOfParts(state, record, parts);
  const borrows = charges.some((charge) => {
    const fit = state.quota.fits(charge);
    return fit.kind === 'exceeds' || fit.borrows;
  });
  state.charge(charges);
  const incarnation = 1 + Math.max(record.incarnation, ...incarnationsSeen(state, record));
  const started = state.book.change(record, {
    state: 'starting',
    incarnation,
    startedAtMs: state.nowMs,
    evictedAtMs: undefined,
    then: undefined,
    repair: undefined,
    told: undefined,
    charges,
  });
  state.startsOfSettle.set(record.spec.id, holdingsOfParts(parts));
  return { record: started, parts, charges, borrows };
}

/** Of pods that still stand somewhere, also of a life that the record does not know of: their names are taken. */
function incarnationsSeen(state: CoreState, { spec }: WorkloadRecord): readonly number[] {
  return state.pods.ofWorkload(spec.id).map(({ seat }) => seat.pod.incarnation);
}

/** Up to `count` of each elastic pod set, after every waiting minimum of the settle had its turn. */
export function growDraft(state: CoreState, draft: StartDraft): StartDraft {
  const { record } = draft;
  const { avoid } = startAskOf(state, record);
  const withDevices = draft.parts.flatMap(({ pods }) => pods.filter(({ slots }) => slots.length > 0));
  const own = new Set(withDevices.map(({ row }) => row));
  let { charges } = draft;
  const parts = draft.parts.map((part) => {
    const missing = part.podSet.count - part.pods.length;
    const count = Math.min(missing, podsInQuota(state, record, part));
    if (count <= 0) return part;
    const pods = growStart(state, part, { count, avoid, own });
    const more = chargesOf(state, record, { part, pods: pods.length });
    state.charge(more);
    charges = addCharges(charges, more);
    return { ...part, pods: [...part.pods, ...pods] };
  });
  state.startsOfSettle.set(record.spec.id, holdingsOfParts(parts));
  return { ...draft, parts, charges };
}

interface Announcing {
  readonly state: CoreState;
  readonly writer: DecisionWriter;
  readonly nowMs: Ms;
}

/** Says the start, with all that it grew to; it must be up by the deadline of the policy. */
export function announceStart({ state, writer, nowMs }: Announcing, draft: DecidedStart): void {
  const { record, seats } = enterStart(state, draft, { nowMs, waitsFor: [], share: 'taken' });
  const because = { rule: 'fits', facts: factsOf(state, draft) };
  writer.decide(record, [{ ...startBody(record, seats, draft.charges), id: draft.id, waitsFor: [], because }]);
}

/**
 * Says in one set what others give up and the start that it is for. The seats of `parts` are free once they have and
 * those it comes `behind` are gone, and are taken here; each pod waits for those that must go from its node.
 */
export function startInPlaceOf(
  { state, writer, nowMs }: Announcing,
  start: {
    readonly record: WorkloadRecord;
    readonly parts: readonly StartPart[];
    readonly because: Because;
    readonly behind: readonly PodRef[];
  },
  ways: readonly WayBody[],
): void {
  for (const way of ways) giveWay(state, way);
  const draft = draftStart(state, start.record, start.parts);
  const nodes = new Set(start.parts.flatMap(({ pods }) => pods.map(({ row }) => row)));
  const leaving = [...start.behind, ...ways.flatMap(({ pods }) => pods)];
  const waitsFor = leaving.filter((ref) => nodes.has(rowOfPod(state, ref)));
  const { record, seats } = enterStart(state, draft, { nowMs, waitsFor, share: 'to-take' });
  const victims = ways.map(({ workload }) => state.book.get(workload)).filter((victim) => victim !== undefined);
  const because = { rule: start.because.rule, facts: { ...factsOf(state, draft), ...start.because.facts } };
  writer.decideTogether(
    [...victims, record],
    [...ways, { ...startBody(record, seats, draft.charges), waitsFor, because }],
  );
}

function startBody(record: WorkloadRecord, seats: readonly Seat[], charges: readonly Charge[]) {
  const { spec, incarnation, startByMs = 0, startedAtMs = 0 } = record;
  const lengthMs = lengthOf(record);
  const end = lengthMs === Infinity ? {} : { plannedEndMs: startedAtMs + lengthMs };
  return { kind: 'start', workload: spec.id, incarnation, seats, charges, startByMs, ...end } as const;
}

function factsOf(state: CoreState, { record, parts, borrows }: StartDraft): Because['facts'] {
  const level = Math.min(...parts.map(({ region }) => state.fleet.tree.levelOfDomain(region)));
  return {
    policy: state.policy.version,
    queue: record.spec.queue,
    priority: record.spec.priority,
    borrows: borrows ? 'yes' : 'no',
    within: state.fleet.tree.levels[level] ?? 'fleet',
  };
}

interface Entering {
  readonly nowMs: Ms;
  readonly waitsFor: readonly PodRef[];
  readonly share: 'taken' | 'to-take';
}

function enterStart(
  state: CoreState,
  draft: StartDraft,
  entering: Entering,
): { readonly record: WorkloadRecord; readonly seats: readonly Seat[] } {
  const { nowMs, waitsFor, share } = entering;
  const startByMs = nowMs + state.policy.start.deadlineMs;
  const nextIndex = Object.fromEntries(draft.parts.map(({ podSet, pods }) => [podSet.name, pods.length]));
  const membership: Membership = { ...FIRST_ROUND, nextIndex };
  const record = state.book.change(draft.record, { charges: draft.charges, startByMs, membership });
  state.startsOfSettle.delete(record.spec.id);
  const seats: Seat[] = [];
  const leaving = new Map<number, PodRef[]>();
  for (const ref of waitsFor) {
    const row = rowOfPod(state, ref);
    leaving.set(row, [...(leaving.get(row) ?? []), ref]);
  }
  for (const part of draft.parts) {
    for (const [index, placed] of part.pods.entries()) {
      const pod = podOf(state, record, { part, placed, index });
      const before = leaving.get(placed.row);
      state.pods.add(before === undefined ? pod : { ...pod, waitsFor: before }, share);
      seats.push(pod.seat);
    }
  }
  return { record, seats };
}

/** A pod on its seat, with its claim assumed until the set is answered. */
export function podOf(
  state: CoreState,
  record: WorkloadRecord,
  { part, placed, index }: { readonly part: StartPart; readonly placed: PlacedPod; readonly index: number },
): PodRecord {
  const { podSet, flavor } = part;
  const { id: workload } = record.spec;
  const seat: Seat = {
    pod: { workload, incarnation: record.incarnation, podSet: podSet.name, index },
    node: state.fleet.recordOf(placed.row).spec.name,
    slots: placed.slots,
    ...podSize(podSet),
  };
  const charge = chargeOfPod(state, podSet, flavor);
  const { standing } = state.shapes.shapeOf(podSet, flavor);
  const rules = standing === undefined ? {} : { rules: standing };
  return {
    seat,
    ...(charge === undefined ? {} : { charge }),
    ...rules,
    claim: 'assumed',
    occupancy: 'none',
    started: false,
  };
}

function rowOfPod(state: CoreState, ref: PodRef): number {
  const pod = state.pods.find(ref);
  return pod === undefined ? -1 : state.fleet.rowOf(pod.seat.node);
}

/** How many more pods of the part its queue may pay for. */
export function podsInQuota(state: CoreState, record: WorkloadRecord, { podSet, flavor }: StartPart): number {
  if (flavor === undefined) return Infinity;
  const cost = costOfPod(podSet, state.fleet.flavor(flavor));
  const available = state.quota.available(record.spec.queue, flavor);
  return cost === 0 || available === undefined ? Infinity : Math.floor(available / cost);
}
