import type { FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { tightestSlot } from './choose-slots.js';
import type { PodShape } from './pod-shape.js';

/** Costs that decide before others are multiples of these; whole numbers stay exact below 2^53. */
const DISLIKED = 2 ** 45;
const STRANDED = 2 ** 24;
const DEVICE = 2 ** 32;

/**
 * How well a pod goes to a node on which `fits` of them fit: whole numbers, smaller is better; equals are told apart by
 * `tieOfNode`, then go to the smaller rank. First: not against a `PreferNoSchedule` taint; pods without devices rather
 * where no free devices are stranded. Then, under `best-fit`: a fraction rather into a device that is broken already,
 * the fullest that fits; the node on which the fewest such pods still fit. Under `spread`: the most.
 */
export function costOfNode(
  fleet: FleetState,
  shape: PodShape,
  { row, fits }: { readonly row: number; readonly fits: number },
): number {
  const disliked = shape.suits(fleet, fleet.classOf(row)) === 'rather-not' ? DISLIKED : 0;
  const stranded = shape.deviceCount === 0 ? fleet.wholeFree.at(row) * STRANDED : 0;
  if (shape.scoring.kind === 'spread') return disliked + stranded - fits;
  const isFraction = shape.deviceCount > 0 && shape.deviceMilli < WHOLE_DEVICE_MILLI;
  const opened = isFraction ? tightestSlot(fleet, shape, row).freeMilli * STRANDED : 0;
  return disliked + stranded + opened + fits;
}

/** Of equal cost, the node with the fewest free devices, then with the least free CPU; under `spread`, with the most. */
export function tieOfNode(fleet: FleetState, shape: PodShape, row: number): number {
  const free = fleet.wholeFree.at(row) * DEVICE + fleet.cpuFree.at(row);
  return shape.scoring.kind === 'spread' ? -free : free;
}
