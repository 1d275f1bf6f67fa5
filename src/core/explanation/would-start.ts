import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { mayGoAhead, maySlipInPlaceOf } from '../backfill/index.js';
import { brakedUntilMs, findVictims } from '../preemption/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { lengthOf } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import { chargesOfParts, findStart, startAskOf } from '../start/index.js';

export type Outlook =
  | { readonly kind: 'starts' }
  /** It has a place, but this plan would start later for it. */
  | { readonly kind: 'delays'; readonly plan: WorkloadId }
  /** `partial`: a search met its bound of steps, so nobody can be sure. */
  | { readonly kind: 'blocked'; readonly searched: 'complete' | 'partial' };

/** What a settle would do for it now, were it its turn: the same steps as a visit, all of it rolled back. */
export function outlookOf(
  state: CoreState,
  record: WorkloadRecord,
  { nowMs, mayEvict }: { readonly nowMs: Ms; readonly mayEvict: boolean },
): Outlook {
  const free = onFreeCapacity(state, record, nowMs);
  if (free.kind === 'starts' || !mayEvict || (record.evictsFromMs ?? 0) > nowMs) return free;
  const search = findVictims(state, record, { nowMs });
  if (search.kind === 'none') {
    const isSure = free.kind === 'delays' || search.searched === 'complete';
    return isSure ? free : { kind: 'blocked', searched: 'partial' };
  }
  const evictions = new Set(search.victims.map(({ unit }) => unit.record.spec.id)).size;
  if (brakedUntilMs(state, evictions, nowMs) !== undefined) return free;
  const slip = maySlipInPlaceOf(state, nowMs, { record, ...search });
  return slip.kind === 'allowed' ? { kind: 'starts' } : { kind: 'delays', plan: slip.plan };
}

function onFreeCapacity(state: CoreState, record: WorkloadRecord, nowMs: Ms): Outlook {
  const start = state.tx.mark();
  const found = findStart(state, startAskOf(state, record));
  const outlook = found.kind === 'blocked' ? found : besidePlans(state, { record, nowMs }, found.parts);
  state.tx.rollbackTo(start);
  return outlook.kind === 'blocked' ? { kind: 'blocked', searched: outlook.searched } : outlook;
}

function besidePlans(
  state: CoreState,
  { record, nowMs }: { readonly record: WorkloadRecord; readonly nowMs: Ms },
  parts: readonly StartPart[],
): Outlook {
  const charges = chargesOfParts(state, record, parts);
  for (const charge of charges) state.quota.charge(charge);
  const endMs = nowMs + lengthOf(record);
  const slip = mayGoAhead(state, nowMs, { what: 'start', record, parts, charges, endMs });
  return slip.kind === 'allowed' ? { kind: 'starts' } : { kind: 'delays', plan: slip.plan };
}
