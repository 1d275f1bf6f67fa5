import type { Charge, FlavorName, Milli, QueueName, QueueSpec } from '../contract/index.js';
import { invariant } from '../invariant.js';
import type { Column, Journal } from '../journal.js';
import { compareText } from '../text-order.js';
import type { QuotaTreeRow } from './check-charge.js';

/** What a charge would do: `borrows` when the queue would use more than its own subtree. */
export type QuotaFit =
  | { readonly kind: 'fits'; readonly borrows: boolean }
  | { readonly kind: 'exceeds'; readonly queue: QueueName; readonly shortMilli: Milli };

/** One flavor; rows are queues. */
interface Account {
  readonly raised: Column;
  readonly own: Column;
  readonly usage: Column;
  readonly subtree: Column;
  readonly kept: Column;
  /** By root: 1 when a queue of its tree names the flavor. */
  readonly managed: Column;
}

interface Queue {
  readonly row: number;
  readonly spec: QueueSpec;
}

/**
 * The quota tree of all queues, each flavor an account of columns: what `checkCharge` computes by recursion is kept up
 * to date here, on a charge along the path only. A queue whose parent is not there (yet) gets nothing.
 */
export class QuotaTree {
  readonly #journal: Journal;
  readonly #queues = new Map<QueueName, Queue>();
  readonly #children = new Map<QueueName, QueueName[]>();
  readonly #accounts = new Map<FlavorName, Account>();
  #rows = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  names(): readonly QueueName[] {
    return [...this.#queues.keys()].sort(compareText);
  }

  spec(queue: QueueName): QueueSpec | undefined {
    return this.#queues.get(queue)?.spec;
  }

  isLeaf(queue: QueueName): boolean {
    return this.#queues.has(queue) && !this.#children.has(queue);
  }

  /** Flavors that a queue names or is charged for, sorted; not those of queues that are gone. */
  flavors(): readonly FlavorName[] {
    const queues = [...this.#queues.values()];
    return [...this.#accounts]
      .filter(([flavor, { own }]) => queues.some(({ spec, row }) => flavor in spec.quotas || own.at(row) !== 0))
      .map(([flavor]) => flavor)
      .sort(compareText);
  }

  /** `cycle`: the queue would be its own ancestor, nothing is changed. */
  set(spec: QueueSpec): 'set' | 'cycle' {
    for (let name = spec.parent; name !== undefined; name = this.spec(name)?.parent) {
      if (name === spec.name) return 'cycle';
    }
    const known = this.#queues.get(spec.name);
    this.#queues.set(spec.name, { row: known?.row ?? this.#rows++, spec });
    this.#rebuild();
    return 'set';
  }

  /** The caller has made sure that nothing is charged to it. */
  remove(queue: QueueName): 'removed' | 'unknown' | 'has-children' {
    if (!this.#queues.has(queue)) return 'unknown';
    if (this.#children.has(queue)) return 'has-children';
    this.#queues.delete(queue);
    this.#rebuild();
    return 'removed';
  }

  charge({ queue, flavor, milli }: Charge): void {
    const account = this.#account(flavor);
    const entry = this.#queues.get(queue);
    invariant(entry !== undefined, 'the charged queue is known', { queue });
    account.own.add(entry.row, milli);
    this.#addUsage(account, entry, milli);
  }

  refund({ queue, flavor, milli }: Charge): void {
    this.charge({ queue, flavor, milli: -milli });
  }

  /** In milli; `undefined`: no queue of its tree names the flavor. */
  available(queue: QueueName, flavor: FlavorName): Milli | undefined {
    return this.#availability(queue, flavor)?.available;
  }

  fits({ queue, flavor, milli }: Charge): QuotaFit {
    const entry = this.#queues.get(queue);
    if (milli <= 0) return { kind: 'fits', borrows: false };
    if (entry === undefined || !this.isLeaf(queue)) return { kind: 'exceeds', queue, shortMilli: milli };
    const state = this.#availability(queue, flavor);
    if (state === undefined) return { kind: 'fits', borrows: false };
    if (milli > state.available) return { kind: 'exceeds', queue: state.binding, shortMilli: milli - state.available };
    const account = this.#account(flavor);
    return { kind: 'fits', borrows: account.usage.at(entry.row) + milli > account.subtree.at(entry.row) };
  }

  /** As if the queue had so much more nominal quota: for a trial that is rolled back. */
  raise({ queue, flavor, milli }: Charge): void {
    const entry = this.#queues.get(queue);
    if (entry === undefined) return;
    const account = this.#account(flavor);
    account.raised.add(entry.row, milli);
    this.#recompute(flavor, account);
  }

  usage(queue: QueueName, flavor: FlavorName): { readonly used: Milli; readonly subtree: Milli } {
    const row = this.#queues.get(queue)?.row;
    const account = this.#accounts.get(flavor);
    if (row === undefined || account === undefined) return { used: 0, subtree: 0 };
    return { used: account.usage.at(row), subtree: account.subtree.at(row) };
  }

  /** Is `queue` the ancestor, or the same? */
  contains(ancestor: QueueName, queue: QueueName): boolean {
    let name: QueueName | undefined = queue;
    while (name !== undefined && name !== ancestor) name = this.spec(name)?.parent;
    return name === ancestor;
  }

  /** The same tree as the ledger's rows have it. */
  rows(): readonly QuotaTreeRow[] {
    return this.names().map((name) => {
      const entry = this.#queues.get(name);
      invariant(entry !== undefined, 'the queue is known', { name });
      const { spec, row } = entry;
      const usage: Record<FlavorName, Milli> = {};
      for (const flavor of this.flavors()) usage[flavor] = this.#account(flavor).own.at(row);
      return { name, ...(spec.parent === undefined ? {} : { parent: spec.parent }), quotas: spec.quotas, usage };
    });
  }

  #availability(
    queue: QueueName,
    flavor: FlavorName,
  ): { readonly available: Milli; readonly binding: QueueName } | undefined {
    const path = this.#pathFromRoot(queue);
    const root = path[0];
    if (root === undefined) return { available: 0, binding: queue };
    const account = this.#account(flavor);
    if (account.managed.at(root.row) === 0) return undefined;
    let available = account.subtree.at(root.row) - account.usage.at(root.row);
    let binding = root.spec.name;
    for (const { row, spec } of path.slice(1)) {
      const kept = account.kept.at(row);
      const usage = account.usage.at(row);
      const limit = spec.quotas[flavor]?.borrowingLimit;
      const cap = account.subtree.at(row) - kept - Math.max(0, usage - kept) + (limit ?? 0);
      if (limit !== undefined && cap < available) {
        available = cap;
        binding = spec.name;
      }
      available += Math.max(0, kept - usage);
    }
    return { available, binding };
  }

  /** Root first; empty when the way to a root is broken. */
  #pathFromRoot(queue: QueueName): readonly Queue[] {
    const path: Queue[] = [];
    let name: QueueName | undefined = queue;
    while (name !== undefined) {
      const entry = this.#queues.get(name);
      if (entry === undefined) return [];
      path.push(entry);
      name = entry.spec.parent;
    }
    return path.reverse();
  }

  #addUsage(account: Account, from: Queue, milli: Milli): void {
    let delta = milli;
    for (let at: Queue | undefined = from; at !== undefined && delta !== 0;) {
      const before = account.usage.at(at.row);
      const kept = account.kept.at(at.row);
      account.usage.set(at.row, before + delta);
      delta = Math.max(0, before + delta - kept) - Math.max(0, before - kept);
      at = at.spec.parent === undefined ? undefined : this.#queues.get(at.spec.parent);
    }
  }

  #account(flavor: FlavorName): Account {
    const known = this.#accounts.get(flavor);
    if (known !== undefined) return known;
    const column = () => this.#journal.column();
    const account: Account = {
      raised: column(),
      own: column(),
      usage: column(),
      subtree: column(),
      kept: column(),
      managed: column(),
    };
    this.#accounts.set(flavor, account);
    this.#recompute(flavor, account);
    return account;
  }

