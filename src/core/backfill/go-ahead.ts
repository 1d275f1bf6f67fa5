import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Newcomer, SlipAhead } from './slip-ahead.js';
import { maySlipAhead } from './slip-ahead.js';
import { holdShortOf } from './standing-hold.js';

/** May it start with no plan made later, and no quota taken that a standing hold keeps? Seats and quota are taken. */
export function mayGoAhead(state: CoreState, nowMs: Ms, newcomer: Newcomer): SlipAhead {
  const kept = holdShortOf(state, newcomer);
  return kept === undefined ? maySlipAhead(state, nowMs, newcomer) : { kind: 'delays', plan: kept, rows: [] };
}
