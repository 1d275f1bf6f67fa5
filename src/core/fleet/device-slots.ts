import type { Accelerators, FlavorName, NodeSpec } from '../contract/index.js';

/** Slots of one node that are alike, numbered from `first`: one entry of its accelerators. */
export interface SlotGroup extends Accelerators {
  readonly first: number;
  /** What pods on these devices are charged to. */
  readonly flavor: FlavorName | undefined;
}

/** All devices that the node has. */
export function slotTotal({ accelerators }: NodeSpec): number {
  return accelerators.reduce((slots, { count }) => slots + count, 0);
}

/** The groups in the order of the slots; `flavors` belong to the entries of `accelerators`, one for each. */
export function slotGroups({ accelerators }: NodeSpec, flavors: readonly (FlavorName | undefined)[]): SlotGroup[] {
  let first = 0;
  return accelerators.map((devices, index) => {
    const group = { ...devices, first, flavor: flavors[index] };
    first += devices.count;
    return group;
  });
}

/** The group that a slot belongs to; `undefined` for one that the node no longer has. */
export function groupOfSlot(groups: readonly SlotGroup[], slot: number): SlotGroup | undefined {
  return groups.find(({ first, count }) => slot >= first && slot < first + count);
}
