import type { NodeSpec, PodSetSpec, Seat, SlotShare, WorkloadSpec } from '../core/index.js';

const WHOLE_MILLI = 1000;

interface Slot {
  readonly slot: number;
  readonly model: string;
  freeMilli: number;
}

/** What is free of each slot of each node, as running workloads are seated one after the other. */
export class SeatPlan {
  readonly #slots: ReadonlyMap<string, readonly Slot[]>;

  constructor(nodes: readonly NodeSpec[]) {
    this.#slots = new Map(nodes.map((node) => [node.name, slotsOf(node)]));
  }

  /**
   * Seats for the pods of a workload, by node as the file says. Whole devices: the first free ones; a fraction: the
   * slot with the least room that is enough. Throws a `RangeError` that names the node without room.
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
      const fitting = (this.#slots.get(node) ?? []).filter(
        (one) => one.model === model && one.freeMilli >= devices.milli,
      );
      if (fitting.length < devices.count) continue;
      const tightestFirst = [...fitting].sort((a, b) => a.freeMilli - b.freeMilli || a.slot - b.slot);
      const chosen = tightestFirst.slice(0, devices.count);
      for (const slot of chosen) slot.freeMilli -= devices.milli;
      return chosen.map(({ slot }) => ({ slot, milli: devices.milli }));
    }
    return undefined;
  }
}

function slotsOf({ accelerators }: NodeSpec): readonly Slot[] {
  const models = accelerators.flatMap(({ model, count }) => Array.from({ length: count }, () => model));
  return models.map((model, slot) => ({ slot, model, freeMilli: WHOLE_MILLI }));
}

/** Slots are numbered through the models of a node. */
export function modelOfSlot(node: NodeSpec | undefined, slot: number): string | undefined {
  return node === undefined ? undefined : slotsOf(node)[slot]?.model;
}
