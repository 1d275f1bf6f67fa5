import type { DomainId, FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import type { PodShape } from './pod-shape.js';

/** Rows that a workload must not use although they are open, e.g. since they refused its pods. */
export type AvoidedRows = ReadonlySet<number>;

/**
 * How many pods of the shape fit on the node now, together; exact. 0 when it takes no work, does not suit, or is over
 * its capacity in anything, also in what the pods do not ask for: the ledger takes no claim on such a node.
 */
export function podsThatFit(fleet: FleetState, shape: PodShape, row: number): number {
  if (fleet.open.at(row) === 0 || shape.suits(fleet, fleet.classOf(row)) === 'no') return 0;
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
  if (shape.deviceMilli === WHOLE_DEVICE_MILLI) return Math.floor(fleet.wholeFree.at(row) / shape.deviceCount);
  const base = fleet.slotBase(row);
  let fits = 0;
  for (let slot = base; slot < base + fleet.slotCount(row); slot++) {
    if (fleet.slotClosed.at(slot) === 0) fits += Math.max(0, Math.floor(fleet.slotFree.at(slot) / shape.deviceMilli));
  }
  return fits;
}

/** Every `size` pods stand together in one domain of the level (its number in the tree). */
export interface Slices {
  readonly level: number;
  readonly size: number;
}

/**
 * By domain: how many pods of one shape fit there now, exact for one shape. With slices: how many in whole slices, in
 * domains of their level and further out; single pods further in. Valid until something is taken or given.
 */
export class FitSums {
  readonly #sums: Float64Array;
  readonly #from: DomainId;
  readonly #disliked: number[] = [];

  constructor(ask: {
    readonly fleet: FleetState;
    readonly shape: PodShape;
    readonly avoid: AvoidedRows;
    /** Only inside this domain. */
    readonly within: DomainId;
    readonly slices?: Slices | undefined;
  }) {
    const { fleet, shape, avoid, within, slices } = ask;
    const { tree } = fleet;
    this.#from = within;
    this.#sums = new Float64Array(tree.endOf(within) - within);
    for (let domain = tree.endOf(within) - 1; domain >= within; domain--) {
      const row = tree.rowOf(domain);
      if (row >= 0 && !avoid.has(row)) {
        const fits = podsThatFit(fleet, shape, row);
        this.#sums[domain - within] = fits;
        if (fits > 0 && shape.suits(fleet, fleet.classOf(row)) === 'rather-not') this.#disliked.push(row);
      }
      const level = tree.levelOfDomain(domain);
      const parent = tree.parentOf(domain);
      if (level === slices?.level) this.#sums[domain - within] = wholeSlices(this.of(domain), slices.size);
      // What is in no domain of their level holds no slice.
      const holdsNone = slices !== undefined && level > slices.level && tree.levelOfDomain(parent) < slices.level;
      if (holdsNone) this.#sums[domain - within] = 0;
      if (parent >= within) this.#sums[parent - within] = this.of(parent) + this.of(domain);
    }
  }

  /** Rows that count in the sums and have a `PreferNoSchedule` taint against such pods. */
  get disliked(): readonly number[] {
    return this.#disliked;
  }

  of(domain: DomainId): number {
    return this.#sums[domain - this.#from] ?? 0;
  }
}

/** The pods among these that make whole slices. */
export function wholeSlices(pods: number, size: number): number {
  return pods - (pods % size);
}
