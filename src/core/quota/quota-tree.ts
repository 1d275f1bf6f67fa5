import type { Charge, FlavorName, Milli, QueueName, QueueSpec } from '../contract/index.js';
import { invariant } from '../invariant.js';
import type { Column, Journal } from '../journal.js';
import { compareText } from '../text-order.js';
import type { QuotaTreeRow } from './check-charge.js';
import { PastUsage } from './past-usage.js';

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
  /** What the queue could have if nothing were used: what it keeps, and what it may draw from above. */
  readonly most: Column;
  /** By root: 1 when a queue of its tree names the flavor. */
  readonly managed: Column;
}

interface Queue {
  readonly row: number;
  readonly spec: QueueSpec;
}

/** What a queue has borrowed of one flavor, and what its parent could lend all of its children. */
export interface Loan {
  readonly borrowed: Milli;
  readonly lendable: Milli;
}

/**
 * The quota tree of all queues, each flavor an account of columns: what `checkCharge` computes by recursion is kept up
 * to date here, on a charge along the path only. A queue whose parent is not there (yet) gets nothing.
 */
export class QuotaTree {
  /** What was used before, for the order of the queues. */
  readonly past: PastUsage;
  readonly #journal: Journal;
  readonly #queues = new Map<QueueName, Queue>();
  /** By queue: a number that no other state of its usage and quota has had. */
  readonly #stamps: Column;
  #lastStamp = 0;
  readonly #children = new Map<QueueName, QueueName[]>();
  readonly #accounts = new Map<FlavorName, Account>();
  /** Root first; empty when the way to a root is broken. */
  readonly #paths = new Map<QueueName, readonly Queue[]>();
  #rows = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#stamps = journal.column();
    this.past = new PastUsage(journal);
  }

  names(): readonly QueueName[] {
    return [...this.#queues.keys()].sort(compareText);
  }

  spec(queue: QueueName): QueueSpec | undefined {
    return this.#queues.get(queue)?.spec;
  }

  /** The queue, then those above it. */
  pathToRoot(queue: QueueName): readonly QueueName[] {
    const path: QueueName[] = [];
    for (let name: QueueName | undefined = queue; name !== undefined; name = this.spec(name)?.parent) path.push(name);
    return path;
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
    if (known === undefined) this.past.start(spec.name, spec.pastUsage ?? {});
    this.#queues.set(spec.name, { row: known?.row ?? this.#rows++, spec });
    this.#rebuild();
    return 'set';
  }

  /** The caller has made sure that nothing is charged to it. */
  remove(queue: QueueName): 'removed' | 'unknown' | 'has-children' {
    if (!this.#queues.has(queue)) return 'unknown';
    if (this.#children.has(queue)) return 'has-children';
    this.#queues.delete(queue);
    this.past.forget(queue);
    this.#rebuild();
    return 'removed';
  }

  charge({ queue, flavor, milli }: Charge): void {
    const account = this.#account(flavor);
    const entry = this.#queues.get(queue);
    invariant(entry !== undefined, 'the charged queue is known', { queue });
    this.past.use({ queue, flavor, milli });
    account.own.add(entry.row, milli);
    this.#addUsage(account, entry, milli);
    const stamp = ++this.#lastStamp;
    for (const { row } of this.#pathFromRoot(queue)) this.#stamps.set(row, stamp);
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

  /**
   * What `at` would have borrowed with these charges added, made by itself or by queues below it. `undefined` where
   * nothing can be borrowed from: at a root, or in a flavor that no queue of the tree names.
   */
  loan(at: QueueName, flavor: FlavorName, more: readonly Charge[]): Loan | undefined {
    const path = this.#pathFromRoot(at);
    const [root] = path;
    const account = this.#accounts.get(flavor);
    const queue = path[path.length - 1];
    const parent = path[path.length - 2];
    if (account === undefined || root === undefined || queue === undefined || parent === undefined) return undefined;
    if (account.managed.at(root.row) === 0) return undefined;
    const rise = more.length === 0 ? 0 : this.#rise(account, queue, { flavor, more });
    const usage = account.usage.at(queue.row) + rise;
    const borrowed = Math.max(0, usage - account.subtree.at(queue.row));
    return { borrowed, lendable: account.most.at(parent.row) };
  }

  /** All that children of this queue's parent compete for; of a root: all that it has. */
  lendable(queue: QueueName, flavor: FlavorName): Milli {
    const path = this.#pathFromRoot(queue);
    const lender = path[path.length - 2] ?? path[path.length - 1];
    return lender === undefined ? 0 : (this.#accounts.get(flavor)?.most.at(lender.row) ?? 0);
  }

  /** Equal numbers: usage and quota of the queue, and of all below it, are what they were. 0 for an unknown queue. */
  stampOf(queue: QueueName): number {
    const row = this.#queues.get(queue)?.row;
    return row === undefined ? 0 : this.#stamps.at(row);
  }

  /** In no particular order. */
  childrenOf(queue: QueueName): readonly QueueName[] {
    return this.#children.get(queue) ?? [];
  }

  /** Flavors that were ever named or charged, in no particular order. */
  knownFlavors(): Iterable<FlavorName> {
    return this.#accounts.keys();
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
    const account = this.#accounts.get(flavor);
    if (account === undefined || account.managed.at(root.row) === 0) return undefined;
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

  #pathFromRoot(queue: QueueName): readonly Queue[] {
    return this.#paths.get(queue) ?? [];
  }

  #findPath(queue: QueueName): readonly Queue[] {
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

  /** By how much the charges would raise the usage of `at`: each queue on the way up first uses what it keeps. */
  #rise(
    account: Account,
    at: Queue,
    { flavor, more }: { readonly flavor: FlavorName; readonly more: readonly Charge[] },
  ): Milli {
    let rise = 0;
    for (const charge of more) {
      if (charge.flavor !== flavor) continue;
      const path = this.#pathFromRoot(charge.queue);
      let delta = charge.milli;
      for (let level = path.length - 1; level >= 0; level--) {
        const queue = path[level];
        if (queue === undefined) break;
        if (queue.row === at.row) {
          rise += delta;
          break;
        }
        const usage = account.usage.at(queue.row);
        const kept = account.kept.at(queue.row);
        delta = Math.max(0, usage + delta - kept) - Math.max(0, usage - kept);
      }
    }
    return rise;
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
      most: column(),
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
    this.#paths.clear();
    for (const name of this.#queues.keys()) this.#paths.set(name, this.#findPath(name));
    for (const { spec } of this.#queues.values()) for (const flavor of Object.keys(spec.quotas)) this.#account(flavor);
    for (const [flavor, account] of this.#accounts) this.#recompute(flavor, account);
  }

  #recompute(flavor: FlavorName, account: Account): void {
    for (const queue of this.#queues.values()) {
      const isTop = queue.spec.parent === undefined || !this.#queues.has(queue.spec.parent);
      if (!isTop) continue;
      account.managed.set(queue.row, this.#sum(flavor, account, queue) ? 1 : 0);
      this.#setMost(flavor, account, { queue, fromAbove: account.subtree.at(queue.row) });
    }
    const stamp = ++this.#lastStamp;
    for (const { row } of this.#queues.values()) this.#stamps.set(row, stamp);
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

  /** `fromAbove`: what the parent could have; of a top queue, its subtree. */
  #setMost(
    flavor: FlavorName,
    account: Account,
    { queue, fromAbove }: { readonly queue: Queue; readonly fromAbove: Milli },
  ): void {
    const { row, spec } = queue;
    const kept = account.kept.at(row);
    const limit = spec.parent === undefined ? undefined : spec.quotas[flavor]?.borrowingLimit;
    const drawn = limit === undefined ? fromAbove : Math.min(fromAbove, account.subtree.at(row) - kept + limit);
    account.most.set(row, spec.parent === undefined ? fromAbove : kept + drawn);
    for (const name of this.#children.get(spec.name) ?? []) {
      const child = this.#queues.get(name);
      if (child !== undefined) this.#setMost(flavor, account, { queue: child, fromAbove: account.most.at(row) });
    }
  }
}
