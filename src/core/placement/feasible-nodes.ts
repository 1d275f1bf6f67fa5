import type { Milli, PartitionProfile } from '../contract/index.js';
import type { FleetState, SlotGroup } from '../fleet/index.js';
import { freePositions, isCut, WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { profileOn, type PodShape } from './pod-shape.js';

/** Rows that a workload must not use although they are open, e.g. since they refused its pods. */
export type AvoidedRows = ReadonlySet<number>;

/**
 * How many pods of the shape fit on the node now, together; exact. 0 when it takes no work, does not suit, or is over
 * its capacity in anything, also in what the pods do not ask for: the ledger takes no claim on such a node.
 */
export function podsThatFit(fleet: FleetState, shape: PodShape, row: number): number {
  if (fleet.open.at(row) === 0 || !shape.suitsNode(fleet, row)) return 0;
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
  const nodeClass = fleet.classOf(row);
  if (nodeClass < 0) return 0;
  const groups = shape.groupsOn(fleet, nodeClass);
  const isWhole = shape.deviceKind === 'whole';
  // One model a node is the rule, and then its free devices are known.
  if (isWhole && groups.length > 0 && fleet.exampleOf(nodeClass).slotGroups.length === 1) {
    return Math.floor(fleet.wholeFree.at(row) / shape.deviceCount);
  }
  let fits = 0;
  for (const group of groups) {
    if (isWhole) fits += Math.floor(wholeSlots(fleet, row, group).length / shape.deviceCount);
    else if (shape.deviceKind === 'fraction') fits += fractionsIn(fleet, { row, group, milli: shape.deviceMilli });
    else fits += partitionsIn(fleet, { row, group, profile: profileOn(shape, group) });
  }
  return fits;
}

function fractionsIn(
  fleet: FleetState,
  { row, group, milli }: { readonly row: number; readonly group: SlotGroup; readonly milli: Milli },
): number {
  const from = fleet.slotBase(row) + group.first;
  let fits = 0;
  for (let slot = from; slot < from + group.count; slot++) {
    if (fleet.slotClosed.at(slot) === 1 || isCut(fleet, slot)) continue;
    fits += Math.max(0, Math.floor(fleet.slotFree.at(slot) / milli));
  }
  return fits;
}

function partitionsIn(
  fleet: FleetState,
  at: { readonly row: number; readonly group: SlotGroup; readonly profile: PartitionProfile | undefined },
): number {
  const from = fleet.slotBase(at.row) + at.group.first;
  let fits = 0;
  for (let slot = from; slot < from + at.group.count; slot++) {
    if (at.profile !== undefined) fits += freePositions(fleet, at.profile, slot).length;
  }
  return fits;
}

/** The free whole devices of the group, by the number of their slot in the node. */
export function wholeSlots(fleet: FleetState, row: number, { first, count }: SlotGroup): readonly number[] {
  const base = fleet.slotBase(row);
  const slots: number[] = [];
  for (let slot = first; slot < first + count; slot++) {
    const isFree = fleet.slotClosed.at(base + slot) === 0 && fleet.slotFree.at(base + slot) === WHOLE_DEVICE_MILLI;
    if (isFree) slots.push(slot);
  }
  return slots;
}
