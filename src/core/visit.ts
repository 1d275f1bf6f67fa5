import type { Ms, WorkloadId } from './contract/index.js';
import type { CoreState } from './core-state.js';
import type { DecisionWriter, StartDraft } from './lifecycle/index.js';
import { tryPreempt, tryStart } from './lifecycle/index.js';
import type { WorkloadRecord } from './queue/index.js';
import { invariant } from './invariant.js';

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
const STEPS: readonly VisitStep[] = [startOnFreeCapacity, startWithEvictions];

export interface Visits {
  readonly drafts: readonly StartDraft[];
  /** Heads of the groups that were found blocked. */
  readonly blocked: readonly WorkloadId[];
  /** The budget is used up: those that were not visited stay active. */
  readonly truncated: boolean;
}

/**
 * Visits the waiting whose turn it may be, one after the other: the next candidate of the order, the first step that
 * works for it, else its group is parked until something comes free that could help it. After a start the next
 * candidate is chosen anew, for the start has changed who comes first.
 */
export function visitWaiting(visiting: Visiting): Visits {
  const { state } = visiting;
  const candidates = state.book.groups.visit();
  const drafts: StartDraft[] = [];
  const blocked: WorkloadId[] = [];
  let spent = 0;
  for (let next = candidates.pop(); next !== undefined; next = candidates.pop()) {
    if (spent >= state.policy.settle.steps) return { drafts, blocked, truncated: true };
    const record = state.book.get(next.head.id);
    invariant(record !== undefined, 'who waits is in the book', { id: next.head.id });
    const result = tryInOrder(visiting, record);
    spent += result.steps;
    if (result.kind === 'started') drafts.push(result.draft);
    if (result.kind === 'started' || result.kind === 'preempted') {
      const [head] = next.group.members;
      if (head !== undefined) candidates.push({ head, group: next.group });
    } else {
      state.book.groups.park(record.spec.id);
      blocked.push(record.spec.id);
    }
  }
  return { drafts, blocked, truncated: false };
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

function startOnFreeCapacity({ state }: Visiting, record: WorkloadRecord): StepResult {
  return tryStart(state, record);
}
