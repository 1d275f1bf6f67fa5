import type { PartitionProfile, SlotShare } from '../contract/index.js';
import type { FleetState } from '../fleet/index.js';
import { freePositions, isFreePlace } from '../fleet/index.js';
import { profileOn, type PodShape } from './pod-shape.js';

/**
 * A partition of the shape's profile on the node: on the slot with the fewest places left for such ones, at the place
 * that spoils the fewest places for other profiles. Equals: the smallest slot, the first place.
 */
export function choosePartition(fleet: FleetState, shape: PodShape, row: number): SlotShare | undefined {
  const base = fleet.slotBase(row);
  let best: SlotShare | undefined;
  let fewest = Number.MAX_SAFE_INTEGER;
  for (const group of shape.groupsOn(fleet, fleet.classOf(row))) {
    const profile = profileOn(shape, group);
    if (profile === undefined) continue;
    for (let slot = group.first; slot < group.first + group.count; slot++) {
      const places = freePositions(fleet, profile, base + slot);
      if (places.length === 0 || places.length >= fewest) continue;
      const { name, eighths } = profile;
      fewest = places.length;
      const position = gentlest(fleet, { slot: base + slot, eighths, places, profiles: group.profiles ?? [] });
      best = { slot, milli: shape.deviceMilli, profile: name, position };
    }
  }
  return best;
}

function gentlest(
  fleet: FleetState,
  at: {
    readonly slot: number;
    readonly eighths: number;
    readonly places: readonly number[];
    readonly profiles: readonly PartitionProfile[];
  },
): number {
  const { slot } = at;
  const open = at.profiles.flatMap(({ eighths, positions }) =>
    positions
      .filter((position) => isFreePlace(fleet, { slot, position, eighths }))
      .map((position) => ({ from: position, to: position + eighths })),
  );
  const spoiled = (place: number): number =>
    open.filter(({ from, to }) => from < place + at.eighths && place < to).length;
  let best = at.places[0] ?? 0;
  for (const place of at.places) if (spoiled(place) < spoiled(best)) best = place;
  return best;
}
