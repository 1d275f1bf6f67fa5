import type { FleetTransaction } from '../fleet/index.js';
import { chooseSlots } from './choose-slots.js';
import type { PlacedPod } from './gang-part.js';
import type { PodShape } from './pod-shape.js';

/** One pod, where it fits. */
export function takeSeat(tx: FleetTransaction, shape: PodShape, row: number): PlacedPod {
  const slots = chooseSlots(tx.fleet, shape, row);
  tx.take({ row, cpuMilli: shape.cpuMilli, memoryMib: shape.memoryMib, slots, rules: shape.standing });
  return { row, slots };
}
