import type { SlipAhead } from './backfill/index.js';
import { plannedRows } from './backfill/index.js';
import type { Ms } from './contract/index.js';
import type { CoreState } from './core-state.js';
import type { Plan } from './forecast/index.js';
import type { WorkloadRecord } from './queue/index.js';

/** Other seats are tried so often when those found would delay a plan. */
const DETOURS_MAX = 3;

/**
 * Tries a start, and tries it elsewhere where it would delay a plan: beside the nodes that the plan needs, and at last
 * on the seats of the own plan, when that is due. An attempt keeps away from the rows given, and answers with what plans
 * say to the place found; `undefined`: there is none. So is the answer; a delay is the last one met.
 */
export function besidePlans(
  { state, nowMs, record }: { readonly state: CoreState; readonly nowMs: Ms; readonly record: WorkloadRecord },
  attempt: (avoid: ReadonlySet<number>) => SlipAhead | undefined,
): SlipAhead | undefined {
  const own = state.plans.get(record.spec.id);
  const avoid = new Set<number>();
  let delay: SlipAhead | undefined;
  for (let detour = 0; detour <= DETOURS_MAX; detour++) {
    const slip = attempt(avoid);
    if (slip?.kind === 'allowed') return slip;
    if (slip === undefined) break;
    delay = slip;
    if (slip.rows.length === 0) break;
    for (const row of slip.rows) avoid.add(row);
  }
  if (delay === undefined || own === undefined || own.startMs > nowMs) return delay;
  const last = attempt(rowsBeside(state, own));
  return last?.kind === 'allowed' ? last : delay;
}

/** All rows but those of the plan. */
function rowsBeside(state: CoreState, plan: Plan): ReadonlySet<number> {
  const kept = new Set(plannedRows(state, plan));
  const rows = state.fleet.names().map((name) => state.fleet.rowOf(name));
  return new Set(rows.filter((row) => !kept.has(row)));
}
