import type { Accelerators, NodeSpec, PodSetSpec, Seat, SlotShare, WorkloadSpec } from '../core/index.js';

const WHOLE_MILLI = 1000;

interface Slot {
  readonly slot: number;
  readonly devices: Accelerators;
  freeMilli: number;
  /** Eighths that partitions lie on; without one the device may be used otherwise. */
  readonly cut: Set<number>;
}

/** What is free of each slot of each node, as running workloads are seated one after the other. */
export class SeatPlan {
  readonly #slots: ReadonlyMap<string, readonly Slot[]>;

  constructor(nodes: readonly NodeSpec[]) {
    this.#slots = new Map(nodes.map((node) => [node.name, slotsOf(node)]));
  }

  /**
   * Seats for the pods of a workload, by node as the file says. Whole devices: the first free ones; a fraction: the
   * slot with the least room that is enough; a partition: the first legal place. Throws a `RangeError` that names the node without room.
   */
  seat(workload: WorkloadSpec, running: Readonly<Record<string, Readonly<Record<string, number>>>>): readonly Seat[] {
    return Object.entries(running).flatMap(([name, byNode]) => {
      const podSet = workload.podSets.find((one) => one.name === name);
      if (podSet === undefined) return [];
      const nodes = Object.entries(byNode).flatMap(([node, pods]) => Array.from({ length: pods }, () => node));
      return nodes.map((node, index): Seat => {
        const slots = this.#take(node, podSet);
        if (slots === undefined) throw new RangeError(`${workload.name} has no room on ${node} for ${name} ${index}`);
        const { cpuMilli, memoryMib } = podSet;
        return {
          pod: { workload: workload.id, incarnation: 1, podSet: name, index },
          node,
          slots,
          cpuMilli,
          memoryMib,
        };
      });
    });
  }

  /** Of the best model that the node has enough of. */
  #take(node: string, { devices, flavors }: PodSetSpec): readonly SlotShare[] | undefined {
    if (devices === undefined) return [];
    for (const model of flavors) {
      const slots = (this.#slots.get(node) ?? []).filter((one) => one.devices.model === model);
      if (devices.profile !== undefined) {
        const partition = takePartition(slots, devices.profile, devices.milli);
        if (partition !== undefined) return [partition];
        continue;
      }
      const fitting = slots.filter(({ cut, freeMilli }) => cut.size === 0 && freeMilli >= devices.milli);
      if (fitting.length < devices.count) continue;
      const tightestFirst = [...fitting].sort((a, b) => a.freeMilli - b.freeMilli || a.slot - b.slot);
      const chosen = tightestFirst.slice(0, devices.count);
      for (const slot of chosen) slot.freeMilli -= devices.milli;
      return chosen.map(({ slot }) => ({ slot, milli: devices.milli }));
    }
    return undefined;
  }
}

function takePartition(slots: readonly Slot[], profile: string, milli: number): SlotShare | undefined {
  for (const slot of slots) {
    const found = slot.devices.profiles?.find(({ name }) => name === profile);
    if (found === undefined || (slot.cut.size === 0 && slot.freeMilli < WHOLE_MILLI)) continue;
    for (const position of found.positions) {
      const eighths = Array.from({ length: found.eighths }, (_, index) => position + index);
      if (eighths.some((eighth) => slot.cut.has(eighth))) continue;
      for (const eighth of eighths) slot.cut.add(eighth);
      slot.freeMilli -= milli;
      return { slot: slot.slot, milli, profile, position };
    }
  }
  return undefined;
}

function slotsOf({ accelerators }: NodeSpec): readonly Slot[] {
  const all = accelerators.flatMap((devices) => Array.from({ length: devices.count }, () => devices));
  return all.map((devices, slot) => ({ slot, devices, freeMilli: WHOLE_MILLI, cut: new Set() }));
}

/** Slots are numbered through the models of a node. */
export function modelOfSlot(node: NodeSpec | undefined, slot: number): string | undefined {
  return node === undefined ? undefined : slotsOf(node)[slot]?.devices.model;
}
