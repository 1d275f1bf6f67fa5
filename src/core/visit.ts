import type { Ms, WorkloadId } from './contract/index.js';
import { duePlans, keepHolds, keepPlans, planBlocked, planNext, planStarted } from './backfill/index.js';
import type { CoreState } from './core-state.js';
import type { DecidedStart, DecisionWriter, StartDraft } from './lifecycle/index.js';
import { endRepair, leavingBefore, mayBeRepaired, tryRepair } from './lifecycle/index.js';
import type { Candidate, QueueTournament, WorkloadRecord } from './queue/index.js';
import { compareByOrder, isWaiting, orderKeyOf } from './queue/index.js';
import { chargesOfParts, findStart, startAskOf, tournamentOf } from './start/index.js';
import { invariant } from './invariant.js';
import { preemptAhead } from './preempt-ahead.js';
import { breaksPlanOfItsQueue, isLeftTo, keptFrom, RepairRound } from './repair-round.js';
import type { WhoFirst } from './start-ahead.js';
import { startAhead } from './start-ahead.js';
import { whoTakesBack } from './take-back.js';

/** What every step of a visit may use. */
export interface Visiting {
  readonly state: CoreState;
  readonly writer: DecisionWriter;
  readonly nowMs: Ms;
}

/**
 * What a step did for a candidate. `started`: its seats are taken and its charges made, it is not pending any more.
 * `preempted`: the same in the place of others, and said already, for what may still grow evicts nobody.
 * `yields`: nothing was done, another goes first. `planned`: it goes on waiting, and something is kept for it; no
 * further step is tried. `blocked`: nothing was done and everything tried is rolled back; the next step is tried.
 * `steps`: what it cost of the settle's budget.
 */
export type StepResult =
  | { readonly kind: 'started'; readonly draft: StartDraft; readonly steps: number }
  | { readonly kind: 'preempted'; readonly steps: number }
  | { readonly kind: 'yields'; readonly to: WorkloadRecord; readonly steps: number }
  | { readonly kind: 'planned'; readonly steps: number }
  | { readonly kind: 'blocked'; readonly steps: number };

interface Trying extends Visiting {
  /** They go first no more: it was tried. */
  readonly passedOver: ReadonlySet<WorkloadId>;
  readonly inRepair: RepairRound;
}

type VisitStep = (visiting: Trying, record: WorkloadRecord) => StepResult;

/** What is tried for a candidate, first to last, until one works. */
const STEPS: readonly VisitStep[] = [startOnFreeCapacity, startWithEvictions, planStart];
/** For one who goes before its turn: nothing is kept for it yet. */
const STEPS_BEFORE_TURN: readonly VisitStep[] = [startOnFreeCapacity, startWithEvictions];
/** For one whose incarnation has ended, before anything new starts. */
const STEPS_OF_REPAIR: readonly VisitStep[] = [startAnew, startAnewWithEvictions];

export interface Visits {
  readonly drafts: readonly DecidedStart[];
  /** Heads of the groups that were found blocked. */
  readonly blocked: readonly WorkloadId[];
  /** `repair`: the end of a gang that goes first is not answered yet. Who was not visited stays active. */
  readonly until: 'all-visited' | 'budget' | 'repair';
}

/** A visit so far. */
interface Progress {
  readonly drafts: DecidedStart[];
  readonly blocked: WorkloadId[];
  /** Who could take back what another would get, and could not start before its turn. */
  readonly passedOver: Set<WorkloadId>;
  readonly inRepair: RepairRound;
  spent: number;
}

/** Moves of plans are followed so often in one settle: after that who is held back waits for the next move. */
const ROUNDS_MAX = 8;

/**
 * Visits the waiting whose turn it may be, one after the other: gangs that are to be repaired, before anything new
 * starts; whose planned start has come; then the next candidate of the order. For each the first step that works, else
 * its group is parked until something comes free that could help it. After a start the next candidate is chosen anew,
 * for the start has changed who comes first. Who waits because of a plan is visited again when a plan has moved or
 * ended.
 */
