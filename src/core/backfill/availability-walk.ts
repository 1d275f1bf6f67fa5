import type { Charge, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Holding, PodRecord } from '../fleet/index.js';
import { nameOf } from '../fleet/index.js';
import type { Plan, PlannedPod, Victim } from '../forecast/index.js';
import type { PodShape } from '../placement/index.js';
import { PodRules, podsThatFit, takeSeat } from '../placement/index.js';
import { subtractCharges } from '../start/index.js';
import type { Belongings } from './belongings.js';
import { allOf, belongingsOf, releaseVictim, setFree } from './belongings.js';
import type { Release } from './release-times.js';
import { releaseTimes } from './release-times.js';

/** Seats and quota that are taken already on the live amounts, by somebody that the book does not know there. */
export interface Arrival {
  /** All of it comes free again then; `Infinity`: never. */
  readonly endMs: Ms;
  readonly holdings: readonly Holding[];
  readonly charges: readonly Charge[];
  /** What others have given up for it; free on the live amounts, though the book does not know it. */
  readonly victims?: readonly Victim[];
}

/** One change of what is free, at a time to come. At one time: what comes free first, then plans that take. */
export type Change =
  | ({ readonly kind: 'release' } & Release)
  | { readonly kind: 'arrival-ends'; readonly atMs: Ms; readonly arrival: Arrival }
  | { readonly kind: 'plan-ends'; readonly atMs: Ms; readonly plan: Plan }
  | { readonly kind: 'plan-starts'; readonly atMs: Ms; readonly plan: Plan };

const RANK = { release: 0, 'arrival-ends': 0, 'plan-ends': 1, 'plan-starts': 2 } as const;

/** What is reckoned with, besides the ends of those that run. */
export interface Expected {
  readonly plans: readonly Plan[];
  readonly arrival?: Arrival | undefined;
}

/**
 * What will be free, on the live amounts: the changes to come in the order of time, to be applied one after the other
 * inside a transaction of the caller, who also rolls back. A plan that is due starts now. After a rollback changes may
 * be applied again from there.
 */
export class AvailabilityWalk {
  readonly changes: readonly Change[];
  readonly #state: CoreState;
  /** The first of them that is not now: whoever is leaving has gone by then. */
  readonly #firstToCome: Change | undefined;
  /** What a plan took when it started. */
  readonly #taken = new Map<Plan, readonly Holding[]>();
  /** Names of pods that are given up before their workloads end, to the arrival or to plans. */
  readonly #lost = new Set<string>();
  /** Those that are given up meanwhile; see `without`. */
  readonly #evicted = new Set<string>();
  /** Whom a plan evicts at its start: who has not ended by then, nor given way to another before. */
  readonly #victims = new Map<Plan, readonly Victim[]>();

  constructor(state: CoreState, nowMs: Ms, { plans, arrival }: Expected) {
    this.#state = state;
    for (const { pods } of arrival?.victims ?? []) for (const pod of pods) this.#lost.add(nameOf(pod));
    const releases = releaseTimes(state, nowMs).map((release): Change => ({ kind: 'release', ...release }));
    const ends: readonly Change[] =
      arrival === undefined || arrival.endMs === Infinity
        ? []
        : [{ kind: 'arrival-ends', atMs: Math.max(nowMs, arrival.endMs), arrival }];
    this.changes = inOrder(releases, [...ends, ...changesOf(plans, nowMs)]);
    this.#firstToCome = this.changes.find(({ atMs }) => atMs > nowMs);
    if (plans.some(({ victims }) => victims.length > 0)) this.#noteVictims();
  }

  /** Who has ended before the change of this number, or is evicted by a plan. */
  goneBefore(end: number): ReadonlySet<WorkloadId> {
    const gone = new Set<WorkloadId>();
    for (const change of this.changes.slice(0, end)) {
      if (change.kind === 'release') gone.add(change.id);
      if (change.kind === 'plan-starts') for (const { workload } of change.plan.victims) gone.add(workload);
    }
    return gone;
  }

  /** Whom the plan evicts at its start, as far as they are still there by then. */
  victimsOf(plan: Plan): readonly Victim[] {
    return this.#victims.get(plan) ?? [];
  }

