import type { Constraint, FlavorName, PartitionProfile, PodSetSpec, Shortage } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { SlotGroup } from '../fleet/index.js';
import { EIGHTHS, WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import type { StartAsk } from '../start/index.js';
import { choicesToPlace, gangParts, minimumOf } from '../start/index.js';
import type { GangPart, PodShape } from '../placement/index.js';
import { devicePods, growPart, podsInFree, podsThatFit, profileOn, withoutHeldSlices } from '../placement/index.js';
import { holdersOnNodes } from './holders.js';

/** The flavors that the pod set may use; `undefined` stands for none. */
export function flavorsOf({ flavors }: PodSetSpec): readonly (FlavorName | undefined)[] {
  return flavors.length > 0 ? flavors : [undefined];
}

export function podsNeeded(ask: StartAsk): number {
  return ask.podSets.reduce((pods, podSet) => pods + minimumOf(podSet), 0);
}

/** How many pods of the minimum could be placed now, anywhere, one part after the other. */
export function podsPlaceable(state: CoreState, ask: StartAsk): number {
  const start = state.tx.mark();
  let pods = 0;
  const parts = partsOf(state, ask);
  const avoid = withoutHeldSlices(
    state.fleet,
    parts.map(({ shape }) => shape),
    ask,
  );
  for (const { shape, need } of parts) {
    pods += growPart(state.tx, { shape, region: 0, avoid }, need).length;
  }
  state.tx.rollbackTo(start);
  return pods;
}

/** By capacities alone: each part, were all nodes empty and well. An upper bound where parts compete. */
export function wouldFitEmptyFleet(state: CoreState, ask: StartAsk): boolean {
  return partsOf(state, ask).every(({ shape, need }) => {
    return sumOverNodes(state, (row) => podsOnEmptyNode(state, shape, row)) >= need;
  });
}

/** What is short for the first part that does not fit, in the order devices, memory, CPU, pods; and who holds it. */
export function capacityShortage(state: CoreState, ask: StartAsk): Constraint | undefined {
  const parts = partsOf(state, ask);
  const short = parts.find(
    (part) => sumOverNodes(state, (row) => podsThatFit(state.fleet, part.shape, row)) < part.need,
  );
  const part = short ?? parts[0];
  return part === undefined ? undefined : { kind: 'capacity', ...shortageOf(state, part) };
}

function shortageOf(state: CoreState, { shape, need }: GangPart): Shortage {
  const { fleet } = state;
  const { deviceCount, deviceMilli, cpuMilli, memoryMib, flavor } = shape;
  const suited = rows(state).filter((row) => fleet.open.at(row) === 1 && podsOnEmptyNode(state, shape, row) > 0);
  const sum = (fits: (row: number) => number) => suited.reduce((pods, row) => pods + Math.max(0, fits(row)), 0);
  const found = (resource: Shortage['resource'], pods: number, each: number): Shortage => ({
    ...(flavor === undefined ? {} : { flavor }),
    resource,
    // A node can be over its capacity in what these pods do not ask for: then any amount is short.
    short: Math.max(1, need - pods) * Math.max(1, each),
    holders: holdersOnNodes(state, suited, ({ seat }) => {
      if (resource === 'devices') return seat.slots.reduce((milli, slot) => milli + slot.milli, 0);
      return resource === 'memory' ? seat.memoryMib : resource === 'cpu' ? seat.cpuMilli : 1;
    }),
  });
  if (deviceCount > 0) {
    const pods = sum((row) => devicePods(fleet, shape, row));
    if (pods < need) return found('devices', pods, deviceCount * deviceMilli);
  }
  const byMemory = sum((row) => podsInFree(fleet.memoryFree.at(row), memoryMib));
  if (byMemory < need) return found('memory', byMemory, memoryMib);
  const byCpu = sum((row) => podsInFree(fleet.cpuFree.at(row), cpuMilli));
  if (byCpu < need) return found('cpu', byCpu, cpuMilli);
  const pods = sum((row) => fleet.podsFree.at(row));
  if (pods < need) return found('pods', pods, 1);
  // Enough of each, but not on the same nodes: what runs out together with the others.
  const together = sum((row) => podsThatFit(fleet, shape, row));
  return deviceCount > 0 ? found('devices', together, deviceCount * deviceMilli) : found('cpu', together, cpuMilli);
}

function podsOnEmptyNode(state: CoreState, shape: PodShape, row: number): number {
  if (!shape.suitsNode(state.fleet, row)) return 0;
  const { capacity } = state.fleet.recordOf(row).spec;
  let fits = capacity.pods;
  if (shape.cpuMilli > 0) fits = Math.min(fits, Math.floor(capacity.cpuMilli / shape.cpuMilli));
  if (shape.memoryMib > 0) fits = Math.min(fits, Math.floor(capacity.memoryMib / shape.memoryMib));
  if (shape.deviceCount === 0) return fits;
  const perDevice = Math.floor(WHOLE_DEVICE_MILLI / shape.deviceMilli);
  const groups = shape.groupsOn(state.fleet, state.fleet.classOf(row));
  const podsIn = (group: SlotGroup): number =>
    shape.deviceKind === 'partition'
      ? group.count * placesOf(profileOn(shape, group))
      : Math.floor((group.count * perDevice) / shape.deviceCount);
  return Math.min(
    fits,
    groups.reduce((pods, group) => pods + podsIn(group), 0),
  );
}

/** On an empty device; exact where places of one profile do not overlap. */
function placesOf(profile: PartitionProfile | undefined): number {
  return profile === undefined ? 0 : Math.min(profile.positions.length, Math.floor(EIGHTHS / profile.eighths));
}

function partsOf(state: CoreState, ask: StartAsk): readonly GangPart[] {
  return gangParts(state, ask.podSets, choicesToPlace(state, ask)[0] ?? []);
}

function sumOverNodes(state: CoreState, podsOn: (row: number) => number): number {
  return rows(state).reduce((pods, row) => pods + podsOn(row), 0);
}

/** All nodes that are not removed. */
function rows(state: CoreState): readonly number[] {
  const { tree } = state.fleet;
  const found: number[] = [];
  for (let domain = 0; domain < tree.size; domain++) if (tree.rowOf(domain) >= 0) found.push(tree.rowOf(domain));
  return found;
}
