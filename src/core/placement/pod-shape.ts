import type {
  FlavorName,
  Milli,
  NodeSpec,
  PartitionProfile,
  PodSetSpec,
  Taint,
  Toleration,
  TopologySpread,
} from '../contract/index.js';
import type { FleetState, NodeExample, SlotGroup } from '../fleet/index.js';
import { EIGHTHS, WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { podNeed, podSize } from '../pod-need.js';
import type { StandingRules } from '../standing-rules.js';
import { standingRules } from '../standing-rules.js';
import { matchesNodeAffinity, matchesTerm, mayMatchNodeAffinity } from './node-affinity.js';
import { Scoring } from './scoring.js';

/** Why a node can never run a pod of the shape, whatever is free there. */
export interface RuledOut {
  readonly by: 'label' | 'affinity' | 'volume' | 'taint' | 'model' | 'memory' | 'size';
  readonly value: string;
}

const UNKNOWN = 0;
const NEVER = 1;
const MAY = 2;
/** It may, but a `PreferNoSchedule` taint asks for another. */
const RATHER_NOT = 3;

/**
 * Equal pods in one flavor: what they ask of a node. Interned, so equal pod sets of thousands of workloads are one
 * shape, and judged once for each class of nodes.
 */
export class PodShape {
  readonly cpuMilli: Milli;
  readonly memoryMib: number;
  /** Devices of one pod; 0 for none. */
  readonly deviceCount: number;
  readonly deviceMilli: Milli;
  /** Of a whole device, a fraction, or a partition of a profile. */
  readonly deviceKind: 'whole' | 'fraction' | 'partition';
  /** What others see of its pods; `undefined`: nothing, and nothing beyond the node matters to them. */
  readonly standing: StandingRules | undefined;
  /** Stands for the nodes alone that ask for no others, where columns are kept by shape. */
  readonly likedNodes = {};
  readonly #volumeNodes: ReadonlySet<string> | undefined;
  readonly #asksForNames: boolean;
  /** By the number of the class. */
  readonly #verdicts: number[] = [];
  readonly #groups: (readonly SlotGroup[] | undefined)[] = [];
  #classEpoch = 0;
  /** Classes below this number were asked whether they dislike such pods. */
  #classesAsked = 0;
  #isDisliked = false;

  constructor(
    readonly podSet: PodSetSpec,
    readonly flavor: FlavorName | undefined,
    readonly scoring = new Scoring(),
  ) {
    ({ cpuMilli: this.cpuMilli, memoryMib: this.memoryMib } = podSize(podSet));
    this.standing = standingRules(podSet);
    this.#volumeNodes = podSet.volumeNodes && new Set(podSet.volumeNodes);
    this.#asksForNames = podSet.nodeAffinity?.some(({ matchFields }) => matchFields !== undefined) === true;
    this.deviceCount = podSet.devices?.count ?? 0;
    this.deviceMilli = podSet.devices?.milli ?? WHOLE_DEVICE_MILLI;
    const isWhole = this.deviceMilli === WHOLE_DEVICE_MILLI;
    this.deviceKind = podSet.devices?.profile !== undefined ? 'partition' : isWhole ? 'whole' : 'fraction';
  }

  /** Does any node ask such pods for others, by a `PreferNoSchedule` taint? */
  isDislikedSomewhere(fleet: FleetState): boolean {
    this.#forgetOldClasses(fleet);
    while (!this.#isDisliked && this.#classesAsked < fleet.classCount) {
      this.#isDisliked = this.suits(fleet, this.#classesAsked++) === 'rather-not';
    }
    return this.#isDisliked;
  }

  /** Could a node of this class run such a pod, were it empty? `rather-not`: only when no other does. */
  suits(fleet: FleetState, nodeClass: number): 'yes' | 'rather-not' | 'no' {
    this.#forgetOldClasses(fleet);
    let verdict = this.#verdicts[nodeClass] ?? UNKNOWN;
    if (verdict === UNKNOWN) {
      const example = fleet.exampleOf(nodeClass);
      verdict = whyNever(this, example) !== undefined ? NEVER : isDisliked(this, example.spec) ? RATHER_NOT : MAY;
      this.#verdicts[nodeClass] = verdict;
    }
    return verdict === MAY ? 'yes' : verdict === RATHER_NOT ? 'rather-not' : 'no';
  }

  /** Could this very node run such a pod, were it empty? By its class, and where it matters by its name. */
  suitsNode(fleet: FleetState, row: number): boolean {
    if (this.suits(fleet, fleet.classOf(row)) === 'no') return false;
    return this.#isNameless || this.whyNotByName(fleet.recordOf(row).spec) === undefined;
  }

  /** Nodes of one class differ by their names: in the volumes they reach, and in affinity that names nodes. */
  whyNotByName(spec: NodeSpec): RuledOut | undefined {
    if (this.#volumeNodes?.has(spec.name) === false) return { by: 'volume', value: 'not reachable' };
    const isOther = this.#asksForNames && !matchesNodeAffinity(this.podSet.nodeAffinity ?? [], spec);
    return isOther ? { by: 'affinity', value: 'node affinity' } : undefined;
  }

  get #isNameless(): boolean {
    return this.#volumeNodes === undefined && !this.#asksForNames;
  }

  /** Has the node a say in how such pods spread? By default when their selector and affinity allow it. */
  maySpreadOver(spec: NodeSpec, { nodeAffinityPolicy, nodeTaintsPolicy }: TopologySpread): boolean {
    const { nodeSelector, nodeAffinity, tolerations } = this.podSet;
    if (nodeAffinityPolicy !== 'Ignore') {
      if (Object.entries(nodeSelector).some(([key, value]) => spec.labels[key] !== value)) return false;
      if (nodeAffinity !== undefined && !matchesNodeAffinity(nodeAffinity, spec)) return false;
    }
    return nodeTaintsPolicy !== 'Honor' || forbiddingTaint(spec, tolerations) === undefined;
  }

  /** How much it prefers such a node by its labels and name: the weights that match, at most `PREFERENCE_MAX`. */
  preferenceFor(spec: NodeSpec): number {
    let sum = 0;
    for (const { weight, term } of this.podSet.preferredNodeAffinity ?? []) if (matchesTerm(term, spec)) sum += weight;
    return Math.min(PREFERENCE_MAX, sum);
  }

  /** The devices of such a node that the pods may use; those of one pod are all of one group. */
  groupsOn(fleet: FleetState, nodeClass: number): readonly SlotGroup[] {
    this.#forgetOldClasses(fleet);
    const known = this.#groups[nodeClass];
    if (known !== undefined) return known;
    const groups = fleet.exampleOf(nodeClass).slotGroups.filter((group) => whyNotGroup(this, group) === undefined);
    this.#groups[nodeClass] = groups;
    return groups;
  }

  #forgetOldClasses({ classEpoch }: FleetState): void {
    if (this.#classEpoch === classEpoch) return;
    this.#classEpoch = classEpoch;
    this.#verdicts.length = 0;
    this.#groups.length = 0;
    this.#classesAsked = 0;
    this.#isDisliked = false;
  }
}

/** Gives equal pods the same shape, and all shapes one scoring. The pod set's name and counts are no part of it. */
export class ShapeBook {
  readonly scoring = new Scoring();
  readonly #shapes = new Map<string, PodShape>();
  /** The same by the pod set as it was asked for last: a key takes longer to write than to look up. */
  #known = new WeakMap<PodSetSpec, PodShape>();

  shapeOf(podSet: PodSetSpec, flavor: FlavorName | undefined): PodShape {
    const last = this.#known.get(podSet);
    if (last !== undefined && last.flavor === flavor) return last;
    const shape = this.#byKey(podSet, flavor);
    this.#known.set(podSet, shape);
    return shape;
  }

  #byKey(podSet: PodSetSpec, flavor: FlavorName | undefined): PodShape {
    const key = shapeKey(podSet, flavor);
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    if (this.#shapes.size >= SHAPES_MAX) {
      this.#shapes.clear();
      this.#known = new WeakMap();
    }
    const shape = new PodShape(podSet, flavor, this.scoring);
    this.#shapes.set(key, shape);
    return shape;
  }
}

