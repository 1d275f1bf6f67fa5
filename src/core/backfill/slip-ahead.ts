import type { Charge, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { firstHindered } from './keep-plans.js';
import { isRuled } from '../standing-rules.js';
import { mayDelay } from './plan-precedence.js';
import { planStart, plannedRows } from './plan-start.js';

/** What is about to start, its seats taken and its quota charged already. */
export interface Newcomer {
  readonly record: WorkloadRecord;
  /** The nodes of its seats. */
  readonly rows: ReadonlySet<number>;
  readonly charges: readonly Charge[];
  /** `Infinity` when nobody told. */
  readonly endMs: Ms;
}

export type SlipAhead =
  /** With it in place these plans stand elsewhere, and start no later. */
  | { readonly kind: 'allowed'; readonly moved: readonly Plan[] }
  /** The first plan that would start later, and the nodes that both need; none when it is about quota. */
  | { readonly kind: 'delays'; readonly plan: WorkloadId; readonly rows: readonly number[] };

/** Plans that are made anew with the newcomer in place, for one start. */
const TRIALS_MAX = 8;

/**
 * May it start now? Only if no plan starts later for it: it ends before they start, or touches neither their nodes nor
 * their quota, or they still fit beside it, or find another place at the same time. Plans that it may delay by the
 * order, and its own, do not count.
 */
export function maySlipAhead(state: CoreState, nowMs: Ms, newcomer: Newcomer): SlipAhead {
  const others = state.plans.all.filter(({ workload }) => workload !== newcomer.record.spec.id);
  const kept = others.filter((plan) => !mayDelay(state, newcomer.record, plan));
  const later = kept.filter((plan) => Math.max(nowMs, plan.startMs) < newcomer.endMs);
  const byQuota = later.filter((plan) => sharesQuota(state, newcomer, plan));
  const isTouched =
    later.some((plan) => sharesNodes(state, newcomer, plan) || mayShareRules(state, newcomer, plan)) ||
    !quotaIsEnough(state, byQuota);
  if (!isTouched) return { kind: 'allowed', moved: [] };
  let plans: readonly Plan[] = kept;
  const moved: Plan[] = [];
  for (;;) {
    const hindered = firstHindered(state, nowMs, plans);
    if (hindered === undefined) return { kind: 'allowed', moved };
    const record = state.book.get(hindered.workload);
    if (record === undefined || moved.length === TRIALS_MAX) return delays(state, newcomer, hindered);
    const rest = plans.filter((plan) => plan !== hindered);
    const found = planStart(state, record, { nowMs, takers: rest });
    if (found.kind === 'none' || found.plan.startMs > Math.max(nowMs, hindered.startMs)) {
      return delays(state, newcomer, hindered);
    }
    plans = plans.map((plan) => (plan === hindered ? found.plan : plan));
    moved.push(found.plan);
  }
}

function delays(state: CoreState, { rows }: Newcomer, plan: Plan): SlipAhead {
  return { kind: 'delays', plan: plan.workload, rows: plannedRows(state, plan).filter((row) => rows.has(row)) };
}

/** Would all of these plans fit into quota already now, beside the newcomer? Then none waits for it longer. */
function quotaIsEnough(state: CoreState, plans: readonly Plan[]): boolean {
  const before = state.tx.mark();
  const isEnough = plans.every(({ charges }) =>
    charges.every((charge) => {
      const fits = state.quota.fits(charge).kind === 'fits';
      state.quota.charge(charge);
      return fits;
    }),
  );
  state.tx.rollbackTo(before);
  return isEnough;
}

function sharesNodes(state: CoreState, newcomer: Newcomer, plan: Plan): boolean {
  return plannedRows(state, plan).some((row) => newcomer.rows.has(row));
}

/** Rules of pods reach beyond their nodes. */
function mayShareRules(state: CoreState, { record }: Newcomer, plan: Plan): boolean {
  return record.spec.podSets.some(isRuled) && state.book.get(plan.workload)?.spec.podSets.some(isRuled) === true;
}

function sharesQuota(state: CoreState, newcomer: Newcomer, plan: Plan): boolean {
  return plan.charges.some((own) =>
    newcomer.charges.some(
      ({ queue, flavor }) => flavor === own.flavor && rootOf(state, queue) === rootOf(state, own.queue),
    ),
  );
}

function rootOf({ quota }: CoreState, queue: string): string {
  let name = queue;
  for (let spec = quota.spec(name); spec?.parent !== undefined; spec = quota.spec(name)) name = spec.parent;
  return name;
}
