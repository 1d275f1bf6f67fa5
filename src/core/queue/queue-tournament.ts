import type { Charge, Order, QueueName } from '../contract/index.js';
import { Heap } from '../heap.js';
import type { QuotaTree } from '../quota/index.js';
import { pastShare } from '../quota/index.js';
import type { OrderKey } from './order-key.js';
import { compareByOrder } from './order-key.js';
import type { PendingGroup, PendingGroups } from './pending-groups.js';
import type { Requests } from './requests.js';
import { smallestShare } from './requests.js';

/** The first of a group of equal need. */
export interface Candidate {
  readonly head: OrderKey;
  readonly group: PendingGroup;
  /** Different amounts that its choices of flavors would be charged for; with one, its place is certain. */
  readonly choices: number;
}

interface Entry extends Candidate {
  readonly at: Bracket;
  /** Once it is known which of its alternatives it gets: that one alone. */
  requests: Requests;
}

/** A queue, with what competes in it: its children's candidates, and those of its own. */
interface Bracket {
  readonly queue: QueueName | undefined;
  readonly parent: Bracket | undefined;
  readonly children: Bracket[];
  readonly own: Heap<Entry>;
  /** What this was worked out from is not true any more. */
  isStale: boolean;
  stamp: number;
  winner: Entry | undefined;
  /** Of the queue with what its winner asks for: the smallest that its alternatives give. */
  share: number;
  past: number | undefined;
}

/**
 * Whose turn it is among the groups that may be able to start. Under `fair` each queue sends its first workload to its
 * parent, which compares what its children send: by priority, the share of the child with the request, the past usage
 * of the child, submission, name, id. So the winner at the root is first at every level of the tree. Every other order
 * is one row for all.
 *
 * A placement changes the shares on the way from its queue to the root, and only there candidates are compared again:
 * a pick costs depth x children, however many wait. One that may choose among flavors competes with the smallest share
 * that any of them gives it; by the flavor that it really gets it may come later (`isFirstWith`).
 */
export class QueueTournament {
  readonly #groups: PendingGroups;
  readonly #quota: QuotaTree;
  readonly #requestsOf: (group: PendingGroup) => Requests;
  readonly #isFair: boolean;
  readonly #root: Bracket = bracket(undefined, undefined);
  readonly #brackets = new Map<QueueName, Bracket>();
  readonly #entered = new Set<PendingGroup>();
  #last: Entry | undefined;

  constructor(
    { groups, quota, order }: { readonly groups: PendingGroups; readonly quota: QuotaTree; readonly order: Order },
    requestsOf: (group: PendingGroup) => Requests,
  ) {
    this.#groups = groups;
    this.#quota = quota;
    this.#requestsOf = requestsOf;
    this.#isFair = order === 'fair';
    groups.takeWoken();
    for (const group of groups.active()) this.#enter(group);
  }

  /** The first now; `undefined` when all others are parked. The same again unless it was started or parked. */
  next(): Candidate | undefined {
    if (this.#last !== undefined) markStale(this.#last.at);
    for (;;) {
      const entry = this.#winnerOf(this.#root);
      this.#last = entry;
      if (entry === undefined || isUpToDate(entry)) return entry;
      markStale(entry.at);
    }
  }

  /** Groups that were woken meanwhile take part from now on. */
  joinWoken(): void {
    for (const group of this.#groups.takeWoken()) this.#enter(group);
  }

  /** Is the candidate that `next` gave first also when it asks for exactly this? It competes by that from now on. */
  isFirstWith(request: readonly Charge[]): boolean {
    const entry = this.#last;
    if (entry === undefined) return false;
    entry.requests = [request];
    markStale(entry.at);
    return this.#winnerOf(this.#root) === entry;
  }

  #enter(group: PendingGroup): void {
    const at = this.#isFair ? this.#bracketOf(group.queue) : this.#root;
    markStale(at);
    if (this.#entered.has(group)) return;
    this.#entered.add(group);
    this.#push(group, at);
  }

  #push(group: PendingGroup, at: Bracket): void {
    const head = group.members.first;
    if (head === undefined) return;
    const requests = this.#isFair ? this.#requestsOf(group) : [[]];
    at.own.push({ head, group, at, requests, choices: requests.length });
  }

  #bracketOf(queue: QueueName): Bracket {
    const known = this.#brackets.get(queue);
    if (known !== undefined) return known;
    const parentName = this.#quota.spec(queue)?.parent;
    const isTop = parentName === undefined || this.#quota.spec(parentName) === undefined;
    const parent = isTop ? this.#root : this.#bracketOf(parentName);
    const created = bracket(queue, parent);
    parent.children.push(created);
    this.#brackets.set(queue, created);
    return created;
  }

  #winnerOf(at: Bracket): Entry | undefined {
    const stamp = at.queue === undefined ? 0 : this.#quota.stampOf(at.queue);
    // The root has no queue that could tell whether something below it has changed: its few children are asked.
    if (at.queue !== undefined && !at.isStale && at.stamp === stamp) return at.winner;
    let best: Bracket | undefined;
    for (const child of at.children) {
      if (this.#winnerOf(child) !== undefined && (best === undefined || this.#compare(child, best) < 0)) best = child;
    }
    const own = this.#firstOwn(at);
    const isOwn = own !== undefined && (best?.winner === undefined || compareByOrder(own.head, best.winner.head) < 0);
    at.winner = isOwn ? own : best?.winner;
    at.share =
      at.queue === undefined || at.winner === undefined ? 0 : smallestShare(this.#quota, at.queue, at.winner.requests);
    at.stamp = stamp;
    at.isStale = false;
    return at.winner;
  }

  /** Whose winner comes first, of two children of one queue. */
  #compare(a: Bracket, b: Bracket): number {
    const [x, y] = [a.winner, b.winner];
    if (x === undefined || y === undefined) return 0;
    if (x.head.rank !== y.head.rank) return x.head.rank < y.head.rank ? -1 : 1;
    if (a.share !== b.share) return a.share < b.share ? -1 : 1;
    const [pastA, pastB] = [this.#pastOf(a), this.#pastOf(b)];
    return pastA === pastB ? compareByOrder(x.head, y.head) : pastA < pastB ? -1 : 1;
  }

  /** What is charged now has not lasted yet: within a settle it stays the same. */
  #pastOf(at: Bracket): number {
    return (at.past ??= at.queue === undefined ? 0 : pastShare(this.#quota, at.queue));
  }

  /** Drops whoever was parked or has started, and lets the next of its group in. */
  #firstOwn(at: Bracket): Entry | undefined {
    for (let first = at.own.peek(); first !== undefined; first = at.own.peek()) {
      if (isUpToDate(first)) return first;
      at.own.pop();
      if (first.group.isActive && first.group.members.length > 0) this.#push(first.group, at);
      else this.#entered.delete(first.group);
    }
    return undefined;
  }
}

function bracket(queue: QueueName | undefined, parent: Bracket | undefined): Bracket {
  const own = new Heap<Entry>((a, b) => compareByOrder(a.head, b.head));
  const nothing = { isStale: true, stamp: 0, winner: undefined, share: 0, past: undefined };
  return { queue, parent, children: [], own, ...nothing };
}

function isUpToDate({ head, group }: Pick<Candidate, 'head' | 'group'>): boolean {
  return group.isActive && group.members.first === head;
}

function markStale(from: Bracket): void {
  for (let at: Bracket | undefined = from; at !== undefined; at = at.parent) at.isStale = true;
}
