import type { PodRef } from '../contract/index.js';
import { eighthsOf } from './device-partitions.js';
import { EIGHTHS, MIXED } from './fleet-state.js';
import type { Cut, Holding } from './fleet-transaction.js';
import type { PodRecord } from './pod-record.js';

/** What a node keeps from everybody, beyond the claims on it. */
export type NodeHold = Omit<Holding, 'row' | 'pods' | 'rules'> & {
  readonly pods: number;
  readonly cuts: readonly Cut[];
};

export const NOTHING_HELD: NodeHold = { cpuMilli: 0, memoryMib: 0, pods: 0, slots: [], cuts: [] };

/** The right to its seat counts: the ledger has it, or is expected to. */
export function isClaimed({ claim }: PodRecord): boolean {
  return claim === 'assumed' || claim === 'granted';
}

interface Waiter {
  readonly pod: PodRecord;
  /** Those without claim that it waits for, by their place among them. */
  readonly behind: readonly number[];
}

/**
 * What the pods of one node that have lost their claim hold of it, until they are gone; `pods` are all of the node, in
 * any fixed order. A claim that waits for such pods stands in their place and needs nothing besides: per resource and
 * slot, held is the most that can be on the node at one time, over all orders in which they go and the waiting come,
 * less the claims. With edges from each waiting pod to those it waits for, that is everything less the largest flow
 * along them (project selection: pods that follow one another need the place of one); exact as long as the sets waited
 * for are disjoint or nested, else too much.
 */
export function leavingHold(pods: readonly PodRecord[]): NodeHold {
  if (pods.every(isClaimed)) return NOTHING_HELD;
  const unclaimed = pods.filter((pod) => !isClaimed(pod));
  const somebodyWaits = pods.some(({ waitsFor }) => waitsFor !== undefined);
  const byName = new Map(somebodyWaits ? unclaimed.map((pod) => [nameOf(pod.seat.pod), pod]) : []);
  const isWaiting = ({ waitsFor }: PodRecord): boolean => waitsFor?.some((ref) => byName.has(nameOf(ref))) ?? false;
  const place = new Map(unclaimed.map((pod, index) => [nameOf(pod.seat.pod), index]));
  const waiters: Waiter[] = pods
    .filter(isWaiting)
    .map((pod) => ({
      pod,
      behind: (pod.waitsFor ?? []).map((ref) => place.get(nameOf(ref))).filter((index) => index !== undefined),
    }))
    .sort((a, b) => a.behind.length - b.behind.length);
  const held = (amountOf: (pod: PodRecord) => number): number => {
    let total = 0;
    for (const pod of unclaimed) total += amountOf(pod);
    if (waiters.length === 0) return total;
    const left = unclaimed.map(amountOf);
    for (const { pod, behind } of waiters) total -= cover(amountOf(pod), behind, left);
    return total;
  };
  const slots = new Set(unclaimed.flatMap(({ seat }) => seat.slots.map(({ slot }) => slot)));
  return {
    cpuMilli: held(({ seat }) => seat.cpuMilli),
    memoryMib: held(({ seat }) => seat.memoryMib),
    pods: held(() => 1),
    slots: [...slots]
      .sort((a, b) => a - b)
      .map((slot) => ({ slot, milli: held((pod) => milliOf(pod, slot)) }))
      .filter(({ milli }) => milli !== 0),
    cuts: [
      ...cutsOf(unclaimed)
        .map((cut) => ({ ...cut, times: held((pod) => (liesOn(pod, cut) ? 1 : 0)) }))
        .filter(({ times }) => times !== 0),
      ...mixedSlots(pods).map((slot) => ({ slot, eighth: MIXED, times: 1 })),
    ],
    leavingRules: unclaimed.flatMap(({ rules }) => (rules === undefined ? [] : [{ rules, pods: 1 }])),
  };
}

/** How much of `need` stands in the place of those behind which it waits; `left` is what of them is not covered yet. */
function cover(need: number, behind: readonly number[], left: number[]): number {
  let covered = 0;
  for (const index of behind) {
    const more = Math.min(need - covered, left[index] ?? 0);
    left[index] = (left[index] ?? 0) - more;
    covered += more;
  }
  return covered;
}

/** The eighths that partitions of these pods lie on, each once. */
function cutsOf(pods: readonly PodRecord[]): readonly Omit<Cut, 'times'>[] {
  const cuts = pods
    .flatMap(({ seat }) =>
      seat.slots.flatMap((share) => eighthsOf(share).map((eighth) => [share.slot, eighth] as const)),
    )
    .map(([slot, eighth]) => slot * EIGHTHS + eighth);
  return [...new Set(cuts)]
    .sort((a, b) => a - b)
    .map((cut) => ({ slot: Math.floor(cut / EIGHTHS), eighth: cut % EIGHTHS }));
}

/** Slots on which partitions come after other shares, or before them. */
function mixedSlots(pods: readonly PodRecord[]): readonly number[] {
  if (!pods.some(({ seat }) => seat.slots.some(({ profile }) => profile !== undefined))) return [];
  const shares = pods.flatMap(({ seat }) => seat.slots);
  const whole = new Set(shares.filter(({ profile }) => profile === undefined).map(({ slot }) => slot));
  const cut = new Set(shares.filter(({ profile }) => profile !== undefined).map(({ slot }) => slot));
  return [...cut].filter((slot) => whole.has(slot)).sort((a, b) => a - b);
}

function liesOn({ seat }: PodRecord, cut: Omit<Cut, 'times'>): boolean {
  return seat.slots.some((share) => share.slot === cut.slot && eighthsOf(share).includes(cut.eighth));
}

function milliOf({ seat }: PodRecord, slot: number): number {
  return seat.slots.find((share) => share.slot === slot)?.milli ?? 0;
}

export function nameOf({ workload, incarnation, podSet, index }: PodRef): string {
  return `${workload}/${incarnation}/${podSet}/${index}`;
}
