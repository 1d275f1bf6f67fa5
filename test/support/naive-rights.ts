import type { QueueSpec, WorkloadSpec } from '../../src/core/index.js';
import { NaiveQuota } from './naive-quota.js';
import type { BeforeSettle, Started } from './naive-scheduler.js';
import { flavorOf, hasQuota, hasRoom, heldMilli, milliOf, quotaOf } from './naive-scheduler.js';

export interface Eviction {
  readonly preemptor: WorkloadSpec;
  /** Whole workloads with all their seats, and single pods that an elastic one gives up. */
  readonly victims: readonly Started[];
  /** They have lost what they had to others, and are still there. */
  readonly leaving: readonly Started[];
}

/** More have too many orders in which they may fall. */
const ORDERS_OF = 5;

/**
 * What is wrong with an eviction: a victim that nobody had a right to, one that could be spared, or a pre-emptor that
 * would have had room without. Rights are tried in every order in which the victims may fall. Larger sets are not
 * judged. Nothing of the core is used.
 */
export function faultOfEviction(before: BeforeSettle, { preemptor, victims, leaving }: Eviction): string | undefined {
  if (victims.length > ORDERS_OF) return undefined;
  const canStartWithout = (fallen: readonly Started[]) => {
    const running = without(before.running, fallen);
    return hasQuota(before, running, preemptor) && hasRoom(before, [...running, ...leaving], preemptor);
  };
  const mayFall = (fallen: readonly Started[]) =>
    ordersOf(fallen).some((order) => order.every((_victim, index) => hasRight(before, preemptor, { order, index })));
  if (!canStartWithout(victims)) return `${preemptor.id} has no place though ${idsOf(victims)} fell`;
  if (!mayFall(victims)) return `${preemptor.id} had no right to evict ${idsOf(victims)}`;
  const spared = victims.find((victim) => {
    const others = victims.filter((other) => other !== victim);
    return canStartWithout(others) && mayFall(others);
  });
  return spared === undefined ? undefined : `${spared.spec.id} need not have fallen for ${preemptor.id}`;
}

/** May it take from this one, which runs, when nobody has fallen yet? Protection aside. */
export function hasRightOver(before: BeforeSettle, preemptor: WorkloadSpec, victim: Started): boolean {
  return hasRight(before, preemptor, { order: [victim], index: 0 });
}

/** May the victim at `index` fall for the pre-emptor, after those before it? */
function hasRight(
  before: BeforeSettle,
  preemptor: WorkloadSpec,
  { order, index }: { readonly order: readonly Started[]; readonly index: number },
): boolean {
  const victim = order[index];
  if (victim === undefined || !victim.spec.preemptible) return false;
  const queue = queueOf(before, preemptor.queue);
  if (victim.spec.queue === preemptor.queue) {
    return queue.withinQueue === 'lowerPriority' && victim.spec.priority < preemptor.priority;
  }
  const isAllowed =
    queue.reclaim === 'any' || (queue.reclaim === 'lowerPriority' && victim.spec.priority < preemptor.priority);
  if (!isAllowed || flavorOf(victim.spec) !== flavorOf(preemptor)) return false;
  // The pre-emptor's side counts its own queue's victims as if they stood.
  const gone = order.slice(0, index).filter(({ spec }) => spec.queue !== preemptor.queue);
  const quota = quotaOf({ ...before, running: without(before.running, gone) });
  return isReclaim(quota, preemptor, victim) || (before.order === 'fair' && isFairer(quota, preemptor, victim));
}

function isReclaim(quota: NaiveQuota, preemptor: WorkloadSpec, { spec: victim }: Started): boolean {
  const flavor = flavorOf(preemptor);
  if (!quota.isManaged(preemptor.queue, flavor)) return false;
  const { own, others } = sidesOf(quota, preemptor, victim);
  const requested = quota.with(preemptor.queue, flavor, milliOf(preemptor));
  const isWithin = requested.usage(own, flavor) <= quota.subtree(own, flavor);
  return isWithin && others.every((name) => quota.usage(name, flavor) > quota.subtree(name, flavor));
}

function isFairer(quota: NaiveQuota, preemptor: WorkloadSpec, victim: Started): boolean {
  const flavor = flavorOf(preemptor);
  if (!quota.isManaged(preemptor.queue, flavor)) return false;
  const { own, others } = sidesOf(quota, preemptor, victim.spec);
  const theirs = others.at(-1) ?? '';
  const requested = quota.with(preemptor.queue, flavor, milliOf(preemptor)).share(own);
  const after = quota.with(victim.spec.queue, flavor, -heldMilli(victim));
  const borrows = others.every((name) => quota.usage(name, flavor) > quota.subtree(name, flavor));
  return borrows && quota.share(theirs) > requested && after.share(theirs) >= requested;
}

/** What is left of those that run; who has no seat left is gone. */
export function without(running: readonly Started[], lost: readonly Started[]): readonly Started[] {
  const gone = new Set(lost.flatMap(({ seats }) => seats));
  return running
    .map(({ spec, seats }) => ({ spec, seats: seats.filter((seat) => !gone.has(seat)) }))
    .filter(({ seats }) => seats.length > 0);
}

/** The children of the common ancestor: the pre-emptor's, and the victim's with all below it, leaf first. */
function sidesOf(
  quota: NaiveQuota,
  preemptor: WorkloadSpec,
  victim: WorkloadSpec,
): { readonly own: string; readonly others: readonly string[] } {
  const mine = quota.path(preemptor.queue);
  const theirs = quota.path(victim.queue);
  return {
    own: mine.filter((name) => !theirs.includes(name)).at(-1) ?? preemptor.queue,
    others: theirs.filter((name) => !mine.includes(name)),
  };
}

function queueOf({ queues }: BeforeSettle, name: string): QueueSpec {
  const found = queues.find((queue) => queue.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
}

function ordersOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => ordersOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

function idsOf(victims: readonly Started[]): string {
  return victims.map(({ spec }) => spec.id).join(', ');
}
