import type { Charge, FlavorName, QueueName, WorkloadId } from './contract/index.js';
import type { CoreState } from './core-state.js';
import { EvictionRights } from './preemption/index.js';
import type { PendingGroup, PendingGroups, WorkloadRecord } from './queue/index.js';
import { compareByOrder, forkOf, orderKeyOf, smallestShare } from './queue/index.js';
import { dominantShare } from './quota/index.js';
import { requestsOf } from './start/index.js';

/** A start on free capacity that is not made yet, and what it would be charged for. */
export interface AboutToStart {
  readonly record: WorkloadRecord;
  readonly charges: readonly Charge[];
}

interface Claimant {
  readonly record: WorkloadRecord;
  /** Of its side with its request, seen from the queue that both sides have in common. */
  readonly share: number;
}

/**
 * Who of those that may be able to start would have a right over this one if it ran, its protection aside: nothing is
 * started that somebody could take back at once. Priority leads the order, but rights follow quota and shares: else a
 * borrower of high priority would take each device that comes free, and its owner would evict it each time. Of several,
 * the one with the smallest share with its request.
 *
 * Groups that are parked are not asked. What they could have with this one gone is what is free now; that was free when
 * they were found blocked, for what comes free wakes them. Who borrows nothing is in nobody's way outside its queue.
 */
export function whoTakesBack(
  state: CoreState,
  { record, charges }: AboutToStart,
  { groups, isPassedOver }: Pick<Asking, 'groups' | 'isPassedOver'>,
): WorkloadRecord | undefined {
  if (!record.spec.preemptible) return undefined;
  const mark = state.tx.mark();
  for (const charge of charges) state.quota.charge(charge);
  const borrowed = charges
    .filter(({ queue, flavor }) => (state.quota.loan(queue, flavor, [])?.borrowed ?? 0) > 0)
    .map(({ flavor }) => flavor);
  // Evicted as a new incarnation, which has evicted nobody yet.
  const loss = { record: { ...record, incarnation: record.incarnation + 1 }, charges };
  const found = groups.flatMap((some) => claimantsOf(state, some, { loss, borrowed, groups, isPassedOver }));
  state.tx.rollbackTo(mark);
  return found.sort(compareClaimants(state))[0]?.record;
}

interface Asking {
  /** Of those who wait, and of those who are started anew before them. */
  readonly groups: readonly PendingGroups[];
  readonly loss: AboutToStart;
  readonly borrowed: readonly FlavorName[];
  readonly isPassedOver: (id: WorkloadId) => boolean;
}

/** Of each queue at most one. */
function claimantsOf(state: CoreState, groups: PendingGroups, asking: Asking): Claimant[] {
  const { queue, priority } = asking.loss.record.spec;
  // An order that says little of priority stands as long as nobody is evicted at once.
  const isProtected = state.policy.preemption.minRuntimeMs > 0;
  const found = isProtected ? [] : [firstClaimant(state, asking, groups.activeAbove(queue, priority))];
  if (asking.borrowed.length > 0) {
    for (const other of groups.activeQueues()) {
      if (mayClaim(state, asking, other)) found.push(firstClaimant(state, asking, groups.activeIn(other)));
    }
  }
  return found.filter((claimant) => claimant !== undefined);
}

/** Could any request of the queue have a right? Asked before its groups, for most queues have none. */
function mayClaim({ quota, policy }: CoreState, { loss, borrowed }: Asking, queue: QueueName): boolean {
  const reclaim = quota.spec(queue)?.reclaim ?? 'never';
  const fork = forkOf(quota, queue, loss.record.spec.queue);
  if (queue === loss.record.spec.queue || reclaim === 'never' || fork === undefined) return false;
  const isOwed = borrowed.some((flavor) => {
    const { used, subtree } = quota.usage(fork.a, flavor);
    return used < subtree;
  });
  return isOwed || (policy.order === 'fair' && dominantShare(quota, fork.a) < dominantShare(quota, fork.b));
}

/** The first of them in the order that has a right. */
function firstClaimant(state: CoreState, asking: Asking, groups: Iterable<PendingGroup>): Claimant | undefined {
  let first: PendingGroup['members']['first'];
  let claimant: Claimant | undefined;
  for (const group of groups) {
    const head = group.members.first;
    if (head === undefined || asking.isPassedOver(head.id)) continue;
    if (first !== undefined && compareByOrder(first, head) < 0) continue;
    const record = state.book.get(head.id);
    const share = record === undefined ? undefined : shareOfClaim(state, asking, { record, group });
    if (record === undefined || share === undefined) continue;
    first = head;
    claimant = { record, share };
  }
  return claimant;
}

/** `undefined`: it has no right. */
function shareOfClaim(
  state: CoreState,
  { loss, borrowed }: Asking,
  { record, group }: { readonly record: WorkloadRecord; readonly group: PendingGroup },
): number | undefined {
  const isOwn = group.queue === loss.record.spec.queue;
  const needs = isOwn ? loss.record.spec.podSets.flatMap(({ flavors }) => flavors) : borrowed;
  if (!needs.some((flavor) => group.flavors.has(flavor))) return undefined;
  const contended = new Set(borrowed);
  const lawful = requestsOf(state, group).filter(
    (charges) => new EvictionRights(state, { record, charges, contended }).over(loss) !== undefined,
  );
  if (lawful.length === 0) return undefined;
  const side = forkOf(state.quota, group.queue, loss.record.spec.queue)?.a ?? group.queue;
  return smallestShare(state.quota, side, lawful);
}

function compareClaimants({ policy, nowMs }: CoreState) {
  return (a: Claimant, b: Claimant): number =>
    a.share === b.share
      ? compareByOrder(orderKeyOf(policy.order, a.record, nowMs), orderKeyOf(policy.order, b.record, nowMs))
      : a.share - b.share;
}
