import type { Milli, Ms, Order, PodSetSpec, WorkloadId } from '../contract/index.js';
import { compareText } from '../text-order.js';
import type { WorkOf } from './remaining-work.js';
import { remainingMs } from './remaining-work.js';

/** What decides whose turn it is; of one that waits it stays the same while it waits. */
export interface OrderKey {
  readonly id: WorkloadId;
  /** The first key, smaller first: what it is, the order says. `Infinity` when it is not known. */
  readonly rank: number;
  readonly submittedAtMs: Ms;
  readonly name: string;
}

/**
 * The key of a workload in an order. `fair`: by priority; the shares of queues come between it and the submission when
 * the queue is compared with others (`QueueTournament`). `fifo`: by submission. `sjf`: by the estimate. `srtf`, `srsf`
 * and powers: by remaining time, times devices. `nowMs` counts only for one that has started.
 *
 * Products are rounded as doubles are, by multiplication alone: the same on every machine.
 */
export function orderKeyOf(order: Order, work: WorkOf, nowMs: Ms = 0): OrderKey {
  const { id, submittedAtMs, name } = work.spec;
  return { id, rank: rankOf(order, work, nowMs), submittedAtMs, name };
}

/** By rank, submission, name. The id tells apart what is still equal: names are unique in a team only. */
export function compareByOrder(a: OrderKey, b: OrderKey): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.submittedAtMs - b.submittedAtMs || compareText(a.name, b.name) || compareText(a.id, b.id);
}

/**
 * Does it come first by a key of the order that is no share? Shares swing around the size of a large gang: what is kept
 * for a gang must not give way at each swing.
 */
export function comesFirstForGood(order: Order, a: WorkOf, b: WorkOf): boolean {
  if (order === 'fair') return a.spec.priority > b.spec.priority;
  return compareByOrder(orderKeyOf(order, a), orderKeyOf(order, b)) < 0;
}

function rankOf(order: Order, work: WorkOf, nowMs: Ms): number {
  const { spec } = work;
  switch (order) {
    case 'fair':
      return -spec.priority;
    case 'fifo':
      return 0;
    case 'sjf':
      return Math.min(spec.estimateMs ?? Infinity, spec.limitMs ?? Infinity);
    case 'srtf':
      return remainingMs(work, nowMs) ?? Infinity;
    case 'srsf':
      return byPowers({ remainingPower: 1, devicesPower: 1 }, work, nowMs);
    default:
      return byPowers(order, work, nowMs);
  }
}

function byPowers(
  { remainingPower, devicesPower }: { readonly remainingPower: number; readonly devicesPower: number },
  work: WorkOf,
  nowMs: Ms,
): number {
  const remaining = remainingMs(work, nowMs);
  if (remaining === undefined && remainingPower !== 0) return Infinity;
  return power(remaining ?? 1, remainingPower) * power(deviceMilliOf(work.spec.podSets), devicesPower);
}

/** Of its minimum. Work without devices counts as a thousandth of one: among equals before all that takes any. */
function deviceMilliOf(podSets: readonly PodSetSpec[]): Milli {
  let milli = 0;
  for (const { count, minCount, devices } of podSets) {
    if (devices !== undefined) milli += Math.min(count, Math.max(1, minCount)) * devices.count * devices.milli;
  }
  return Math.max(1, milli);
}

/** By repeated multiplication: `Math.pow` may differ between machines in its last digit. */
function power(base: number, exponent: number): number {
  let product = 1;
  for (let factor = 0; factor < Math.abs(exponent); factor++) product *= base;
  return exponent < 0 ? 1 / product : product;
}