  #rebuild(): void {
    this.#children.clear();
    for (const { spec } of this.#queues.values()) {
      if (spec.parent === undefined) continue;
      const siblings = this.#children.get(spec.parent) ?? [];
      siblings.push(spec.name);
      this.#children.set(spec.parent, siblings);
      for (const flavor of Object.keys(spec.quotas)) this.#account(flavor);
    }
    for (const { spec } of this.#queues.values()) for (const flavor of Object.keys(spec.quotas)) this.#account(flavor);
    for (const [flavor, account] of this.#accounts) this.#recompute(flavor, account);
  }

  #recompute(flavor: FlavorName, account: Account): void {
    for (const queue of this.#queues.values()) {
      const isTop = queue.spec.parent === undefined || !this.#queues.has(queue.spec.parent);
      if (isTop) account.managed.set(queue.row, this.#sum(flavor, account, queue) ? 1 : 0);
    }
  }

  /** Sums of the queue and all below it; whether one of them names the flavor. */
  #sum(flavor: FlavorName, account: Account, { row, spec }: Queue): boolean {
    const quota = spec.quotas[flavor];
    let subtree = (quota?.nominal ?? 0) + account.raised.at(row);
    let usage = account.own.at(row);
    let isNamed = quota !== undefined;
    for (const name of this.#children.get(spec.name) ?? []) {
      const child = this.#queues.get(name);
      if (child === undefined) continue;
      isNamed = this.#sum(flavor, account, child) || isNamed;
      const kept = account.kept.at(child.row);
      subtree += account.subtree.at(child.row) - kept;
      usage += Math.max(0, account.usage.at(child.row) - kept);
    }
    account.subtree.set(row, subtree);
    account.usage.set(row, usage);
    account.kept.set(row, quota?.lendingLimit === undefined ? 0 : Math.max(0, subtree - quota.lendingLimit));
    return isNamed;
  }
}
