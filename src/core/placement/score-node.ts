import type { FleetState } from '../fleet/index.js';
import { choosePartition } from './choose-partition.js';
import { chooseSlots, tightestSlot } from './choose-slots.js';
import { growthScore, leastGrowthSlot } from './node-growth.js';
import type { PodShape } from './pod-shape.js';

/** Costs that decide before others are multiples of these; whole numbers stay exact below 2^53. */
const DISLIKED = 2 ** 45;
const STRANDED = 2 ** 24;
const DEVICE = 2 ** 32;
/** More than what is stranded or opened: preferences of the pod go before packing. */
export const PREFERRED = 2 ** 35;

/**
 * How well a pod goes to a node on which `fits` of them fit: whole numbers, smaller is better; equals are told apart by
 * `tieOfNode`, then go to the smaller rank. First: not against a `PreferNoSchedule` taint; where the node affinity that the pod prefers weighs most; pods without devices rather
 * where no free devices are stranded. Then, under `best-fit`: a fraction rather into a device that is broken already,
 * the fullest that fits; the node on which the fewest such pods still fit. Under `spread`: the most. Under
 * `fragmentation`: where the idle devices that the mix cannot use grow least, and pods without devices rather where there
 * are none at all.
 */
export function costOfNode(
  fleet: FleetState,
  shape: PodShape,
  { row, fits }: { readonly row: number; readonly fits: number },
): number {
  const isFraction = shape.deviceCount > 0 && shape.deviceKind === 'fraction';
  const isDisliked = shape.suits(fleet, fleet.classOf(row)) === 'rather-not';
  const disliked = (isDisliked ? DISLIKED : 0) - preferredCost(fleet, shape, row);
  if (shape.scoring.kind === 'fragmentation') {
    const score = isFraction
      ? leastGrowthSlot(fleet, shape, row).score
      : growthScore(fleet, shape, { row, shares: chooseSlots(fleet, shape, row) });
    const hasDevices = shape.deviceCount === 0 && fleet.slotGroupsOf(row).length > 0;
    return disliked + (hasDevices ? STRANDED : 0) - score;
  }
  const stranded = shape.deviceCount === 0 ? fleet.wholeFree.at(row) * STRANDED : 0;
  if (shape.scoring.kind === 'spread') return disliked + stranded - fits;
  return disliked + stranded + openedMilli(fleet, shape, row) * STRANDED + fits;
}

function preferredCost(fleet: FleetState, shape: PodShape, row: number): number {
  if (shape.podSet.preferredNodeAffinity === undefined) return 0;
  return PREFERRED * shape.preferenceFor(fleet.recordOf(row).spec);
}

/** What is free of the device that a fraction or partition would be put into. */
function openedMilli(fleet: FleetState, shape: PodShape, row: number): number {
  if (shape.deviceCount === 0 || shape.deviceKind === 'whole') return 0;
  if (shape.deviceKind === 'fraction') return tightestSlot(fleet, shape, row).freeMilli;
  const share = choosePartition(fleet, shape, row);
  return share === undefined ? 0 : fleet.slotFree.at(fleet.slotBase(row) + share.slot);
}

/**
 * Of equal cost, the node with the fewest free devices, then with the least free CPU; under `spread`, with the most.
 * Under `fragmentation` equals go to the smaller rank at once, as where the measure comes from.
 */
export function tieOfNode(fleet: FleetState, shape: PodShape, row: number): number {
  if (shape.scoring.kind === 'fragmentation') return 0;
  const free = fleet.wholeFree.at(row) * DEVICE + fleet.cpuFree.at(row);
  return shape.scoring.kind === 'spread' ? -free : free;
}