export function visitWaiting(visiting: Visiting): Visits {
  const { state, nowMs } = visiting;
  const { plans } = state;
  const inRepair = new RepairRound(state, state.book.inRepair());
  const progress: Progress = { drafts: [], blocked: [], passedOver: new Set(), inRepair, spent: 0 };
  keepHolds(state, nowMs);
  for (const queue of keepPlans(state, nowMs)) planNext(state, nowMs, queue);
  const repaired = visitInRepair(visiting, progress);
  if (repaired !== 'all-visited') return { ...progress, until: repaired };
  for (const id of duePlans(state, nowMs)) visitDue(visiting, progress, id);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const isAnyWoken = wakeHeldBack(state, plans.takeMoved());
    if (round > 0 && !isAnyWoken) break;
    if (isAnyWoken) progress.passedOver.clear();
    if (!visitCandidates(visiting, progress)) return { ...progress, until: 'budget' };
  }
  return { ...progress, until: 'all-visited' };
}

/**
 * Each is tried once, in the settle in which its end has become true: what cannot be repaired then is given back whole
 * and waits at its old place in the order.
 */
function visitInRepair(visiting: Visiting, progress: Progress): Visits['until'] {
  const { state, nowMs } = visiting;
  const inOrder = state.book
    .inRepair()
    .map((record) => orderKeyOf(state.policy.order, record, nowMs))
    .sort(compareByOrder);
  for (const { id } of inOrder) {
    if (progress.spent >= state.policy.settle.steps) return 'budget';
    visitRepaired(visiting, progress, id);
  }
  const left = state.book.inRepair();
  if (left.length === 0) return 'all-visited';
  return left.every(({ inFlight }) => inFlight !== undefined) ? 'repair' : 'budget';
}

/** `true`: it is repaired. Not if one who could take its place back is to have that. */
function visitRepaired(visiting: Visiting, progress: Progress, id: WorkloadId): boolean {
  const { state, nowMs } = visiting;
  for (;;) {
    const record = state.book.get(id);
    if (record?.repair === undefined || record.inFlight !== undefined) return false;
    state.work.visits++;
    const result =
      mayBeRepaired(record) && !breaksPlanOfItsQueue(state, record)
        ? tryInOrder(visiting, { progress, steps: STEPS_OF_REPAIR }, record)
        : ({ kind: 'blocked', steps: 0 } as const);
    if (result.kind === 'yields') {
      if (goFirst(visiting, progress, result.to)) continue;
      if (progress.spent >= state.policy.settle.steps) return false;
      if (!isLeftTo(state, nowMs, { gang: record, id: result.to.spec.id })) continue;
    }
    progress.inRepair.done(record);
    const isStarted = noteStart(visiting, progress, { record, result });
    endRepair(state, nowMs, record);
    return isStarted;
  }
}

/** `false`: the budget is used up. */
function visitCandidates(visiting: Visiting, progress: Progress): boolean {
  const { state } = visiting;
  const tournament = tournamentOf(state);
  for (let next = tournament.next(); next !== undefined; next = tournament.next()) {
    if (progress.spent >= state.policy.settle.steps) return false;
    const record = state.book.get(next.head.id);
    invariant(record !== undefined, 'who waits is in the book', { id: next.head.id });
    if (!isItsTurn(visiting, tournament, { next, record })) {
      progress.spent++;
      continue;
    }
    const kind = visit(visiting, progress, record);
    if (kind === 'planned' || kind === 'blocked') state.book.groups.park(record.spec.id);
    else tournament.joinWoken();
  }
  return true;
}

function visitDue(visiting: Visiting, progress: Progress, id: WorkloadId): void {
  const { state } = visiting;
  for (;;) {
    const record = state.book.get(id);
    if (record === undefined || !isWaiting(record)) return;
    if (visit(visiting, progress, record) !== 'yields' || progress.spent >= state.policy.settle.steps) return;
  }
}

/** `yields`: another has started in its stead, or the budget is used up; it is to be visited again. */
function visit(visiting: Visiting, progress: Progress, record: WorkloadRecord): StepResult['kind'] {
  const { state } = visiting;
  state.work.visits++;
  for (;;) {
    const result = tryInOrder(visiting, { progress, steps: STEPS }, record);
    if (result.kind === 'yields') {
      if (goFirst(visiting, progress, result.to) || progress.spent >= state.policy.settle.steps) return 'yields';
      continue;
    }
    if (!noteStart(visiting, progress, { record, result })) progress.blocked.push(record.spec.id);
    return result.kind;
  }
}

/**
 * One who could take back what another would get is tried before it, though its turn is later; and before it whoever
 * could take that back. Each goes to a smaller share, or from a borrower to an owner, or to a higher priority. `false`:
 * nobody has started, and it is passed over from now on.
 */
