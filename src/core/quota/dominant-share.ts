import type { Charge, FlavorName, QueueName } from '../contract/index.js';
import type { QuotaTree } from './quota-tree.js';

/** A share of everything, in the unit of `dominantShare`: parts per million. */
const WHOLE = 1_000_000;

/**
 * The weighted dominant share of a queue, were these charges added below it, in parts per million, rounded down: the
 * largest, over all flavors, of what the queue has borrowed / what its parent can lend / the weight of the queue. 0
 * when it borrows nothing, and for a root. `Infinity` with a loan but a weight of 0, or of which the parent can lend
 * nothing: such a queue comes after all others.
 *
 * Exact while less than 9 x 10^9 milli are borrowed (9 million devices or CPUs); beyond, rounded as doubles are, which
 * is the same on every machine.
 *
 * The measure is that of Ghodsi et al., "Dominant Resource Fairness" (NSDI 2011), of what is borrowed instead of what is used, as in Kueue.
 */
export function dominantShare(quota: QuotaTree, queue: QueueName, more: readonly Charge[] = []): number {
  const weight = quota.spec(queue)?.weight ?? 0;
  let share = 0;
  for (const flavor of quota.knownFlavors()) {
    const loan = quota.loan(queue, flavor, more);
    if (loan === undefined || loan.borrowed === 0) continue;
    const divisor = loan.lendable * weight;
    share = Math.max(share, divisor <= 0 ? Infinity : Math.floor((loan.borrowed * WHOLE) / divisor));
  }
  return share;
}

/** As shown: per mille, rounded down. */
export function perMille(share: number): number {
  return Math.floor(share / (WHOLE / 1000));
}

/**
 * What the queue and all below it have used before, decayed: the largest, over all flavors, of past usage / what the
 * parent can lend / the weight of the queue; in microseconds of all that the parent can lend, rounded down. A flavor of
 * which nothing can be lent says nothing. `Infinity` with a weight of 0.
 */
export function pastShare(quota: QuotaTree, queue: QueueName): number {
  const weight = quota.spec(queue)?.weight ?? 0;
  let share = 0;
  for (const [flavor, used] of pastUsageBelow(quota, queue)) {
    const lendable = quota.lendable(queue, flavor);
    if (used === 0 || lendable <= 0) continue;
    share = Math.max(share, weight <= 0 ? Infinity : Math.floor((used / (lendable * weight)) * WHOLE));
  }
  return share;
}

function pastUsageBelow(quota: QuotaTree, queue: QueueName): ReadonlyMap<FlavorName, number> {
  const sums = new Map<FlavorName, number>();
  const add = (at: QueueName): void => {
    for (const [flavor, used] of quota.past.of(at)) sums.set(flavor, (sums.get(flavor) ?? 0) + used);
    for (const child of quota.childrenOf(at)) add(child);
  };
  add(queue);
  return sums;
}
