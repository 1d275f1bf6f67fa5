import type { CoreState } from './core-state.js';
import type { SlipAhead } from './backfill/index.js';
import { mayGoAhead } from './backfill/index.js';
import type { ProposedStart, StartDraft, StartTrial } from './lifecycle/index.js';
import { growDraft, tryStart } from './lifecycle/index.js';
import type { WorkloadRecord } from './queue/index.js';
import { lengthOf } from './queue/index.js';
import { holdingsOfParts, subtractCharges } from './start/index.js';
import { besidePlans } from './beside-plans.js';
import type { AboutToStart } from './take-back.js';

/** Who may go first although its turn is later; see `take-back.ts`. */
export type WhoFirst = (start: AboutToStart) => WorkloadRecord | undefined;

/** `yields`: it could start, but for one that could take its place back at once. */
export type AheadTrial = StartTrial | { readonly kind: 'yields'; readonly to: WorkloadRecord; readonly steps: number };

/**
 * Starts a waiting workload on what is free, if no plan starts later for it, and nobody is to go first. Where the best
 * seats would delay one, it keeps away from those that the plan needs; one whose own plan is due takes the seats of the
 * plan at last. When it could start but for a plan, that is remembered (`PlanBook.heldBack`).
 */
export function startAhead(
  state: CoreState,
  { nowMs, whoFirst }: { readonly nowMs: number; readonly whoFirst: WhoFirst },
  record: WorkloadRecord,
): AheadTrial {
  let steps = 0;
  let last: ReturnType<typeof tryBeside> | undefined;
  const slip = besidePlans({ state, nowMs, record }, (avoid) => {
    last = tryBeside(state, { nowMs, avoid, whoFirst }, record);
    steps += last.trial.steps;
    return last.slip;
  });
  if (last?.first !== undefined) return { kind: 'yields', to: last.first, steps };
  if (last?.trial.kind === 'started') return { ...last.trial, steps };
  if (slip?.kind === 'delays') state.plans.heldBack.set(record.spec.id, slip.plan);
  return { kind: 'blocked', steps };
}

function tryBeside(
  state: CoreState,
  {
    nowMs,
    avoid,
    whoFirst,
  }: { readonly nowMs: number; readonly avoid: ReadonlySet<number>; readonly whoFirst: WhoFirst },
  record: WorkloadRecord,
): {
  readonly trial: StartTrial;
  readonly slip: SlipAhead | undefined;
  readonly first: WorkloadRecord | undefined;
} {
  let slip: SlipAhead | undefined;
  let first: WorkloadRecord | undefined;
  const mayStart = ({ parts, charges }: ProposedStart): boolean => {
    const endMs = nowMs + lengthOf(record);
    const before = state.tx.mark();
    for (const charge of charges) state.quota.charge(charge);
    slip = mayGoAhead(state, nowMs, { what: 'start', record, parts, charges, endMs });
    state.tx.rollbackTo(before);
    if (slip.kind === 'allowed') first = whoFirst({ record, charges });
    return slip.kind === 'allowed' && first === undefined;
  };
  const trial = tryStart(state, record, { avoid, mayStart });
  if (trial.kind === 'started' && slip?.kind === 'allowed') for (const plan of slip.moved) state.plans.replace(plan);
  return { trial, slip, first };
}

/** Up to `count` of each elastic pod set, if no plan starts later for it; otherwise it stays at its minimum. */
export function growBeside(state: CoreState, nowMs: number, draft: StartDraft): StartDraft {
  const before = state.tx.mark();
  const taken = state.startsOfSettle.get(draft.record.spec.id);
  const grown = growDraft(state, draft);
  if (state.plans.all.length + state.plans.holds.length === 0) return grown;
  const { record } = grown;
  // What it holds without growth is expected to come free already.
  if (taken !== undefined) state.startsOfSettle.set(record.spec.id, taken);
  const parts = grown.parts.map((part, index) => ({ ...part, pods: part.pods.slice(draft.parts[index]?.pods.length) }));
  const charges = subtractCharges(grown.charges, draft.charges);
  const slip = mayGoAhead(state, nowMs, { what: 'growth', record, parts, charges, endMs: nowMs + lengthOf(record) });
  if (slip.kind === 'allowed' && slip.moved.length === 0) {
    state.startsOfSettle.set(record.spec.id, holdingsOfParts(grown.parts));
    return grown;
  }
  state.tx.rollbackTo(before);
  return draft;
}
