import type { FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import type { PodShape } from './pod-shape.js';

/** Rows that a workload must not use although they are open, e.g. since they refused its pods. */
export type AvoidedRows = ReadonlySet<number>;

/**
 * How many pods of the shape fit on the node now, together; exact. 0 when it takes no work, does not suit, or is over
 * its capacity in anything, also in what the pods do not ask for: the ledger takes no claim on such a node.
 */
export function podsThatFit(fleet: FleetState, shape: PodShape, row: number): number {
  if (fleet.open.at(row) === 0 || shape.suits(fleet, fleet.classOf(row)) === 'no') return 0;
  let fits = fleet.podsFree.at(row);
  if (shape.deviceCount > 0) fits = Math.min(fits, devicePods(fleet, shape, row));
  if (fits <= 0) return 0;
  fits = Math.min(fits, podsInFree(fleet.cpuFree.at(row), shape.cpuMilli));
  return Math.min(fits, podsInFree(fleet.memoryFree.at(row), shape.memoryMib));
}

/** How many shares of this size a free amount holds; none of any size when it is overdrawn. */
export function podsInFree(free: number, each: number): number {
  if (free < 0) return 0;
  return each > 0 ? Math.floor(free / each) : Infinity;
}

/** The same by devices alone. */
export function devicePods(fleet: FleetState, shape: PodShape, row: number): number {
  if (shape.deviceMilli === WHOLE_DEVICE_MILLI) return Math.floor(fleet.wholeFree.at(row) / shape.deviceCount);
  const base = fleet.slotBase(row);
  let fits = 0;
  for (let slot = base; slot < base + fleet.slotCount(row); slot++) {
    if (fleet.slotClosed.at(slot) === 0) fits += Math.max(0, Math.floor(fleet.slotFree.at(slot) / shape.deviceMilli));
  }
  return fits;
}
