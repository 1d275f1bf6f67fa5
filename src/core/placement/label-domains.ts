import type { FleetState } from '../fleet/index.js';

/** As Kubernetes labels every node; one that does not tell it is known by its name. */
const HOSTNAME = 'kubernetes.io/hostname';

/** The domains that one label makes of the nodes: by row the number of its value, -1 without the label. */
export class LabelDomains {
  readonly #valueOf: number[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(fleet: FleetState, key: string) {
    for (const name of fleet.names()) {
      const row = fleet.rowOf(name);
      const { labels } = fleet.recordOf(row).spec;
      const value = labels[key] ?? (key === HOSTNAME ? name : undefined);
      if (value === undefined) continue;
      const number = this.#numbers.get(value) ?? this.#numbers.size;
      this.#numbers.set(value, number);
      this.#valueOf[row] = number;
    }
  }

  get size(): number {
    return this.#numbers.size;
  }

  of(row: number): number {
    return this.#valueOf[row] ?? -1;
  }
}

/** A whole number for each domain of a label. */
export class DomainCounts {
  readonly #counts: Float64Array;

  constructor(readonly domains: LabelDomains) {
    this.#counts = new Float64Array(domains.size);
  }

  /** 0 where the node is in no domain. */
  at(row: number): number {
    return this.#counts[this.domains.of(row)] ?? 0;
  }

  /** `false`: the node is in no domain. */
  add(row: number, more: number): boolean {
    const domain = this.domains.of(row);
    if (domain < 0) return false;
    this.#counts[domain] = (this.#counts[domain] ?? 0) + more;
    return true;
  }

  /** The smallest among these domains; `undefined` without any. */
  least(domains: ReadonlySet<number>): number | undefined {
    let least: number | undefined;
    for (const domain of domains) least = Math.min(least ?? Infinity, this.#counts[domain] ?? 0);
    return least;
  }
}
