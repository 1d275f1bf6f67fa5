import type { Charge, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan, Victim } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import { holdingsOfParts } from '../start/index.js';
import { firstHindered } from './keep-plans.js';
import { isRuled } from '../standing-rules.js';
import { precedenceOf } from './plan-precedence.js';
import { planStart, plannedRows } from './plan-start.js';

/** What is about to start or to grow, its seats taken and its quota charged already. */
export interface Newcomer {
  readonly what: 'start' | 'growth';
  readonly record: WorkloadRecord;
  /** Its seats; of one that grows those that are new. */
  readonly parts: readonly StartPart[];
  readonly charges: readonly Charge[];
  /** When all this comes free again; `Infinity` when nobody told. */
  readonly endMs: Ms;
  /** What others have given up for it; free already. */
  readonly victims?: readonly Victim[];
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
 * their quota, or they still fit beside it, or find another place at the same time. Its own plan does not count, nor
 * does a plan that it may delay by the order, unless it grows: every waiting minimum comes before any growth. Whose
 * own plan is due starts there whatever was planned after it; who has a standing hold starts there whatever quota others
 * are planned with.
 */
export function maySlipAhead(state: CoreState, nowMs: Ms, newcomer: Newcomer): SlipAhead {
  const { endMs, charges, parts, victims = [] } = newcomer;
  const arrival = { endMs, charges, holdings: holdingsOfParts(parts), victims };
  const kept = plansBefore(state, nowMs, newcomer);
  const later = kept.filter((plan) => Math.max(nowMs, plan.startMs) < newcomer.endMs);
  const byQuota = later.filter((plan) => sharesQuota(state, newcomer, plan));
  const isTouched =
    later.some((plan) => sharesNodes(state, newcomer, plan) || mayShareRules(state, newcomer, plan)) ||
    !quotaIsEnough(state, byQuota);
  if (!isTouched) return { kind: 'allowed', moved: [] };
  let plans: readonly Plan[] = kept;
  const moved: Plan[] = [];
  for (;;) {
    const hindered = firstHindered(state, nowMs, { plans, arrival });
    if (hindered === undefined) return { kind: 'allowed', moved };
    const record = state.book.get(hindered.workload);
    if (record === undefined || moved.length === TRIALS_MAX) return delays(state, newcomer, hindered);
    const rest = plans.filter((plan) => plan !== hindered);
    const after = rest.slice(plans.indexOf(hindered));
    const evictions = hindered.victims.length > 0 ? 'counted' : 'left-out';
    const found = planStart(state, record, { nowMs, takers: rest, later: after, arrival, evictions });
    if (found.kind === 'none' || found.plan.startMs > Math.max(nowMs, hindered.startMs)) {
      return delays(state, newcomer, hindered);
    }
    plans = plans.map((plan) => (plan === hindered ? found.plan : plan));
    moved.push(found.plan);
  }
}

/** The plans that may not start later for it. */
function plansBefore(state: CoreState, nowMs: Ms, newcomer: Newcomer): readonly Plan[] {
  const { all } = state.plans;
  if (newcomer.what === 'growth') return all;
  const { record } = newcomer;
  const at = all.findIndex(({ workload }) => workload === record.spec.id);
  const own = all[at];
  const isOnPlan = own !== undefined && own.startMs <= nowMs && isWithin(rowsOf(newcomer), plannedRows(state, own));
  const mayDelay = precedenceOf(state, record, newcomer);
  const isOnHold = startsOnHold(state, newcomer);
  return (isOnPlan ? all.slice(0, at) : all).filter(
    (plan) => plan !== own && !mayDelay(plan) && (!isOnHold || sharesNodes(state, newcomer, plan)),
  );
}

/** Then its quota was kept for it too: also from plans, but for those on its nodes, which were made before the hold. */
function startsOnHold({ plans, fleet }: CoreState, newcomer: Newcomer): boolean {
  const nodes = plans.holdOf(newcomer.record.spec.id)?.nodes;
  return nodes !== undefined && [...rowsOf(newcomer)].every((row) => nodes.includes(fleet.recordOf(row).spec.name));
}

function isWithin(rows: ReadonlySet<number>, others: readonly number[]): boolean {
  return [...rows].every((row) => others.includes(row));
}

function rowsOf({ parts }: Newcomer): ReadonlySet<number> {
  return new Set(parts.flatMap(({ pods }) => pods.map(({ row }) => row)));
}

function delays(state: CoreState, newcomer: Newcomer, plan: Plan): SlipAhead {
  const rows = rowsOf(newcomer);
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
  const rows = rowsOf(newcomer);
  return plannedRows(state, plan).some((row) => rows.has(row));
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
