import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { SlipAhead } from '../backfill/index.js';
import { mayGoAhead, maySlipInPlaceOf } from '../backfill/index.js';
import { besidePlans } from '../beside-plans.js';
import { brakedUntilMs, findVictims } from '../preemption/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { lengthOf } from '../queue/index.js';
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
  const asked = { state, nowMs, record };
  let searched: 'complete' | 'partial' = 'complete';
  const onFree = besidePlans(asked, (avoid) => {
    const found = slipOnFree(state, { record, nowMs }, avoid);
    if (found.kind !== 'blocked') return found;
    if (avoid.size === 0) searched = found.searched;
    return undefined;
  });
  const free = outlookFrom(onFree, searched);
  if (free.kind === 'starts' || !mayEvict || (record.evictsFromMs ?? 0) > nowMs) return free;
  const inPlace = besidePlans(asked, (avoid) => {
    const search = findVictims(state, record, { nowMs, avoid });
    if (search.kind === 'none' && search.searched === 'partial') searched = 'partial';
    if (search.kind === 'none') return undefined;
    const evictions = new Set(search.victims.map(({ unit }) => unit.record.spec.id)).size;
    if (brakedUntilMs(state, evictions, nowMs) !== undefined) return undefined;
    return maySlipInPlaceOf(state, nowMs, { record, ...search });
  });
  return inPlace === undefined && free.kind === 'delays' ? free : outlookFrom(inPlace, searched);
}

function outlookFrom(slip: SlipAhead | undefined, searched: 'complete' | 'partial'): Outlook {
  if (slip === undefined) return { kind: 'blocked', searched };
  return slip.kind === 'allowed' ? { kind: 'starts' } : { kind: 'delays', plan: slip.plan };
}

function slipOnFree(
  state: CoreState,
  { record, nowMs }: { readonly record: WorkloadRecord; readonly nowMs: Ms },
  avoid: ReadonlySet<number>,
): SlipAhead | (Outlook & { readonly kind: 'blocked' }) {
  const start = state.tx.mark();
  const ask = startAskOf(state, record);
  const found = findStart(state, { ...ask, avoid: new Set([...ask.avoid, ...avoid]) });
  if (found.kind === 'blocked') {
    state.tx.rollbackTo(start);
    return { kind: 'blocked', searched: found.searched };
  }
  const charges = chargesOfParts(state, record, found.parts);
  for (const charge of charges) state.quota.charge(charge);
  const endMs = nowMs + lengthOf(record);
  const slip = mayGoAhead(state, nowMs, { what: 'start', record, parts: found.parts, charges, endMs });
  state.tx.rollbackTo(start);
  return slip;
}
