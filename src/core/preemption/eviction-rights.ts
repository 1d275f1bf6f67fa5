import type { Charge, EvictReason, FlavorName, Policy, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';
import { orderKeyOf } from '../queue/index.js';
import { dominantShare, perMille } from '../quota/index.js';

/** Who wants to start, what it would pay, and of which of its flavors quota or capacity is short. */
export interface Preemptor {
  readonly record: WorkloadRecord;
  readonly charges: readonly Charge[];
  readonly contended: ReadonlySet<FlavorName>;
}

/** By which clause one workload may take from another, and the numbers that were looked at. */
export interface EvictionRight {
  readonly reason: EvictReason & ('preempted' | 'reclaimed' | 'fair-share' | 'order');
  readonly facts: Readonly<Record<string, string | number>>;
}

/** What would be taken from a workload: all of it, or some pods. */
export interface Loss {
  readonly record: WorkloadRecord;
  readonly charges: readonly Charge[];
}

interface OwnSide {
  readonly borrows: ReadonlySet<FlavorName>;
  readonly share: number;
}

/** Two queues seen from their nearest common ancestor. */
interface Sides {
  /** The ancestor's child on the pre-emptor's side. */
  readonly own: QueueName;
  /** The victim's queue and those above it, up to the ancestor's child. */
  readonly others: readonly QueueName[];
}

/**
 * Over whom one workload has a right, while victims fall one after the other (their charges are refunded in the live
 * quota, under a mark). In its own queue: over lower priorities, where the queue allows it. In another queue: only over
 * work that holds a contended flavor which its queue, and each queue up to the common ancestor, borrows; then as an
 * owner, when its own side is within its nominal with the request, or, by order `fair`, when the victim's side has the
 * larger share before and at least as large a one after. In both, where the policy says so: over what comes later in an
 * order by remaining time, and is of no higher priority.
 *
 * The own side is judged as if nobody on it had fallen: else victims of the own side would lower its share and make
 * more victims lawful, and when the own ones are then given back the others would be unlawful, and two workloads could
 * evict one another.
 */
export class EvictionRights {
  readonly #state: CoreState;
  readonly #preemptor: Preemptor;
  readonly #sides = new Map<QueueName, Sides | undefined>();
  readonly #ownSides = new Map<QueueName, OwnSide>();
  #fallen: Charge[] = [];

  constructor(state: CoreState, preemptor: Preemptor) {
    this.#state = state;
    this.#preemptor = preemptor;
  }

  /** The right over it as things are now; `undefined`: none. Time protects besides, which is not asked here. */
  over(loss: Loss): EvictionRight | undefined {
    const { spec } = this.#preemptor.record;
    const { spec: other } = loss.record;
    if (this.#isReturned(loss.record)) return undefined;
    const isLower = other.priority < spec.priority;
    const facts = { priority: spec.priority, victimPriority: other.priority };
    if (other.queue === spec.queue) {
      if (this.#state.quota.spec(spec.queue)?.withinQueue !== 'lowerPriority') return undefined;
      return isLower ? { reason: 'preempted', facts } : this.#byOrder(loss.record);
    }
    return this.#overOther(loss, facts);
  }

  /** The victim has fallen: its charges are refunded by the caller. */
  fell(charges: readonly Charge[]): void {
    this.#fallen.push(...charges);
  }

  /** Nobody has fallen. */
  reset(): void {
    this.#fallen = [];
  }

  /** Does the queue borrow a contended flavor, it and each above it up to the common ancestor? */
  borrowsContended(queue: QueueName): boolean {
    return [...this.#preemptor.contended].some((flavor) => this.#borrows(queue, flavor));
  }

  #overOther(loss: Loss, facts: EvictionRight['facts']): EvictionRight | undefined {
    const { quota, policy } = this.#state;
    const { record, contended } = this.#preemptor;
    const reclaim = quota.spec(record.spec.queue)?.reclaim ?? 'never';
    const isAllowed =
      reclaim === 'any' || (reclaim === 'lowerPriority' && loss.record.spec.priority < record.spec.priority);
    const sides = this.#sidesOf(loss.record.spec.queue);
    if (!isAllowed || sides === undefined) return undefined;
    const held = loss.charges.filter(({ flavor, milli }) => milli > 0 && contended.has(flavor));
    const borrowed = held.filter(({ flavor }) => this.#borrows(loss.record.spec.queue, flavor));
    if (borrowed.length === 0) return undefined;
    const own = this.#ownSide(sides.own);
    const owed = borrowed.find(({ flavor }) => !own.borrows.has(flavor));
    if (owed !== undefined) return { reason: 'reclaimed', facts: { ...facts, flavor: owed.flavor } };
    if (policy.order !== 'fair') return this.#byOrder(loss.record);
    return this.#byShare(loss, { other: sides.others[sides.others.length - 1] ?? '', share: own.share });
  }

  /** Who would only come first by submission takes nothing: nobody would be done sooner by it. */
  #byOrder(victim: WorkloadRecord): EvictionRight | undefined {
    const { record } = this.#preemptor;
    const { policy, nowMs } = this.#state;
    if (!mayTakeByOrder(policy) || victim.spec.priority > record.spec.priority) return undefined;
    const own = orderKeyOf(policy.order, record, nowMs).rank;
    const other = orderKeyOf(policy.order, victim, nowMs).rank;
    if (own >= other) return undefined;
    return { reason: 'order', facts: { key: own, victimKey: other === Infinity ? 'unknown' : other } };
  }

  #byShare(loss: Loss, against: { readonly other: QueueName; readonly share: number }): EvictionRight | undefined {
    const { quota, tx } = this.#state;
    const { other, share } = against;
    const before = dominantShare(quota, other);
    if (before <= share) return undefined;
    const mark = tx.mark();
    for (const charge of loss.charges) quota.refund(charge);
    const after = dominantShare(quota, other);
    tx.rollbackTo(mark);
    if (after < share) return undefined;
    const shown = { share: shownShare(share), victimShare: shownShare(before), victimShareAfter: shownShare(after) };
    return { reason: 'fair-share', facts: shown };
  }

  /** With the request, and as if none of its side had fallen: so it stays the same while victims fall. */
  #ownSide(queue: QueueName): OwnSide {
    const known = this.#ownSides.get(queue);
    if (known !== undefined) return known;
    const { quota, tx } = this.#state;
    const { charges, contended } = this.#preemptor;
    const mark = tx.mark();
    for (const charge of charges) quota.charge(charge);
    for (const charge of this.#fallen) if (quota.contains(queue, charge.queue)) quota.charge(charge);
    const borrows = new Set([...contended].filter((flavor) => isBorrowing(this.#state, queue, flavor)));
    const share = dominantShare(quota, queue);
    tx.rollbackTo(mark);
    this.#ownSides.set(queue, { borrows, share });
    return { borrows, share };
  }

  #borrows(queue: QueueName, flavor: FlavorName): boolean {
    return this.#sidesOf(queue)?.others.every((level) => isBorrowing(this.#state, level, flavor)) ?? false;
  }

  #sidesOf(queue: QueueName): Sides | undefined {
    if (this.#sides.has(queue)) return this.#sides.get(queue);
    const own = this.#state.quota.pathToRoot(this.#preemptor.record.spec.queue);
    const other = this.#state.quota.pathToRoot(queue);
    const at = other.findIndex((name) => own.includes(name));
    const ancestor = other[at];
    const ownChild = ancestor === undefined ? undefined : own[own.indexOf(ancestor) - 1];
    const sides = ownChild === undefined || at < 1 ? undefined : { own: ownChild, others: other.slice(0, at) };
    this.#sides.set(queue, sides);
    return sides;
  }

  /** It was evicted by this very incarnation, and nothing that gives rights has changed since. */
  #isReturned({ spec, incarnation }: WorkloadRecord): boolean {
    const by = this.#preemptor.record.evictedBy;
    return by?.workload === spec.id && by.incarnation === incarnation && by.rights === this.#state.rightsVersion;
  }
}

/** Does the order itself give rights? Only one by remaining time can: the others do not change while work runs. */
export function mayTakeByOrder({ order, preemption }: Policy): boolean {
  return preemption.byOrder && order !== 'fair' && order !== 'fifo' && order !== 'sjf';
}

function isBorrowing(state: CoreState, queue: QueueName, flavor: FlavorName): boolean {
  return (state.quota.loan(queue, flavor, [])?.borrowed ?? 0) > 0;
}

function shownShare(share: number): number | string {
  return share === Infinity ? 'infinite' : perMille(share);
}
