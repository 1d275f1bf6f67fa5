import type { FlavorName, WorkloadId } from '../contract/index.js';
import { compareText } from '../text-order.js';

/** One that has fewer pods than it may have; `isActive`: worth a trial in the next settle. */
export interface GrowthRecord {
  readonly workload: WorkloadId;
  readonly isActive: boolean;
}

/**
 * Running workloads that have fewer pods than they may have. Like a group of waiting ones each is *active* until it was
 * tried and found no more room, then *parked* until something of a flavor of it comes free: so a settle costs what
 * changed, however many would like to grow.
 */
export class GrowingWorkloads {
  readonly #flavorsOf = new Map<WorkloadId, ReadonlySet<FlavorName>>();
  readonly #byFlavor = new Map<FlavorName, Set<WorkloadId>>();
  readonly #active = new Set<WorkloadId>();

  /** Is short of pods now, and worth a trial. */
  add(id: WorkloadId, flavors: Iterable<FlavorName>): void {
    this.remove(id);
    const own = new Set(flavors);
    this.#flavorsOf.set(id, own);
    for (const flavor of own) {
      const ids = this.#byFlavor.get(flavor) ?? new Set();
      ids.add(id);
      this.#byFlavor.set(flavor, ids);
    }
    this.#active.add(id);
  }

  /** Has all its pods, or does not run any more. */
  remove(id: WorkloadId): void {
    for (const flavor of this.#flavorsOf.get(id) ?? []) this.#byFlavor.get(flavor)?.delete(id);
    this.#flavorsOf.delete(id);
    this.#active.delete(id);
  }

  has(id: WorkloadId): boolean {
    return this.#flavorsOf.has(id);
  }

  park(id: WorkloadId): void {
    this.#active.delete(id);
  }

  /** Sorted by id. */
  active(): readonly WorkloadId[] {
    return [...this.#active].sort(compareText);
  }

  wake(flavor: FlavorName): void {
    for (const id of this.#byFlavor.get(flavor) ?? []) this.#active.add(id);
  }

  wakeOne(id: WorkloadId): void {
    if (this.has(id)) this.#active.add(id);
  }

  wakeAll(): void {
    for (const id of this.#flavorsOf.keys()) this.#active.add(id);
  }

  /** For the snapshot; sorted by id. */
  records(): readonly GrowthRecord[] {
    const ids = [...this.#flavorsOf.keys()].sort(compareText);
    return ids.map((workload) => ({ workload, isActive: this.#active.has(workload) }));
  }
}
