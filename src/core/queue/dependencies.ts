import type { WorkloadId, WorkloadSpec } from '../contract/index.js';
import { compareText } from '../text-order.js';

/** Which unfinished workloads name which others in `dependsOn`. */
export class Dependencies {
  readonly #dependents = new Map<WorkloadId, Set<WorkloadId>>();

  add({ id, dependsOn = [] }: WorkloadSpec): void {
    for (const other of dependsOn) {
      const ids = this.#dependents.get(other) ?? new Set();
      ids.add(id);
      this.#dependents.set(other, ids);
    }
  }

  remove({ id, dependsOn = [] }: WorkloadSpec): void {
    for (const other of dependsOn) {
      const ids = this.#dependents.get(other);
      ids?.delete(id);
      if (ids?.size === 0) this.#dependents.delete(other);
    }
  }

  /** Those that depend on it; sorted. */
  of(id: WorkloadId): readonly WorkloadId[] {
    return [...(this.#dependents.get(id) ?? [])].sort(compareText);
  }
}
