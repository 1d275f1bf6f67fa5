import type { Charge, FlavorName, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';
import { chargesOf, combinationsOf } from '../quota/index.js';
import type { StartAsk, StartPart } from '../start/index.js';
import { minimumOf, placeChoice, startAskOf, wishOf } from '../start/index.js';
import { EvictionRights } from './eviction-rights.js';
import { spareVictims } from './spare-victims.js';
import { mayHaveVictims, victimsInOrder } from './victim-order.js';
import type { Fallen, TrialAsk } from './victim-trial.js';
import { VictimTrial } from './victim-trial.js';

/** When it is asked for, and what is left out. */
export interface VictimTerms {
  readonly nowMs: Ms;
  /** Rows to keep away from, besides those that the workload avoids itself. */
  readonly avoid?: ReadonlySet<number>;
  /** Who has nothing to give any more, on the live amounts. */
  readonly gone?: ReadonlySet<WorkloadId>;
}

export type VictimSearch = {
  readonly steps: number;
  /** When protection ends for the first of those that were passed over because of it. */
  readonly retryAtMs: Ms | undefined;
  /** `partial`: a bound on steps was met, so a set may exist. */
  readonly searched: 'complete' | 'partial';
} & (
  | {
      readonly kind: 'found';
      /** Seats that are free once all victims are gone. */
      readonly parts: readonly StartPart[];
      /** None of them can be spared. */
      readonly victims: readonly Fallen[];
    }
  | { readonly kind: 'none' }
);

/** More falls are not tried for one workload in one settle. */
const FALLS_MAX = 20_000;

const NOBODY: ReadonlySet<WorkloadId> = new Set();

/**
 * Whom to evict so that the minimum of a waiting workload fits, in the first of its flavors for which that helps. Takes
 * and changes nothing. The victims fall in order on quota, rights and free amounts until the workload fits: tested at
 * each doubling, then by bisection, so that the most important of them is as unimportant as can be. Then those are
 * given back that are not needed, and every right is looked at again for the set that is left.
 */
export function findVictims(
  state: CoreState,
  record: WorkloadRecord,
  { nowMs, avoid, gone = NOBODY }: VictimTerms,
): VictimSearch {
  state.work.victimSearches++;
  const own = startAskOf(state, record);
  const ask = avoid === undefined ? own : { ...own, avoid: new Set([...own.avoid, ...avoid]) };
  const wishes = ask.podSets.map((podSet) => wishOf(state, podSet, minimumOf(podSet)));
  let steps = 0;
  let searched: VictimSearch['searched'] = 'complete';
  let retryAtMs: Ms | undefined;
  if (!state.quota.isLeaf(ask.queue)) return { kind: 'none', steps, searched, retryAtMs };
  for (const choice of combinationsOf(wishes)) {
    const mark = state.tx.mark();
    const found = searchIn(state, { record, nowMs, gone, ask, choice, charges: chargesOf(ask.queue, wishes, choice) });
    state.tx.rollbackTo(mark);
    steps += found.steps;
    if (found.searched === 'partial') searched = 'partial';
    if (found.retryAtMs !== undefined) retryAtMs = Math.min(retryAtMs ?? found.retryAtMs, found.retryAtMs);
    if (found.kind === 'found') return { ...found, steps, searched, retryAtMs };
  }
  return { kind: 'none', steps, searched, retryAtMs };
}

interface Searching extends TrialAsk {
  readonly record: WorkloadRecord;
  readonly nowMs: Ms;
  readonly gone: ReadonlySet<WorkloadId>;
}

function searchIn(state: CoreState, search: Searching): VictimSearch {
  const { record, nowMs, charges } = search;
  let retryAtMs: Ms | undefined;
  // Whoever holds nothing of all its flavors holds nothing of those that it is short of: cheaper than to ask which.
  const short = { record, charges, contended: new Set(charges.map(({ flavor }) => flavor)) };
  const anyRights = { preemptor: short, rights: new EvictionRights(state, short) };
  if (!mayHaveVictims(state, anyRights)) return { kind: 'none', steps: 1, searched: 'complete', retryAtMs };
  const contended = contendedFlavors(state, search);
  if (contended === 'nothing') return { kind: 'none', steps: 1, searched: 'complete', retryAtMs };
  const preemptor = { record, charges, contended };
  const rights = new EvictionRights(state, preemptor);
  const trial = new VictimTrial(state, rights, search);
  const start = state.tx.mark();
  let failed = 0;
  let isEnough = false;
  let isBounded = false;
  const onProtected = (untilMs: Ms): void => {
    retryAtMs = Math.min(retryAtMs ?? untilMs, untilMs);
  };
  for (const unit of victimsInOrder(state, { preemptor, rights, nowMs }, onProtected)) {
    const right = search.gone.has(unit.record.spec.id) ? undefined : rights.over(unit);
    if (right === undefined) continue;
    trial.fall({ unit, right });
    const { length } = trial.fallen;
    isBounded = length >= FALLS_MAX;
    const isTested = length === Math.max(1, failed * 2);
    if (isTested) isEnough = trial.fits();
    if (isEnough || isBounded) break;
    if (isTested) failed = length;
  }
  if (!isEnough && trial.fallen.length > failed) isEnough = trial.fits();
  const steps = 1 + trial.fallen.length;
  if (!isEnough) return { kind: 'none', steps, searched: isBounded ? 'partial' : trial.searched, retryAtMs };
  bisect(trial, failed);
  const { fallen } = trial;
  const victims = fallen.length === 1 ? [...fallen] : spareVictims(state, trial);
  // With all of them needed, each has the right by which it fell, and the seats are those that were found.
  const parts = victims.length === fallen.length ? trial.place() : undefined;
  state.tx.rollbackTo(start);
  const checked = parts === undefined ? checkAgain(state, search, { preemptor, victims }) : { parts, victims };
  const { searched } = trial;
  const spent = steps + trial.placements;
  if (checked === undefined) return { kind: 'none', steps: spent, searched: 'partial', retryAtMs };
  return { kind: 'found', ...checked, steps: spent, searched, retryAtMs };
}

/** The shortest beginning of the sequence with which it fits; `failed` are too few, all are enough. */
function bisect(trial: VictimTrial, failed: number): void {
  const all = [...trial.fallen];
  let low = failed;
  let high = all.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    fallTo(trial, all, middle);
    if (trial.fits()) high = middle;
    else low = middle;
  }
  fallTo(trial, all, high);
}