function goFirst(visiting: Visiting, progress: Progress, record: WorkloadRecord): boolean {
  const { state } = visiting;
  const { id } = record.spec;
  state.work.visits++;
  progress.passedOver.add(id);
  if (record.repair !== undefined) return visitRepaired(visiting, progress, id);
  for (;;) {
    const result = tryInOrder(visiting, { progress, steps: STEPS_BEFORE_TURN }, record);
    const isOther = result.kind === 'yields' && goFirst(visiting, progress, result.to);
    if (isOther) progress.passedOver.delete(id);
    if (isOther || noteStart(visiting, progress, { record, result })) return true;
    if (result.kind !== 'yields' || progress.spent >= state.policy.settle.steps) return false;
  }
}

/** `false`: it has not started. */
function noteStart(
  { state, writer, nowMs }: Visiting,
  progress: Progress,
  { record, result }: { readonly record: WorkloadRecord; readonly result: StepResult },
): boolean {
  if (result.kind !== 'started' && result.kind !== 'preempted') return false;
  if (result.kind === 'started') progress.drafts.push({ ...result.draft, id: writer.nextId() });
  // What its victims leave over is free for who could do nothing before.
  else progress.passedOver.clear();
  planStarted(state, nowMs, { record, how: result.kind });
  return true;
}

/** Wakes who waits because of a plan, when one moved that is not its own. */
function wakeHeldBack({ plans, book }: CoreState, moved: ReadonlySet<WorkloadId>): boolean {
  const woken = [...plans.heldBack.keys()].filter((id) => moved.size > (moved.has(id) ? 1 : 0));
  for (const id of woken) {
    book.groups.wakeGroupOf(id);
    book.groups.growing.wakeOne(id);
    plans.heldBack.delete(id);
  }
  return woken.length > 0;
}

/**
 * One that may choose among flavors came first by the best of them. By the one that it would get now it may come later:
 * then it competes again by that.
 */
function isItsTurn(
  { state }: Visiting,
  tournament: QueueTournament,
  { next, record }: { readonly next: Candidate; readonly record: WorkloadRecord },
): boolean {
  if (next.choices < 2) return true;
  const before = state.tx.mark();
  const found = findStart(state, startAskOf(state, record));
  state.tx.rollbackTo(before);
  return found.kind === 'blocked' || tournament.isFirstWith(chargesOfParts(state, record, found.parts));
}

function tryInOrder(
  visiting: Visiting,
  { progress, steps }: { readonly progress: Progress; readonly steps: readonly VisitStep[] },
  record: WorkloadRecord,
): StepResult {
  const trying = { ...visiting, passedOver: progress.passedOver, inRepair: progress.inRepair };
  for (const step of steps) {
    const result = step(trying, record);
    progress.spent += result.steps;
    if (result.kind !== 'blocked') return result;
  }
  return { kind: 'blocked', steps: 0 };
}

function startOnFreeCapacity(trying: Trying, record: WorkloadRecord): StepResult {
  const { state, nowMs } = trying;
  return startAhead(state, { nowMs, whoFirst: whoFirst(trying) }, record);
}

function whoFirst({ state, passedOver, inRepair }: Trying): WhoFirst {
  const groups = [state.book.groups, inRepair.groups];
  return (start) => whoTakesBack(state, start, { groups, isPassedOver: (id) => passedOver.has(id) });
}

function startWithEvictions(visiting: Visiting, record: WorkloadRecord): StepResult {
  return preemptAhead(visiting, record);
}

function startAnew(trying: Trying, record: WorkloadRecord): StepResult {
  const { state, nowMs, inRepair } = trying;
  const kept = keptFrom(state, nowMs, record);
  return tryRepair(trying, record, { kept, spare: inRepair.spareFor(record), whoFirst: whoFirst(trying) });
}

function startAnewWithEvictions(visiting: Visiting, record: WorkloadRecord): StepResult {
  return preemptAhead(visiting, record, leavingBefore(visiting.state, record));
}

function planStart({ state, nowMs }: Visiting, record: WorkloadRecord): StepResult {
  // Known to be blocked from here on: its siblings may be planned with it.
  state.book.groups.park(record.spec.id);
  return { kind: planBlocked(state, nowMs, record) === 'planned' ? 'planned' : 'blocked', steps: 1 };
}
