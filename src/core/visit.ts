import type { Ms, WorkloadId } from './contract/index.js';
import { duePlans, keepPlans, planBlocked, planNext, planStarted } from './backfill/index.js';
import type { CoreState } from './core-state.js';
import type { DecisionWriter, StartDraft } from './lifecycle/index.js';
import { chargesOfParts, tryPreempt } from './lifecycle/index.js';
import type { Candidate, QueueTournament, WorkloadRecord } from './queue/index.js';
import { isWaiting } from './queue/index.js';
import { findStart, startAskOf, tournamentOf } from './start/index.js';
import { invariant } from './invariant.js';
import { startAhead } from './start-ahead.js';

/** What every step of a visit may use. */
export interface Visiting {
  readonly state: CoreState;
  readonly writer: DecisionWriter;
  readonly nowMs: Ms;
}

/**
 * What a step did for a candidate. `started`: its seats are taken and its charges made, it is not pending any more.
 * `preempted`: the same in the place of others, and said already, for what may still grow evicts nobody.
 * `planned`: it goes on waiting, and something is kept for it; no further step is tried. `blocked`: nothing was done
 * and everything tried is rolled back; the next step is tried. `steps`: what it cost of the settle's budget.
 */
export type StepResult =
  | { readonly kind: 'started'; readonly draft: StartDraft; readonly steps: number }
  | { readonly kind: 'preempted'; readonly steps: number }
  | { readonly kind: 'planned'; readonly steps: number }
  | { readonly kind: 'blocked'; readonly steps: number };

export type VisitStep = (visiting: Visiting, record: WorkloadRecord) => StepResult;

/** What is tried for a candidate, first to last, until one works. */
const STEPS: readonly VisitStep[] = [startOnFreeCapacity, startWithEvictions, planStart];

export interface Visits {
  readonly drafts: readonly StartDraft[];
  /** Heads of the groups that were found blocked. */
  readonly blocked: readonly WorkloadId[];
  /** The budget is used up: those that were not visited stay active. */
  readonly truncated: boolean;
}

/** A visit so far. */
interface Progress {
  readonly drafts: StartDraft[];
  readonly blocked: WorkloadId[];
  spent: number;
}

/**
 * Visits the waiting whose turn it may be, one after the other: whose planned start has come, then the next candidate
 * of the order; the first step that works for it, else its group is parked until something comes free that could help
 * it. After a start the next candidate is chosen anew, for the start has changed who comes first. Who waits because of
 * a plan is visited again when a plan has moved or ended.
 */
export function visitWaiting(visiting: Visiting): Visits {
  const { state, nowMs } = visiting;
  const { plans } = state;
  const progress: Progress = { drafts: [], blocked: [], spent: 0 };
  let seen = plans.version;
  for (const queue of keepPlans(state, nowMs)) planNext(state, nowMs, queue);
  for (const id of duePlans(state, nowMs)) visitDue(visiting, progress, id);
  for (;;) {
    if (plans.version !== seen) wakeHeldBack(state);
    seen = plans.version;
    if (!visitCandidates(visiting, progress)) return { ...progress, truncated: true };
    if (plans.version === seen || plans.heldBack.size === 0) return { ...progress, truncated: false };
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
    if (kind === 'started' || kind === 'preempted') tournament.joinWoken();
    else state.book.groups.park(record.spec.id);
  }
  return true;
}

function visitDue(visiting: Visiting, progress: Progress, id: WorkloadId): void {
  const record = visiting.state.book.get(id);
  if (record !== undefined && isWaiting(record)) visit(visiting, progress, record);
}

function visit(visiting: Visiting, progress: Progress, record: WorkloadRecord): StepResult['kind'] {
  const { state, nowMs } = visiting;
  state.work.visits++;
  const result = tryInOrder(visiting, record);
  progress.spent += result.steps;
  if (result.kind === 'started') progress.drafts.push(result.draft);
  if (result.kind === 'started' || result.kind === 'preempted') planStarted(state, nowMs, { record, how: result.kind });
  else progress.blocked.push(record.spec.id);
  return result.kind;
}

function wakeHeldBack({ plans, book }: CoreState): void {
  for (const id of plans.heldBack.keys()) book.groups.wakeGroupOf(id);
  plans.heldBack.clear();
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

function tryInOrder(visiting: Visiting, record: WorkloadRecord): StepResult {
  let steps = 0;
  for (const step of STEPS) {
    const result = step(visiting, record);
    steps += result.steps;
    if (result.kind !== 'blocked') return { ...result, steps };
  }
  return { kind: 'blocked', steps };
}

function startWithEvictions(visiting: Visiting, record: WorkloadRecord): StepResult {
  return tryPreempt(visiting, record);
}

function startOnFreeCapacity({ state, nowMs }: Visiting, record: WorkloadRecord): StepResult {
  return startAhead(state, nowMs, record);
}

function planStart({ state, nowMs }: Visiting, record: WorkloadRecord): StepResult {
  // Known to be blocked from here on: its siblings may be planned with it.
  state.book.groups.park(record.spec.id);
  return { kind: planBlocked(state, nowMs, record) === 'planned' ? 'planned' : 'blocked', steps: 1 };
}
