import type { CoreState } from './core-state.js';
import type { SlipAhead } from './backfill/index.js';
import { isFree, mayGoAhead, plannedRows } from './backfill/index.js';
import type { Plan } from './forecast/index.js';
import type { ProposedStart, StartDraft, StartTrial } from './lifecycle/index.js';
import { growDraft, tryStart } from './lifecycle/index.js';
import type { WorkloadRecord } from './queue/index.js';
import { lengthOf } from './queue/index.js';
import { holdingsOfParts, subtractCharges } from './start/index.js';
import type { AboutToStart } from './take-back.js';

/** Other seats are tried so often when those found would delay a plan. */
export const DETOURS_MAX = 3;

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
  const { plans } = state;
  const own = plans.get(record.spec.id);
  const avoid = new Set<number>();
  let steps = 0;
  for (let detour = 0; detour <= DETOURS_MAX; detour++) {
    const tried = tryBeside(state, { nowMs, avoid, whoFirst }, record);
    steps += tried.trial.steps;
    if (tried.first !== undefined) return { kind: 'yields', to: tried.first, steps };
    if (tried.trial.kind === 'started' || tried.slip?.kind !== 'delays') return { ...tried.trial, steps };
    const { plan, rows } = tried.slip;
    plans.heldBack.set(record.spec.id, plan);
    if (rows.length === 0) break;
    for (const row of rows) avoid.add(row);
  }
  if (own === undefined || own.startMs > nowMs || !isFree(state, own)) return { kind: 'blocked', steps };
  const { trial, first } = tryBeside(state, { nowMs, avoid: rowsBeside(state, own), whoFirst }, record);
  if (first !== undefined) return { kind: 'yields', to: first, steps: steps + trial.steps };
  return { ...trial, steps: steps + trial.steps };
}

/** All rows but those of the plan. */
export function rowsBeside(state: CoreState, plan: Plan): ReadonlySet<number> {
  const kept = new Set(plannedRows(state, plan));
  const rows = state.fleet.names().map((name) => state.fleet.rowOf(name));
  return new Set(rows.filter((row) => !kept.has(row)));
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
