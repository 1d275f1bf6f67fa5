import type { Charge, QueueName } from '../contract/index.js';
import type { QuotaTree } from '../quota/index.js';
import { dominantShare, pastShare } from '../quota/index.js';
import type { OrderKey } from './order-key.js';
import { compareByOrder } from './order-key.js';

/** One that may get more, and what that would be charged for. */
export interface Contender {
  readonly key: OrderKey;
  readonly queue: QueueName;
  readonly request: readonly Charge[];
}

interface Winner<One extends Contender> {
  readonly of: One;
  /** Of the child of the queue in which it won. */
  readonly share: number;
  readonly past: number;
}

/**
 * The first of a few as `QueueTournament` would pick it: what each queue sends competes in its parent by priority, the
 * share of the child with the request, the past usage of the child, then the order. At most one of each queue.
 */
export function firstByShares<One extends Contender>(quota: QuotaTree, contenders: readonly One[]): One | undefined {
  const paths = new Map(contenders.map((one) => [one, [...quota.pathToRoot(one.queue)].reverse()]));
  return winnerOf(quota, { depth: 0, paths });
}

/** `paths`: of all that compete below one queue, from the root; `depth`: of that queue's children. */
function winnerOf<One extends Contender>(
  quota: QuotaTree,
  { depth, paths }: { readonly depth: number; readonly paths: ReadonlyMap<One, readonly QueueName[]> },
): One | undefined {
  const below = new Map<QueueName, Map<One, readonly QueueName[]>>();
  let own: One | undefined;
  for (const [one, path] of paths) {
    const child = path[depth];
    if (child === undefined) own = one;
    else below.set(child, (below.get(child) ?? new Map<One, readonly QueueName[]>()).set(one, path));
  }
  let best: Winner<One> | undefined;
  for (const [child, inside] of below) {
    const of = winnerOf(quota, { depth: depth + 1, paths: inside });
    if (of === undefined) continue;
    const winner = { of, share: dominantShare(quota, child, of.request), past: pastShare(quota, child) };
    if (best === undefined || compareWinners(winner, best) < 0) best = winner;
  }
  const isOwn = own !== undefined && (best === undefined || compareByOrder(own.key, best.of.key) < 0);
  return isOwn ? own : best?.of;
}

function compareWinners(a: Winner<Contender>, b: Winner<Contender>): number {
  const [x, y] = [a.of.key, b.of.key];
  if (x.rank !== y.rank) return x.rank < y.rank ? -1 : 1;
  if (a.share !== b.share) return a.share < b.share ? -1 : 1;
  return a.past === b.past ? compareByOrder(x, y) : a.past < b.past ? -1 : 1;
}