export const PREFERENCE_MAX = 500;

/** A cache: what is forgotten is judged again. */
const SHAPES_MAX = 4096;

/** Equal keys: interchangeable pods. */
export function shapeKey(podSet: PodSetSpec, flavor: FlavorName | undefined): string {
  return JSON.stringify([flavor, ...podNeed(podSet)]);
}

/** The first reason in the order model, label, taint, memory, size; `undefined` when an empty node could. */
export function whyNever(shape: PodShape, { spec, flavors, slotGroups }: NodeExample): RuledOut | undefined {
  const { podSet, flavor } = shape;
  const devices = shape.deviceCount > 0 ? whyNoGroup(shape, slotGroups) : undefined;
  if (devices?.by === 'model') return devices;
  // A flavor is what is charged: CPU pods in a flavor of devices would cost none.
  if (shape.deviceCount === 0 && flavor !== undefined && flavor !== flavors.cpu) return { by: 'model', value: flavor };
  for (const [key, value] of Object.entries(podSet.nodeSelector)) {
    if (spec.labels[key] !== value) return { by: 'label', value: `${key}=${value}` };
  }
  if (podSet.nodeAffinity !== undefined && !mayMatchNodeAffinity(podSet.nodeAffinity, spec)) {
    return { by: 'affinity', value: 'node affinity' };
  }
  const taint = forbiddingTaint(spec, podSet.tolerations);
  if (taint !== undefined) return { by: 'taint', value: `${taint.key}=${taint.value}:${taint.effect}` };
  if (devices !== undefined) return devices;
  const size = tooLarge(shape, spec);
  return size === undefined ? undefined : { by: 'size', value: size };
}

