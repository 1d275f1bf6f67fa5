import type { FlavorName, FlavorSpec, PodSetSpec, Seat } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { groupOfSlot, type PodRecord } from '../fleet/index.js';
import { podSize } from '../pod-need.js';
import type { FlavorWish } from '../quota/index.js';

/** What one pod of the set costs in this flavor: devices where the flavor has a model, else CPU. */
export function costOfPod(podSet: PodSetSpec, flavor: FlavorSpec | undefined): number {
  if (flavor === undefined) return 0;
  if (flavor.model === undefined) return podSize(podSet).cpuMilli;
  return podSet.devices === undefined ? 0 : podSet.devices.count * podSet.devices.milli;
}

/** What `pods` of the set would cost in each of the flavors that it may use. */
export function wishOf(state: CoreState, podSet: PodSetSpec, pods: number): FlavorWish {
  return {
    flavors: podSet.flavors.length > 0 ? podSet.flavors : [undefined],
    costOf: (flavor) => pods * costOfPod(podSet, state.fleet.flavor(flavor)),
  };
}

/** What one pod of the set is charged for; nothing without a flavor, or where it costs nothing. */
export function chargeOfPod(state: CoreState, podSet: PodSetSpec, flavor: FlavorName | undefined): PodRecord['charge'] {
  const milli = flavor === undefined ? 0 : costOfPod(podSet, state.fleet.flavor(flavor));
  return flavor === undefined || milli === 0 ? undefined : { flavor, milli };
}

/** The flavor that a pod of the set is charged to on this seat: of its node, or of its devices. */
export function flavorOfSeat(state: CoreState, podSet: PodSetSpec, seat: Seat): FlavorName | undefined {
  const row = state.fleet.rowOf(seat.node);
  const group = groupOfSlot(state.fleet.exampleOf(state.fleet.classOf(row)).slotGroups, seat.slots[0]?.slot ?? -1);
  const ofSeat = podSet.devices === undefined ? state.fleet.flavorsOf(row).cpu : group?.flavor;
  return podSet.flavors.find((name) => name === ofSeat);
}

/**
 * The flavor that a pod is charged to that was found on this seat. Where the node tells of its device no more, as after
 * some of them have failed, it is the one that the set prefers: what is held is paid for until it is let go.
 */
export function flavorOfFound(state: CoreState, podSet: PodSetSpec, seat: Seat): FlavorName | undefined {
  return flavorOfSeat(state, podSet, seat) ?? podSet.flavors[0];
}
