import type { Charge, FlavorName, Milli, QueueName, QueueSpec } from '../core/index.js';

/** What the quota tree says about one queue and flavor, in milli. */
export interface QuotaLevel {
  readonly subtree: Milli;
  readonly kept: Milli;
  readonly usage: Milli;
  /** What it keeps for itself and could draw from above, were nothing used. */
  readonly lendable: Milli;
  /** By how much it uses more than quota and limits allow, at this queue alone; 0: it does not. */
  readonly excess: Milli;
}

const PER_MILLE = 1000;

/** The law of quota as written, by plain recursion on the queues and the live charges: a second opinion. */
export class QuotaLevels {
  readonly #queues: ReadonlyMap<QueueName, QueueSpec>;
  readonly #charges: readonly Charge[];

  constructor(queues: ReadonlyMap<QueueName, QueueSpec>, charges: readonly Charge[]) {
    this.#queues = queues;
    this.#charges = charges;
  }

  /** Flavors that a queue or a charge names, in code-unit order. */
  flavors(): readonly FlavorName[] {
    const named = [...this.#queues.values()].flatMap(({ quotas }) => Object.keys(quotas));
    return [...new Set([...named, ...this.#charges.map(({ flavor }) => flavor)])].sort();
  }

  /** Whether a queue of the tree names the flavor; if not, quota does not manage it. */
  manages(queue: QueueName, flavor: FlavorName): boolean {
    return [...this.#queues.values()].some(
      ({ name, quotas }) => flavor in quotas && this.#rootOf(name) === this.#rootOf(queue),
    );
  }

  levelOf(queue: QueueName, flavor: FlavorName): QuotaLevel {
    const { subtree, kept, usage } = this.#sums(queue, flavor);
    const spec = this.#queues.get(queue);
    const parent = spec?.parent;
    const limit = spec?.quotas[flavor]?.borrowingLimit;
    if (parent === undefined) return { subtree, kept, usage, lendable: subtree, excess: Math.max(0, usage - subtree) };
    const above = this.levelOf(parent, flavor).lendable;
    const fromParent = limit === undefined ? above : Math.min(above, subtree - kept + limit);
    const excess = limit === undefined ? 0 : Math.max(0, usage - kept - (subtree - kept) - limit);
    return { subtree, kept, usage, lendable: kept + fromParent, excess };
  }

  /** Weighted dominant share in per mille, rounded down; `undefined` with weight 0 or nothing to borrow from. */
  shareOf(queue: QueueName): number | undefined {
    const { parent, weight } = this.#queues.get(queue) ?? { weight: 1 };
    if (parent === undefined) return 0;
    const shares = this.flavors().map((flavor) => {
      const { usage, subtree } = this.levelOf(queue, flavor);
      const borrowed = Math.max(0, usage - subtree);
      return borrowed === 0 ? 0 : (borrowed * PER_MILLE) / (this.levelOf(parent, flavor).lendable * weight);
    });
    const share = Math.max(0, ...shares);
    return Number.isFinite(share) ? Math.floor(share) : undefined;
  }

  #sums(
    queue: QueueName,
    flavor: FlavorName,
  ): { readonly subtree: Milli; readonly kept: Milli; readonly usage: Milli } {
    const quota = this.#queues.get(queue)?.quotas[flavor];
    let subtree = quota?.nominal ?? 0;
    let usage = this.#charges
      .filter((charge) => charge.queue === queue && charge.flavor === flavor)
      .reduce((sum, { milli }) => sum + milli, 0);
    for (const { name, parent } of this.#queues.values()) {
      if (parent !== queue) continue;
      const below = this.#sums(name, flavor);
      subtree += below.subtree - below.kept;
      usage += Math.max(0, below.usage - below.kept);
    }
    const lending = quota?.lendingLimit;
    return { subtree, usage, kept: lending === undefined ? 0 : Math.max(0, subtree - lending) };
  }

  #rootOf(queue: QueueName): QueueName {
    const parent = this.#queues.get(queue)?.parent;
    return parent === undefined ? queue : this.#rootOf(parent);
  }
}