  /** As if these had been evicted before the changes that are still to be applied; until the answer is there. */
  without<Answer>(victims: readonly Victim[], question: () => Answer): Answer {
    for (const victim of victims) releaseVictim(this.#state, victim);
    for (const { pods } of victims) for (const pod of pods) this.#evicted.add(nameOf(pod));
    const answer = question();
    this.#evicted.clear();
    return answer;
  }

  /** `false`: a plan does not fit at its start, and takes nothing. */
  apply(change: Change): boolean {
    if (change === this.#firstToCome) for (const held of this.#state.pods.heldForLeaving()) this.#state.tx.give(held);
    switch (change.kind) {
      case 'release':
        setFree(this.#state, this.#leftOf(change.id));
        return true;
      case 'arrival-ends':
        for (const holding of change.arrival.holdings) this.#state.tx.give(holding);
        for (const charge of change.arrival.charges) this.#state.quota.refund(charge);
        return true;
      case 'plan-ends':
        for (const holding of this.#taken.get(change.plan) ?? []) this.#state.tx.give(holding);
        if (this.#taken.has(change.plan)) for (const charge of change.plan.charges) this.#state.quota.refund(charge);
        return true;
      case 'plan-starts': {
        const before = this.#state.tx.mark();
        for (const { workload, pods } of this.victimsOf(change.plan)) {
          releaseVictim(this.#state, { workload, pods: pods.filter((pod) => !this.#evicted.has(nameOf(pod))) });
        }
        const taken = takePlan(this.#state, change.plan);
        if (taken === undefined) this.#state.tx.rollbackTo(before);
        if (taken === undefined) this.#taken.delete(change.plan);
        else this.#taken.set(change.plan, taken);
        return taken !== undefined;
      }
    }
  }

  /** By the order of changes, whether or not a plan fits at its start: never too much is free. */
  #noteVictims(): void {
    const ended = new Set<WorkloadId>();
    for (const change of this.changes) {
      if (change.kind === 'release') ended.add(change.id);
      if (change.kind !== 'plan-starts') continue;
      const victims = change.plan.victims
        .filter(({ workload }) => !ended.has(workload))
        .map(({ workload, pods }) => ({ workload, pods: pods.filter((pod) => !this.#lost.has(nameOf(pod))) }));
      this.#victims.set(change.plan, victims);
      for (const { pods } of victims) for (const pod of pods) this.#lost.add(nameOf(pod));
    }
  }

  /** What it has at its end, without what was given up before. */
  #leftOf(id: WorkloadId): Belongings {
    const all = allOf(this.#state, id);
    if (this.#lost.size === 0 && this.#evicted.size === 0) return all;
    const pods = this.#state.pods.ofWorkload(id);
    const isLost = ({ seat }: PodRecord): boolean =>
      this.#lost.has(nameOf(seat.pod)) || this.#evicted.has(nameOf(seat.pod));
    const lost = pods.filter(isLost);
    if (lost.length === 0) return all;
    const { charges } = belongingsOf(this.#state, id, lost);
    const kept = pods.filter((pod) => !isLost(pod));
    return { holdings: this.#state.pods.claimedBy(kept), charges: subtractCharges(all.charges, charges) };
  }
}

/** Takes the seats and the quota of a plan as they are free now, or nothing. Slots are chosen anew. */
function takePlan(state: CoreState, plan: Plan): readonly Holding[] | undefined {
  const start = state.tx.mark();
  const taken: Holding[] = [];
  for (const charge of plan.charges) {
    if (state.quota.fits(charge).kind === 'exceeds') {
      state.tx.rollbackTo(start);
      return undefined;
    }
    state.quota.charge(charge);
  }
  const rules: RulesOfShapes = new Map();
  for (const pod of plan.pods) {
    const holding = takePod(state, { plan, rules }, pod);
    if (holding === undefined) {
      state.tx.rollbackTo(start);
      return undefined;
    }
    taken.push(holding);
  }
  return taken;
}

/** Made when the first pod of the shape is taken: pods of others that the plan took before stand then. */
type RulesOfShapes = Map<PodShape, PodRules | undefined>;

function takePod(
  state: CoreState,
  { plan, rules }: { readonly plan: Plan; readonly rules: RulesOfShapes },
  pod: PlannedPod,
): Holding | undefined {
  const podSet = state.book.get(plan.workload)?.spec.podSets.find(({ name }) => name === pod.podSet);
  if (podSet === undefined || !state.fleet.has(pod.node)) return undefined;
  const shape = state.shapes.shapeOf(podSet, pod.flavor);
  const row = state.fleet.rowOf(pod.node);
  if (podsThatFit(state.fleet, shape, row) < 1) return undefined;
  if (!rules.has(shape)) rules.set(shape, PodRules.of(state.fleet, shape));
  const ruled = rules.get(shape);
  if (ruled?.allows(row) === false) return undefined;
  ruled?.add(row);
  const { slots } = takeSeat(state.tx, shape, row);
  return { row, cpuMilli: shape.cpuMilli, memoryMib: shape.memoryMib, slots, rules: shape.standing };
}

function changesOf(plans: readonly Plan[], nowMs: Ms): readonly Change[] {
  const changes: Change[] = [];
  for (const plan of plans) {
    const startMs = Math.max(nowMs, plan.startMs);
    changes.push({ kind: 'plan-starts', atMs: startMs, plan });
    if (plan.endMs !== undefined) {
      changes.push({ kind: 'plan-ends', atMs: Math.max(startMs, plan.endMs + startMs - plan.startMs), plan });
    }
  }
  return changes;
}

/** Stable: releases are sorted, plans are in the order in which they were made. */
function inOrder(releases: readonly Change[], others: readonly Change[]): readonly Change[] {
  if (others.length === 0) return releases;
  return [...releases, ...others].sort((a, b) => a.atMs - b.atMs || RANK[a.kind] - RANK[b.kind]);
}
