import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Fallen } from '../preemption/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { lengthOf } from '../queue/index.js';
import type { StartPart } from '../start/index.js';
import { chargesOfParts, holdingsOfParts } from '../start/index.js';
import { releaseVictim, victimsOf } from './belongings.js';
import { mayGoAhead } from './go-ahead.js';
import type { SlipAhead } from './slip-ahead.js';

/**
 * May it start on these seats in the place of its victims? By the rule for all who start ahead, as if the victims were
 * gone. Leaves no trace.
 */
export function maySlipInPlaceOf(
  state: CoreState,
  nowMs: Ms,
  start: { readonly record: WorkloadRecord; readonly parts: readonly StartPart[]; readonly victims: readonly Fallen[] },
): SlipAhead {
  if (state.plans.all.length + state.plans.holds.length === 0) return { kind: 'allowed', moved: [] };
  const { record, parts } = start;
  const before = state.tx.mark();
  const victims = victimsOf(start.victims);
  for (const victim of victims) releaseVictim(state, victim);
  for (const holding of holdingsOfParts(parts)) state.tx.take(holding);
  const charges = chargesOfParts(state, record, parts);
  for (const charge of charges) state.quota.charge(charge);
  const endMs = nowMs + lengthOf(record);
  const slip = mayGoAhead(state, nowMs, { what: 'start', record, parts, charges, endMs, victims });
  state.tx.rollbackTo(before);
  return slip;
}