function forbiddingTaint({ taints }: NodeSpec, tolerations: readonly Toleration[]): Taint | undefined {
  return taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(taint, tolerations));
}

/** Of several groups, the reason that comes latest in the order: the nearest miss. */
function whyNoGroup(shape: PodShape, groups: readonly SlotGroup[]): RuledOut | undefined {
  let nearest: RuledOut = { by: 'model', value: shape.flavor ?? 'any' };
  for (const group of groups) {
    const why = whyNotGroup(shape, group);
    if (why === undefined) return undefined;
    if (GROUP_REASONS.indexOf(why.by) > GROUP_REASONS.indexOf(nearest.by)) nearest = why;
  }
  return nearest;
}

const GROUP_REASONS: readonly RuledOut['by'][] = ['model', 'memory', 'size'];

/** The profile that the shape asks of such devices; `undefined` when they have none of that name and size. */
export function profileOn({ podSet, deviceMilli }: PodShape, { profiles }: SlotGroup): PartitionProfile | undefined {
  const wanted = podSet.devices?.profile;
  return profiles?.find(({ name, eighths }) => name === wanted && eighths * EIGHTH_MILLI === deviceMilli);
}

const EIGHTH_MILLI = WHOLE_DEVICE_MILLI / EIGHTHS;

function whyNotGroup(shape: PodShape, group: SlotGroup): RuledOut | undefined {
  const { podSet, flavor, deviceCount, deviceKind } = shape;
  if (flavor !== undefined && flavor !== group.flavor) return { by: 'model', value: flavor };
  const memory = podSet.devices?.memoryMib;
  if (memory !== undefined && (group.memoryMib ?? 0) < memory) return { by: 'memory', value: `${memory}Mi` };
  if (deviceKind === 'partition' && profileOn(shape, group) === undefined) {
    return { by: 'size', value: `partition ${podSet.devices?.profile ?? ''}` };
  }
  if (deviceKind !== 'whole' && deviceCount > 1)
    return { by: 'size', value: `a ${deviceKind} of more than one device` };
  return deviceCount > group.count ? { by: 'size', value: `${deviceCount} devices` } : undefined;
}

function tooLarge(shape: PodShape, spec: NodeSpec): string | undefined {
  if (shape.cpuMilli > spec.capacity.cpuMilli) return `${shape.cpuMilli}m cpu`;
  if (shape.memoryMib > spec.capacity.memoryMib) return `${shape.memoryMib}Mi memory`;
  return spec.capacity.pods < 1 ? '1 pods' : undefined;
}

function isDisliked(shape: PodShape, spec: NodeSpec): boolean {
  return spec.taints.some(
    (taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(taint, shape.podSet.tolerations),
  );
}

/** As Kubernetes does: no effect tolerates each effect, `Exists` without key tolerates everything. */
function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some(({ key, operator, value, effect }) => {
    if (effect !== undefined && effect !== taint.effect) return false;
    if (key === undefined) return operator === 'Exists';
    return key === taint.key && (operator === 'Exists' || (value ?? '') === taint.value);
  });
}
