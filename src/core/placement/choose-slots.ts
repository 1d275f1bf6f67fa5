import type { SlotShare } from '../contract/index.js';
import type { FleetState } from '../fleet/index.js';
import { isCut, WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { invariant, unreachable } from '../invariant.js';
import { choosePartition } from './choose-partition.js';
import { wholeSlots } from './feasible-nodes.js';
import { leastGrowthSlot } from './node-growth.js';
import type { PodShape } from './pod-shape.js';

/**
 * The devices of one pod on a node where it fits: the first free ones of one model, of several models the one with the
 * fewest left; for a fraction or a partition the slot with the least room that is enough, so that whole devices stay
 * whole; for a fraction under `fragmentation` the one that suits the mix best. Equals: the smallest slot number.
 */
export function chooseSlots(fleet: FleetState, shape: PodShape, row: number): readonly SlotShare[] {
  if (shape.deviceCount === 0) return [];
  switch (shape.deviceKind) {
    case 'whole':
      return chooseWhole(fleet, shape, row);
    case 'fraction': {
      const find = shape.scoring.kind === 'fragmentation' ? leastGrowthSlot : tightestSlot;
      const { slot } = find(fleet, shape, row);
      invariant(slot >= 0, 'a fraction fits where it is placed', { row });
      return [{ slot, milli: shape.deviceMilli }];
    }
    case 'partition': {
      const share = choosePartition(fleet, shape, row);
      invariant(share !== undefined, 'a partition fits where it is placed', { row });
      return [share];
    }
    default:
      return unreachable(shape.deviceKind);
  }
}

function chooseWhole(fleet: FleetState, shape: PodShape, row: number): readonly SlotShare[] {
  let fewest: readonly number[] = [];
  for (const group of shape.groupsOn(fleet, fleet.classOf(row))) {
    const free = wholeSlots(fleet, row, group);
    if (free.length < shape.deviceCount) continue;
    if (fewest.length === 0 || free.length < fewest.length) fewest = free;
  }
  invariant(fewest.length > 0, 'whole devices are free where a pod is placed', { row });
  return fewest.slice(0, shape.deviceCount).map((slot) => ({ slot, milli: WHOLE_DEVICE_MILLI }));
}

/** The slot with the least free milli that is enough for a fraction; -1 when none is. */
export function tightestSlot(
  fleet: FleetState,
  shape: PodShape,
  row: number,
): { readonly slot: number; readonly freeMilli: number } {
  const base = fleet.slotBase(row);
  let best = -1;
  let bestFree = Number.MAX_SAFE_INTEGER;
  for (const { first, count } of shape.groupsOn(fleet, fleet.classOf(row))) {
    for (let slot = first; slot < first + count; slot++) {
      const free = fleet.slotFree.at(base + slot);
      if (fleet.slotClosed.at(base + slot) === 1 || isCut(fleet, base + slot)) continue;
      if (free < shape.deviceMilli || free >= bestFree) continue;
      best = slot;
      bestFree = free;
    }
  }
  return { slot: best, freeMilli: bestFree };
}
