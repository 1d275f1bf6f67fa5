import type { Charge, Ms, Seat } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { costOfPod } from '../core-state.js';
import type { PlacedPod } from '../placement/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import { addCharges, findStart, growStart, startAskOf } from '../start/index.js';
import type { DecisionWriter } from './decision-writer.js';

/** A start of this settle that is not said yet: it may still grow. */
export interface StartDraft {
  readonly record: WorkloadRecord;
  readonly parts: readonly StartPart[];
  readonly charges: readonly Charge[];
  readonly borrows: boolean;
}

export type StartTrial =
  | { readonly kind: 'started'; readonly draft: StartDraft; readonly steps: number }
  | { readonly kind: 'blocked'; readonly steps: number };

/** Starts the minimum of a waiting workload, if it can: seats taken, quota charged, not pending any more. */
export function tryStart(state: CoreState, record: WorkloadRecord): StartTrial {
  const found = findStart(state, startAskOf(state, record));
  if (found.kind === 'blocked') return { kind: 'blocked', steps: found.steps };
  let charges: readonly Charge[] = [];
  for (const part of found.parts)
    charges = addCharges(charges, chargesOf(state, record, { part, pods: part.pods.length }));
  const borrows = charges.some((charge) => {
    const fit = state.quota.fits(charge);
    return fit.kind === 'exceeds' || fit.borrows;
  });
  state.charge(charges);
  const incarnation = 1 + Math.max(record.incarnation, ...incarnationsSeen(state, record));
  const started = state.book.change(record, { state: 'starting', incarnation, told: undefined, charges });
  return { kind: 'started', draft: { record: started, parts: found.parts, charges, borrows }, steps: found.steps };
}

/** Of pods that still stand somewhere, also of a life that the record does not know of: their names are taken. */
function incarnationsSeen(state: CoreState, { spec }: WorkloadRecord): readonly number[] {
  return state.pods.ofWorkload(spec.id).map(({ seat }) => seat.pod.incarnation);
}

/** Up to `count` of each elastic pod set, after every waiting minimum of the settle had its turn. */
export function growDraft(state: CoreState, draft: StartDraft): StartDraft {
  const { record } = draft;
  const { avoid } = startAskOf(state, record);
  let { charges } = draft;
  const parts = draft.parts.map((part) => {
    const missing = part.podSet.count - part.pods.length;
    const count = Math.min(missing, podsInQuota(state, record, part));
    if (count <= 0) return part;
    const pods = growStart(state, part, { count, avoid });
    const more = chargesOf(state, record, { part, pods: pods.length });
    state.charge(more);
    charges = addCharges(charges, more);
    return { ...part, pods: [...part.pods, ...pods] };
  });
  return { ...draft, parts, charges };
}

/** Says the start, with all that it grew to; it must be up by the deadline of the policy. */
export function announceStart(
  { state, writer, nowMs }: { readonly state: CoreState; readonly writer: DecisionWriter; readonly nowMs: Ms },
  draft: StartDraft,
): void {
  const startByMs = nowMs + state.policy.start.deadlineMs;
  const record = state.book.change(draft.record, { charges: draft.charges, startByMs, startedAtMs: nowMs });
  const { id, queue, priority } = record.spec;
  const seats: Seat[] = [];
  for (const part of draft.parts) {
    for (const [index, pod] of part.pods.entries()) seats.push(enterPod(state, record, { part, pod, index }));
  }
  const level = Math.min(...draft.parts.map(({ region }) => state.fleet.tree.levelOfDomain(region)));
  writer.decide(record, [
    {
      kind: 'start',
      workload: id,
      incarnation: record.incarnation,
      seats,
      charges: draft.charges,
      waitsFor: [],
      startByMs,
      because: {
        rule: 'fits',
        facts: {
          policy: state.policy.version,
          queue,
          priority,
          borrows: draft.borrows ? 'yes' : 'no',
          within: state.fleet.tree.levels[level] ?? 'fleet',
        },
      },
    },
  ]);
}

function enterPod(
  state: CoreState,
  record: WorkloadRecord,
  { part, pod, index }: { readonly part: StartPart; readonly pod: PlacedPod; readonly index: number },
): Seat {
  const { podSet, flavor } = part;
  const { id: workload } = record.spec;
  const seat: Seat = {
    pod: { workload, incarnation: record.incarnation, podSet: podSet.name, index },
    node: state.fleet.recordOf(pod.row).spec.name,
    slots: pod.slots,
    cpuMilli: podSet.cpuMilli,
    memoryMib: podSet.memoryMib,
  };
  const milli = flavor === undefined ? 0 : costOfPod(podSet, state.fleet.flavor(flavor));
  const charge = flavor === undefined || milli === 0 ? {} : { charge: { flavor, milli } };
  state.pods.add({ seat, ...charge, claim: 'assumed', occupancy: 'none', started: false }, 'taken');
  return seat;
}

function podsInQuota(state: CoreState, record: WorkloadRecord, { podSet, flavor }: StartPart): number {
  if (flavor === undefined) return Infinity;
  const cost = costOfPod(podSet, state.fleet.flavor(flavor));
  const available = state.quota.available(record.spec.queue, flavor);
  return cost === 0 || available === undefined ? Infinity : Math.floor(available / cost);
}

function chargesOf(
  state: CoreState,
  record: WorkloadRecord,
  { part, pods }: { readonly part: StartPart; readonly pods: number },
): readonly Charge[] {
  if (part.flavor === undefined || pods === 0) return [];
  const milli = pods * costOfPod(part.podSet, state.fleet.flavor(part.flavor));
  return milli === 0 ? [] : [{ queue: record.spec.queue, flavor: part.flavor, milli }];
}