function fallTo(trial: VictimTrial, all: readonly Fallen[], count: number): void {
  trial.keepFirst(count);
  for (const one of all.slice(trial.fallen.length, count)) trial.fall(one);
}

/** Lets the final set fall from the beginning: each by a right that it has then, and the seats as they are at the end. */
function checkAgain(
  state: CoreState,
  search: Searching,
  set: { readonly preemptor: ConstructorParameters<typeof EvictionRights>[1]; readonly victims: readonly Fallen[] },
): { readonly parts: readonly StartPart[]; readonly victims: readonly Fallen[] } | undefined {
  const rights = new EvictionRights(state, set.preemptor);
  const trial = new VictimTrial(state, rights, search);
  for (const { unit } of set.victims) {
    const right = rights.over(unit);
    if (right === undefined) return undefined;
    trial.fall({ unit, right });
  }
  const parts = trial.fitsQuota() ? trial.place() : undefined;
  return parts === undefined ? undefined : { parts, victims: trial.fallen };
}

/**
 * The flavors that the request is short of: by quota, or because no place is free. `nothing`: it would fit as it is, so
 * that something else than running work keeps it from starting.
 */
function contendedFlavors(state: CoreState, { ask, choice, charges }: Searching): ReadonlySet<FlavorName> | 'nothing' {
  const byQuota = charges.filter((charge) => state.quota.fits(charge).kind === 'exceeds').map(({ flavor }) => flavor);
  if (canPlace(state, ask, choice)) return byQuota.length === 0 ? 'nothing' : new Set(byQuota);
  if (choice.length === 1) return new Set([...byQuota, ...namesOf(choice, charges)]);
  const alone = choice.filter(
    (flavor, index) => !canPlace(state, { ...ask, podSets: ask.podSets.slice(index, index + 1) }, [flavor]),
  );
  return new Set([...byQuota, ...namesOf(alone.length > 0 ? alone : choice, charges)]);
}

function namesOf(flavors: readonly (FlavorName | undefined)[], charges: readonly Charge[]): readonly FlavorName[] {
  return charges.map(({ flavor }) => flavor).filter((flavor) => flavors.includes(flavor));
}

function canPlace(state: CoreState, ask: StartAsk, choice: TrialAsk['choice']): boolean {
  const mark = state.tx.mark();
  const placement = placeChoice(state, ask, choice);
  state.tx.rollbackTo(mark);
  return placement.kind === 'placed';
}
