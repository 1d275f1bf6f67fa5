import type { TopologySpread } from '../contract/index.js';
import type { FleetState } from '../fleet/index.js';
import type { LabelDomains } from './label-domains.js';
import { DomainCounts } from './label-domains.js';
import type { PodShape } from './pod-shape.js';

interface Spreading {
  readonly spread: TopologySpread;
  readonly domains: LabelDomains;
  /** Of all constraints of this kind that the pod has: a node has a say only with all of these labels. */
  readonly keys: readonly LabelDomains[];
  /** Does the selector see the pod itself? */
  readonly isOwn: boolean;
}

/**
 * One topology spread constraint, as the plugin `PodTopologySpread` of kube-scheduler reads it: with the pod the domain
 * has at most `maxSkew` more than the emptiest of the domains of nodes that have a say.
 */
export class SpreadRule {
  readonly #spread: TopologySpread;
  readonly #domains: LabelDomains;
  readonly #isOwn: boolean;
  readonly #counts: DomainCounts;
  readonly #hasSay = new Set<number>();
  readonly #domainsWithSay = new Set<number>();
  /** Of the emptiest domain; until something is added. */
  #least: number | undefined;

  constructor(fleet: FleetState, shape: PodShape, { spread, domains, keys, isOwn }: Spreading) {
    this.#spread = spread;
    this.#domains = domains;
    this.#isOwn = isOwn;
    this.#counts = new DomainCounts(domains);
    for (const name of fleet.names()) {
      const row = fleet.rowOf(name);
      const { spec, removed } = fleet.recordOf(row);
      const isPlaced = !removed && keys.every((key) => key.of(row) >= 0);
      if (!isPlaced || !shape.maySpreadOver(spec, spread)) continue;
      this.#hasSay.add(row);
      this.#domainsWithSay.add(domains.of(row));
    }
  }

  add(row: number, pods: number): void {
    if (!this.#hasSay.has(row)) return;
    this.#counts.add(row, pods);
    this.#least = undefined;
  }

  /** A pod of the shape. */
  addOwn(row: number): void {
    if (this.#isOwn) this.add(row, 1);
  }

  allows(row: number): boolean {
    if (this.#domains.of(row) < 0) return false;
    return this.#counts.at(row) + (this.#isOwn ? 1 : 0) - this.#emptiest() <= this.#spread.maxSkew;
  }

  /** For scores: the pods of the node's domain. */
  crowdOn(row: number): number {
    return this.#domains.of(row) < 0 ? Number.MAX_SAFE_INTEGER / 1024 : this.#counts.at(row);
  }

  #emptiest(): number {
    if (this.#domainsWithSay.size < (this.#spread.minDomains ?? 1)) return 0;
    this.#least ??= this.#counts.least(this.#domainsWithSay) ?? 0;
    return this.#least;
  }
}
