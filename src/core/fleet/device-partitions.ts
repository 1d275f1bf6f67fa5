import type { PartitionProfile, SlotShare } from '../contract/index.js';
import type { FleetState } from './fleet-state.js';
import { EIGHTHS, MIXED, WHOLE_DEVICE_MILLI } from './fleet-state.js';

const EIGHTH_MILLI = WHOLE_DEVICE_MILLI / EIGHTHS;

/** The eighths that the share lies on; none when it is no partition. */
export function eighthsOf({ milli, profile, position = 0 }: SlotShare): readonly number[] {
  if (profile === undefined) return [];
  const eighths: number[] = [];
  const end = Math.min(EIGHTHS, position + Math.ceil(milli / EIGHTH_MILLI));
  for (let eighth = position; eighth < end; eighth++) eighths.push(eighth);
  return eighths;
}

/** Is a partition held on the slot? Then no whole pod and no fraction may use it. `slot`: counted over all nodes. */
export function isCut(fleet: FleetState, slot: number): boolean {
  return fleet.slotCut.at(slot) > 0;
}

/** Is more held than partitions, so a fraction or the whole? Then it may not be cut. */
function isShared(fleet: FleetState, slot: number): boolean {
  if (fleet.cutHeld(slot, MIXED) > 0) return true;
  return WHOLE_DEVICE_MILLI - fleet.slotFree.at(slot) > fleet.slotCut.at(slot) * EIGHTH_MILLI;
}

/** Where partitions of the profile could begin on the slot together, as many as there can be, by position. */
export function freePositions(fleet: FleetState, profile: PartitionProfile, slot: number): readonly number[] {
  if (fleet.slotClosed.at(slot) === 1 || isShared(fleet, slot)) return [];
  const free: number[] = [];
  // Of equal lengths the earliest that fits is always right.
  for (const position of [...profile.positions].sort((a, b) => a - b)) {
    const last = free.at(-1);
    if (last !== undefined && position < last + profile.eighths) continue;
    if (isFreePlace(fleet, { slot, position, eighths: profile.eighths })) free.push(position);
  }
  return free;
}

export function isFreePlace(
  fleet: FleetState,
  { slot, position, eighths }: { readonly slot: number; readonly position: number; readonly eighths: number },
): boolean {
  for (let eighth = position; eighth < position + eighths; eighth++) {
    if (eighth >= EIGHTHS || fleet.cutHeld(slot, eighth) > 0) return false;
  }
  return true;
}
