import type { QueueName, WorkloadId } from '../contract/index.js';
import type { QuotaTree } from '../quota/index.js';
import { pastShare } from '../quota/index.js';
import type { OrderKey } from './order-key.js';
import { compareByOrder } from './order-key.js';
import type { PendingGroup, PendingNeed } from './pending-groups.js';
import { placeIn } from './pending-groups.js';
import type { Requests } from './requests.js';
import { smallestShare } from './requests.js';

interface Rivals {
  readonly quota: QuotaTree;
  /** `undefined`: the order is one row for all, shares do not count. */
  readonly requestsOf: ((need: PendingNeed) => Requests) | undefined;
}

/**
 * How many of the waiting come before a member of a group, whether they could start or not, and the first of them.
 * Compared one by one with shares as they are now; each placement between may change them.
 */
export function waitingAhead(
  rivals: Rivals,
  groups: Iterable<PendingGroup>,
  own: { readonly key: OrderKey; readonly group: PendingNeed },
): { readonly count: number; readonly first: WorkloadId | undefined } {
  let count = 0;
  const heads: OrderKey[] = [];
  for (const group of groups) {
    const ahead = membersAhead(rivals, group, own);
    const head = group.members.first;
    if (ahead > 0 && head !== undefined) heads.push(head);
    count += ahead;
  }
  return { count, first: heads.sort(compareByOrder)[0]?.id };
}

function membersAhead(
  rivals: Rivals,
  group: PendingGroup,
  own: { readonly key: OrderKey; readonly group: PendingNeed },
): number {
  const { quota, requestsOf } = rivals;
  const { key } = own;
  const fork = requestsOf === undefined ? undefined : forkOf(quota, group.queue, own.group.queue);
  if (requestsOf === undefined || fork === undefined) return placeIn(group, key);
  const higher = group.members.countWhile(({ rank }) => rank < key.rank);
  const notLower = group.members.countWhile(({ rank }) => rank <= key.rank);
  const byShare =
    smallestShare(quota, fork.a, requestsOf(group)) - smallestShare(quota, fork.b, requestsOf(own.group)) ||
    pastShare(quota, fork.a) - pastShare(quota, fork.b);
  if (byShare < 0) return notLower;
  return byShare > 0 ? higher : Math.min(notLower, Math.max(higher, placeIn(group, key)));
}

/** Where the ways from the root part: a queue of each side; `undefined` when one lies on the way to the other. */
export function forkOf(
  quota: QuotaTree,
  a: QueueName,
  b: QueueName,
): { readonly a: QueueName; readonly b: QueueName } | undefined {
  const wayToA = [...quota.pathToRoot(a)].reverse();
  const wayToB = [...quota.pathToRoot(b)].reverse();
  for (const [level, nameA] of wayToA.entries()) {
    const nameB = wayToB[level];
    if (nameB === undefined) return undefined;
    if (nameA !== nameB) return { a: nameA, b: nameB };
  }
  return undefined;
}
