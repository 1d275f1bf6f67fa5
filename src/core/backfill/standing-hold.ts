import type { Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StandingHold } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { comesFirstForGood, flavorsOf, isWaiting, keepsItsPlan } from '../queue/index.js';
import { chargesOfVictim } from './belongings.js';
import type { Newcomer } from './slip-ahead.js';
import { chooseRegion } from './hold-region.js';

/**
 * Standing holds: who waits for `backfill.patience` without a start that could be planned, because nobody knows when
 * the work around ends, gets nodes on which what comes free is kept for it; work already there runs on. So the wait of
 * a large gang is bounded under an endless stream of small work. One for each flavor at a time, for who has waited
 * longest; it ends when its workload starts or leaves, or a node of it is lost.
 */
export function keepHolds(state: CoreState, nowMs: Ms): void {
  const { plans } = state;
  for (const hold of plans.holds) if (!stands(state, hold)) dropHold(state, hold);
  for (const record of outOfPatience(state, nowMs)) {
    const { id } = record.spec;
    if (plans.holdOf(id) !== undefined || isTaken(state, [...flavorsOf(record.spec)], 'every')) continue;
    const region = chooseRegion(state, nowMs, record);
    if (region === undefined) {
      // Not for want of knowing ends: it would not fit if all work ended. Looked at again after as long.
      plans.unplanned.set(id, nowMs);
    } else if (!isTaken(state, region.flavors, 'some')) {
      plans.addHold({ workload: id, ...region });
    }
  }
}

function dropHold(state: CoreState, hold: StandingHold): void {
  state.plans.dropHold(hold.workload);
  wakeAround(state, hold);
}

/** Who was kept off its nodes is to be looked at again. */
export function wakeAround(state: CoreState, hold: StandingHold): void {
  for (const node of hold.nodes) if (state.fleet.has(node)) state.wakeForNode(state.fleet.rowOf(node));
}

/** When the next one runs out of patience. */
export function patienceEndMs({ plans, policy }: CoreState, nowMs: Ms): Ms | undefined {
  const { patienceMs } = policy.backfill;
  if (patienceMs === 0) return undefined;
  const sinceMs = plans.unplanned.nextAfter(nowMs - patienceMs);
  return sinceMs === undefined ? undefined : sinceMs + patienceMs;
}

/** The longest without a plan first. */
function outOfPatience({ plans, policy, book }: CoreState, nowMs: Ms): readonly WorkloadRecord[] {
  const { patienceMs } = policy.backfill;
  if (patienceMs === 0) return [];
  return plans.unplanned
    .since(nowMs - patienceMs)
    .map((id) => book.get(id))
    .filter((record) => record !== undefined)
    .filter(isWaiting);
}

function stands({ book, fleet, policy }: CoreState, { workload, nodes }: StandingHold): boolean {
  const record = book.get(workload);
  if (record === undefined || !keepsItsPlan(record) || policy.backfill.patienceMs === 0) return false;
  return nodes.every((node) => fleet.has(node) && fleet.open.at(fleet.rowOf(node)) === 1);
}

function isTaken({ plans }: CoreState, flavors: readonly string[], which: 'every' | 'some'): boolean {
  const taken = new Set(plans.holds.flatMap((hold) => hold.flavors));
  return which === 'every' ? flavors.every((flavor) => taken.has(flavor)) : flavors.some((flavor) => taken.has(flavor));
}

/**
 * Whose standing hold lacks quota because of a newcomer, its quota charged and its victims gone already: as much must be
 * left as its nodes have free by now. Those before whom the newcomer comes by the order do not count.
 */
export function holdShortOf(
  state: CoreState,
  newcomer: Pick<Newcomer, 'record' | 'charges' | 'victims'>,
): WorkloadId | undefined {
  const { plans, book, policy } = state;
  const { record } = newcomer;
  const hindered = plans.holds.find((hold) => {
    const holder = book.get(hold.workload);
    if (holder === undefined || holder === record || hold.workload === record.spec.id) return false;
    if (comesFirstForGood(policy.order, record, holder)) return false;
    return hold.charges.some(({ queue, flavor, milli }) => {
      const after = state.quota.available(queue, flavor);
      const kept = Math.min(milli, freeFor(state, hold, flavor));
      return after !== undefined && after < kept && after < availableBefore(state, { queue, flavor }, newcomer);
    });
  });
  return hindered?.workload;
}

function availableBefore(
  state: CoreState,
  { queue, flavor }: { readonly queue: string; readonly flavor: string },
  { charges, victims = [] }: Pick<Newcomer, 'charges' | 'victims'>,
): number {
  const mark = state.tx.mark();
  for (const charge of charges) state.quota.refund(charge);
  for (const victim of victims) for (const charge of chargesOfVictim(state, victim)) state.quota.charge(charge);
  const before = state.quota.available(queue, flavor) ?? 0;
  state.tx.rollbackTo(mark);
  return before;
}

/** Milli of the flavor that its nodes have free: whole devices and parts, or CPU. */
function freeFor({ fleet }: CoreState, { nodes }: StandingHold, flavor: string): number {
  const hasDevices = fleet.flavor(flavor)?.model !== undefined;
  let free = 0;
  for (const node of nodes) {
    if (!fleet.has(node)) continue;
    const row = fleet.rowOf(node);
    if (!hasDevices) free += Math.max(0, fleet.cpuFree.at(row));
    else
      for (let slot = fleet.slotBase(row); slot < fleet.slotBase(row) + fleet.slotCount(row); slot++)
        free += fleet.slotFree.at(slot);
  }
  return free;
}
