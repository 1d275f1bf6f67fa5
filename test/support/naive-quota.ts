import type { Milli, QueueSpec } from '../../src/core/index.js';

/** Charges of leaves by queue, then flavor. */
export type Charges = ReadonlyMap<string, ReadonlyMap<string, Milli>>;

/**
 * The quota law and the weighted dominant share, written down as plainly as they are stated: recursion over specs,
 * nothing kept, nothing shared with the core. Trusted because it can be read.
 */
export class NaiveQuota {
  constructor(
    private readonly queues: readonly QueueSpec[],
    private readonly charges: Charges,
  ) {}

  with(queue: string, flavor: string, milli: Milli): NaiveQuota {
    const own = new Map(this.charges.get(queue));
    own.set(flavor, (own.get(flavor) ?? 0) + milli);
    return new NaiveQuota(this.queues, new Map([...this.charges, [queue, own]]));
  }

  spec(name: string): QueueSpec {
    const found = this.queues.find((queue) => queue.name === name);
    if (found === undefined) throw new Error(`no queue ${name}`);
    return found;
  }

  children(name: string): readonly QueueSpec[] {
    return this.queues.filter(({ parent }) => parent === name);
  }

  roots(): readonly QueueSpec[] {
    return this.queues.filter(({ parent }) => parent === undefined);
  }

  /** The queue first, its root last. */
  path(name: string): readonly string[] {
    const { parent } = this.spec(name);
    return parent === undefined ? [name] : [name, ...this.path(parent)];
  }

  flavors(): readonly string[] {
    const named = this.queues.flatMap(({ quotas }) => Object.keys(quotas));
    return [...new Set([...named, ...[...this.charges.values()].flatMap((own) => [...own.keys()])])].sort();
  }

  isManaged(name: string, flavor: string): boolean {
    const root = this.path(name).at(-1);
    return this.queues.some((queue) => queue.quotas[flavor] !== undefined && this.path(queue.name).at(-1) === root);
  }

  subtree(name: string, flavor: string): Milli {
    const lent = this.children(name).map((child) => this.subtree(child.name, flavor) - this.kept(child.name, flavor));
    return lent.reduce((sum, milli) => sum + milli, this.spec(name).quotas[flavor]?.nominal ?? 0);
  }

  kept(name: string, flavor: string): Milli {
    const limit = this.spec(name).quotas[flavor]?.lendingLimit;
    return limit === undefined ? 0 : Math.max(0, this.subtree(name, flavor) - limit);
  }

  usage(name: string, flavor: string): Milli {
    const drawn = this.children(name).map((child) =>
      Math.max(0, this.usage(child.name, flavor) - this.kept(child.name, flavor)),
    );
    return drawn.reduce((sum, milli) => sum + milli, this.charges.get(name)?.get(flavor) ?? 0);
  }

  available(name: string, flavor: string): Milli {
    const { parent, quotas } = this.spec(name);
    const usage = this.usage(name, flavor);
    if (parent === undefined) return this.subtree(name, flavor) - usage;
    const kept = this.kept(name, flavor);
    const limit = quotas[flavor]?.borrowingLimit;
    const above = this.available(parent, flavor);
    const cap = this.subtree(name, flavor) - kept - Math.max(0, usage - kept) + (limit ?? 0);
    return Math.max(0, kept - usage) + (limit === undefined ? above : Math.min(above, cap));
  }

  fits(name: string, flavor: string, milli: Milli): boolean {
    return milli === 0 || !this.isManaged(name, flavor) || milli <= this.available(name, flavor);
  }

  /** Of the queue as it is charged now; infinite for a loan that nothing can be divided by. */
  share(name: string): number {
    const { parent, weight } = this.spec(name);
    if (parent === undefined) return 0;
    const unused = new NaiveQuota(this.queues, new Map());
    const ofFlavor = this.flavors().map((flavor) => {
      const borrowed = Math.max(0, this.usage(name, flavor) - this.subtree(name, flavor));
      if (borrowed === 0 || !this.isManaged(name, flavor)) return 0;
      const lendable = unused.available(parent, flavor);
      // In parts per million, as shares are compared: quotients of doubles may differ where shares are equal.
      return lendable <= 0 || weight === 0 ? Infinity : Math.floor((borrowed * 1_000_000) / (lendable * weight));
    });
    return Math.max(0, ...ofFlavor);
  }
}
