import type { FlavorName, Milli, NodeSpec, PodSetSpec, Taint, Toleration } from '../contract/index.js';
import type { FleetState, NodeFlavors } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { podNeed } from '../pod-need.js';
import { Scoring } from './scoring.js';

/** Why a node can never run a pod of the shape, whatever is free there. */
export interface RuledOut {
  readonly by: 'label' | 'taint' | 'model' | 'memory' | 'size';
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
  /** Stands for the nodes alone that ask for no others, where columns are kept by shape. */
  readonly likedNodes = {};
  /** By the number of the class. */
  readonly #verdicts: number[] = [];
  #classEpoch = 0;
  /** Classes below this number were asked whether they dislike such pods. */
  #classesAsked = 0;
  #isDisliked = false;

  constructor(
    readonly podSet: PodSetSpec,
    readonly flavor: FlavorName | undefined,
    readonly scoring = new Scoring(),
  ) {
    this.cpuMilli = podSet.cpuMilli;
    this.memoryMib = podSet.memoryMib;
    this.deviceCount = podSet.devices?.count ?? 0;
    this.deviceMilli = podSet.devices?.milli ?? WHOLE_DEVICE_MILLI;
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
      const { spec, flavors } = fleet.exampleOf(nodeClass);
      verdict = whyNever(this, spec, flavors) !== undefined ? NEVER : isDisliked(this, spec) ? RATHER_NOT : MAY;
      this.#verdicts[nodeClass] = verdict;
    }
    return verdict === MAY ? 'yes' : verdict === RATHER_NOT ? 'rather-not' : 'no';
  }

  #forgetOldClasses({ classEpoch }: FleetState): void {
    if (this.#classEpoch === classEpoch) return;
    this.#classEpoch = classEpoch;
    this.#verdicts.length = 0;
    this.#classesAsked = 0;
    this.#isDisliked = false;
  }
}

/** Gives equal pods the same shape, and all shapes one scoring. The pod set's name and counts are no part of it. */
export class ShapeBook {
  readonly scoring = new Scoring();
  readonly #shapes = new Map<string, PodShape>();

  shapeOf(podSet: PodSetSpec, flavor: FlavorName | undefined): PodShape {
    const key = shapeKey(podSet, flavor);
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    if (this.#shapes.size >= SHAPES_MAX) this.#shapes.clear();
    const shape = new PodShape(podSet, flavor, this.scoring);
    this.#shapes.set(key, shape);
    return shape;
  }
}

/** A cache: what is forgotten is judged again. */
const SHAPES_MAX = 4096;

/** Equal keys: interchangeable pods. */
export function shapeKey(podSet: PodSetSpec, flavor: FlavorName | undefined): string {
  return JSON.stringify([flavor, ...podNeed(podSet)]);
}

/** Of a node's flavors, the one that pods of the set are charged to. */
export function flavorFor({ devices }: PodSetSpec, { device, cpu }: NodeFlavors): FlavorName | undefined {
  return devices === undefined ? cpu : device;
}

/** The first reason in the order model, label, taint, memory, size; `undefined` when an empty node could. */
export function whyNever(shape: PodShape, spec: NodeSpec, flavors: NodeFlavors): RuledOut | undefined {
  const { podSet, flavor } = shape;
  // A flavor is what is charged: devices in a CPU flavor would cost none.
  if (flavor !== undefined && flavor !== flavorFor(podSet, flavors)) return { by: 'model', value: flavor };
  if (shape.deviceCount > 0 && spec.accelerators === undefined) return { by: 'model', value: flavor ?? 'any' };
  for (const [key, value] of Object.entries(podSet.nodeSelector)) {
    if (spec.labels[key] !== value) return { by: 'label', value: `${key}=${value}` };
  }
  const taint = spec.taints.find(({ effect, ...rest }) => {
    return effect !== 'PreferNoSchedule' && !isTolerated({ effect, ...rest }, podSet.tolerations);
  });
  if (taint !== undefined) return { by: 'taint', value: `${taint.key}=${taint.value}:${taint.effect}` };
  const deviceMemory = podSet.devices?.memoryMib;
  if (deviceMemory !== undefined && (spec.accelerators?.memoryMib ?? 0) < deviceMemory) {
    return { by: 'memory', value: `${deviceMemory}Mi` };
  }
  const size = tooLarge(shape, spec);
  return size === undefined ? undefined : { by: 'size', value: size };
}

function tooLarge(shape: PodShape, spec: NodeSpec): string | undefined {
  if (shape.deviceMilli < WHOLE_DEVICE_MILLI && shape.deviceCount > 1) return 'a fraction of more than one device';
  if (shape.deviceCount > (spec.accelerators?.count ?? 0)) return `${shape.deviceCount} devices`;
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
