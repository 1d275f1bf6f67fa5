import type { SlotShare } from '../contract/index.js';
import type { FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { invariant } from '../invariant.js';
import type { PodShape } from './pod-shape.js';

/**
 * The devices of one pod on a node where it fits: the first free ones; for a fraction the slot with the least room
 * that is enough, so that whole devices stay whole. Equals: the smallest slot number.
 */
export function chooseSlots(fleet: FleetState, shape: PodShape, row: number): readonly SlotShare[] {
  if (shape.deviceCount === 0) return [];
  if (shape.deviceMilli < WHOLE_DEVICE_MILLI) {
    const { slot } = tightestSlot(fleet, shape, row);
    invariant(slot >= 0, 'a fraction fits where it is placed', { row });
    return [{ slot, milli: shape.deviceMilli }];
  }
  const base = fleet.slotBase(row);
  const slots: SlotShare[] = [];
  for (let slot = 0; slot < fleet.slotCount(row) && slots.length < shape.deviceCount; slot++) {
    const isFree = fleet.slotClosed.at(base + slot) === 0 && fleet.slotFree.at(base + slot) === WHOLE_DEVICE_MILLI;
    if (isFree) slots.push({ slot, milli: WHOLE_DEVICE_MILLI });
  }
  invariant(slots.length === shape.deviceCount, 'whole devices are free where a pod is placed', { row });
  return slots;
}

/** The slot with the least free milli that is enough; -1 when none is. */
export function tightestSlot(
  fleet: FleetState,
  shape: PodShape,
  row: number,
): { readonly slot: number; readonly freeMilli: number } {
  const base = fleet.slotBase(row);
  let best = -1;
  let bestFree = Number.MAX_SAFE_INTEGER;
  for (let slot = 0; slot < fleet.slotCount(row); slot++) {
    const free = fleet.slotFree.at(base + slot);
    if (fleet.slotClosed.at(base + slot) === 1 || free < shape.deviceMilli || free >= bestFree) continue;
    best = slot;
    bestFree = free;
  }
  return { slot: best, freeMilli: bestFree };
}
