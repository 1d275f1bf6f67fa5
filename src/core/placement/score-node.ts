import type { FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { tightestSlot } from './choose-slots.js';
import type { PodShape } from './pod-shape.js';

/**
 * How well a node packs: integers, compared one after the other, smaller wins; equals go to the smaller rank.
 * 1 not against a `PreferNoSchedule` taint; 2 pods without devices rather where no free devices are stranded; 3 a
 * fraction rather into a device that is broken already, the fullest that fits; 4 the node on which the fewest such
 * pods still fit; 5 the one with the fewest free devices; 6 with the least free CPU.
 */
export type NodeScore = readonly number[];

export function scoreNode(
  fleet: FleetState,
  shape: PodShape,
  at: { readonly row: number; readonly fits: number },
): NodeScore {
  const { row, fits } = at;
  const isFraction = shape.deviceCount > 0 && shape.deviceMilli < WHOLE_DEVICE_MILLI;
  return [
    shape.suits(fleet, fleet.classOf(row)) === 'rather-not' ? 1 : 0,
    shape.deviceCount === 0 ? fleet.wholeFree.at(row) : 0,
    isFraction ? tightestSlot(fleet, shape, row).freeMilli : 0,
    fits,
    fleet.wholeFree.at(row),
    fleet.cpuFree.at(row),
  ];
}

export function compareScores(a: NodeScore, b: NodeScore): number {
  for (let term = 0; term < a.length; term++) {
    const difference = (a[term] ?? 0) - (b[term] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
