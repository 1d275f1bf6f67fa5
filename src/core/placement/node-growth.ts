import type { Milli, SlotShare } from '../contract/index.js';
import type { FleetState } from '../fleet/index.js';
import { isCut } from '../fleet/index.js';
import type { FreeOfNode } from './fragmentation.js';
import { fragmentationOf, scoreOfGrowth } from './fragmentation.js';
import type { PodShape } from './pod-shape.js';

/** 0 to 99: what a pod on these slots of the node does to its fragmentation; 50 when it changes nothing. */
export function growthScore(
  fleet: FleetState,
  shape: PodShape,
  at: { readonly row: number; readonly shares: readonly SlotShare[] },
): number {
  const { typical, podsInMix } = shape.scoring.mix;
  const before = fragmentationOf(typical, freeOf(fleet, at.row, { cpuMilli: 0, shares: [] }));
  const after = fragmentationOf(typical, freeOf(fleet, at.row, { cpuMilli: shape.cpuMilli, shares: at.shares }));
  return scoreOfGrowth(before, after, podsInMix);
}

/** Of the slots where a fraction fits, the one that scores best; equals: the smallest number. -1 when it fits nowhere. */
export function leastGrowthSlot(
  fleet: FleetState,
  shape: PodShape,
  row: number,
): { readonly slot: number; readonly score: number } {
  let best = { slot: -1, score: -1 };
  const scored = new Set<Milli>();
  for (const group of shape.groupsOn(fleet, fleet.classOf(row))) {
    for (let slot = group.first; slot < group.first + group.count; slot++) {
      const free = openMilli(fleet, row, slot);
      // Devices with equal room in one group do the same to the node.
      if (free < shape.deviceMilli || scored.has(free) || isCut(fleet, fleet.slotBase(row) + slot)) continue;
      scored.add(free);
      const score = growthScore(fleet, shape, { row, shares: [{ slot, milli: shape.deviceMilli }] });
      if (score > best.score) best = { slot, score };
    }
    scored.clear();
  }
  return best;
}

function freeOf(
  fleet: FleetState,
  row: number,
  less: { readonly cpuMilli: Milli; readonly shares: readonly SlotShare[] },
): FreeOfNode {
  const groups = fleet.slotGroupsOf(row).map(({ first, count, flavor }) => {
    const devices: Milli[] = [];
    for (let slot = first; slot < first + count; slot++) devices.push(openMilli(fleet, row, slot));
    for (const { slot, milli } of less.shares) {
      if (slot >= first && slot < first + count) devices[slot - first] = (devices[slot - first] ?? 0) - milli;
    }
    return { flavor, devices };
  });
  return { cpuMilli: fleet.cpuFree.at(row) - less.cpuMilli, groups };
}

/** What is free of a slot that takes work; 0 of another. */
function openMilli(fleet: FleetState, row: number, slot: number): Milli {
  const at = fleet.slotBase(row) + slot;
  return fleet.slotClosed.at(at) === 1 ? 0 : Math.max(0, fleet.slotFree.at(at));
}
