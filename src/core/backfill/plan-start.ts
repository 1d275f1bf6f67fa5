import type { Charge, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan, PlannedPod } from '../forecast/index.js';
import { mayFit } from '../placement/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import type { StartAsk, StartPart } from '../start/index.js';
import { chargesOfParts, findStart, flavorChoices, gangParts, startAskOf } from '../start/index.js';
import type { Arrival } from './availability-walk.js';
import { AvailabilityWalk, holdingsOf } from './availability-walk.js';
import type { Lengths } from './run-time-estimates.js';
import { lengthsOf } from './run-time-estimates.js';

export type PlanSearch =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'none'; readonly searched: 'complete' | 'partial' };

/** When a plan is made, and what it must leave as it is. */
export interface PlanTerms {
  readonly nowMs: Ms;
  readonly takers: readonly Plan[];
  /** Those of the takers that were made later: they may count on its end as learnt. */
  readonly later?: readonly Plan[];
  readonly arrival?: Arrival | undefined;
}

/** Changes that are looked at, and placements that are tried, for one plan. */
const CHANGES_MAX = 2000;
const PLACEMENTS_MAX = 64;
/** Other seats are tried so often when those found are needed by an earlier plan. */
const DETOURS_MAX = 3;
/** Those that a plan waits for longest; more say nothing. */
const WAITS_MAX = 64;

/**
 * The earliest time at which the workload has a place for its minimum, by what is expected: a real placement in
 * flavors that quota then allows, that leaves all plans of `takers` where and when they are. Walks the changes to come
 * in doubling batches between the starts of plans, since inside such a stretch everything only comes free; the first
 * time with room is then found by halves. Decides nothing and leaves no trace.
 */
export function planStart(state: CoreState, record: WorkloadRecord, when: PlanTerms): PlanSearch {
  state.work.planSearches++;
  const start = state.tx.mark();
  const found = new StartPlanner(state, record, when).search();
  state.tx.rollbackTo(start);
  return found;
}

class StartPlanner {
  readonly #walk: AvailabilityWalk;
  readonly #ask: StartAsk;
  readonly #lengths: Lengths;
  readonly #lastStart: number;
  readonly #quotaIsShort: boolean;
  #placements = 0;

  constructor(
    readonly state: CoreState,
    readonly record: WorkloadRecord,
    readonly when: PlanTerms,
  ) {
    this.#walk = new AvailabilityWalk(state, when.nowMs, { plans: when.takers, arrival: when.arrival });
    this.#ask = startAskOf(state, record);
    this.#lengths = lengthsOf(state, record);
    this.#lastStart = this.#walk.changes.findLastIndex(({ kind }) => kind === 'plan-starts');
    this.#quotaIsShort = flavorChoices(state, this.#ask).allowed.length === 0;
  }

  search(): PlanSearch {
    const { changes } = this.#walk;
    const now = this.#placeAt(0, this.when.nowMs);
    if (now !== undefined) return { kind: 'planned', plan: now };
    let size = 1;
    for (let at = 0; at < changes.length;) {
      if (at > CHANGES_MAX || this.#placements >= PLACEMENTS_MAX) return { kind: 'none', searched: 'partial' };
      const change = changes[at];
      if (change?.kind === 'plan-starts') {
        this.#walk.apply(change);
        at++;
        continue;
      }
      const end = this.#endOfBatch(at, size);
      const before = this.state.tx.mark();
      this.#applyAll(at, end);
      if (!this.#mayFit()) {
        at = end;
        size *= 2;
        continue;
      }
      const first = this.#firstThatFits(at, end, before);
      const plan = this.#placeAt(first, changes[first - 1]?.atMs ?? this.when.nowMs);
      if (plan !== undefined) return { kind: 'planned', plan };
      at = first;
      size = 1;
    }
    return { kind: 'none', searched: 'complete' };
  }

  #applyAll(from: number, to: number): void {
    for (const change of this.#walk.changes.slice(from, to)) this.#walk.apply(change);
  }

  /** Before the next start of a plan; never between changes of one time. */
  #endOfBatch(from: number, size: number): number {
    const { changes } = this.#walk;
    let end = from;
    while (end < changes.length && changes[end]?.kind !== 'plan-starts') {
      if (end >= from + size && changes[end]?.atMs !== changes[end - 1]?.atMs) break;
      end++;
    }
    return end;
  }

  /** Of the times in the batch: changes up to the earliest at which it may fit; they are applied then. */
  #firstThatFits(from: number, to: number, before: number): number {
    const { changes } = this.#walk;
    const ends: number[] = [];
    for (let end = from + 1; end <= to; end++) {
      if (end === to || changes[end]?.atMs !== changes[end - 1]?.atMs) ends.push(end);
    }
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      this.state.tx.rollbackTo(before);
      this.#applyAll(from, ends[middle] ?? to);
      if (this.#mayFit()) high = middle;
      else low = middle + 1;
    }
    this.state.tx.rollbackTo(before);
    this.#applyAll(from, ends[high] ?? to);
    return ends[high] ?? to;
  }

  /** Cheap and never wrong about a no: by sums, without search. */
  #mayFit(): boolean {
    const { fleet } = this.state;
    return flavorChoices(this.state, this.#ask).allowed.some((choice) =>
      gangParts(this.state, this.#ask.podSets, choice).every(({ shape, need, limit }) => {
        return limit !== undefined && mayFit(fleet, { shape, need, level: limit });
      }),
    );
  }

  /** A place at that time for as long as it will run; changes before `at` are applied. */
  #placeAt(at: number, timeMs: Ms): Plan | undefined {
    const { resolutionMs } = this.state.policy.backfill;
    const startMs = Math.ceil(timeMs / resolutionMs) * resolutionMs;
    const avoid = new Set(this.#ask.avoid);
    for (let detour = 0; detour <= DETOURS_MAX; detour++) {
      this.#placements++;
      const before = this.state.tx.mark();
      const found = findStart(this.state, { ...this.#ask, avoid });
      if (found.kind === 'blocked') return undefined;
      const charges = chargesOfParts(this.state, this.record, found.parts);
      for (const charge of charges) this.state.quota.charge(charge);
      const hindered = this.#hindered(at, startMs);
      this.state.tx.rollbackTo(before);
      if (hindered === undefined) return this.#planOf(found.parts, { at, startMs, charges });
      const rows = new Set(found.parts.flatMap(({ pods }) => pods.map(({ row }) => row)));
      const shared = plannedRows(this.state, hindered).filter((row) => rows.has(row));
      if (shared.length === 0) return undefined;
      for (const row of shared) avoid.add(row);
    }
    return undefined;
  }

  /** The first plan that would not fit at its start any more. */
  #hindered(from: number, startMs: Ms): Plan | undefined {
    const { toldMs, likelyMs } = this.#lengths;
    for (let at = from; at <= this.#lastStart; at++) {
      const change = this.#walk.changes[at];
      if (change === undefined || change.atMs >= startMs + toldMs) return undefined;
      if (this.#walk.apply(change) || change.kind !== 'plan-starts') continue;
      const hasEnded = change.atMs >= startMs + likelyMs;
      if (!hasEnded || this.when.later?.includes(change.plan) !== true) return change.plan;
    }
    return undefined;
  }

  #planOf(
    parts: readonly StartPart[],
    { at, startMs, charges }: { readonly at: number; readonly startMs: Ms; readonly charges: readonly Charge[] },
  ): Plan {
    const { id, queue } = this.record.spec;
    const pods = plannedPods(this.state, parts);
    const endMs = startMs + this.#lengths.likelyMs;
    return {
      workload: id,
      queue,
      startMs,
      ...(endMs === Infinity ? {} : { endMs }),
      pods,
      charges,
      waitsFor: this.#waitsFor(at, new Set(pods.map(({ node }) => node)), charges),
    };
  }

  #waitsFor(at: number, nodes: ReadonlySet<string>, charges: readonly Charge[]): readonly WorkloadId[] {
    const { book, fleet } = this.state;
    const counts = (id: WorkloadId): boolean => {
      // Also what a start of this settle holds, which is not said yet.
      if (holdingsOf(this.state, id).some(({ row }) => nodes.has(fleet.recordOf(row).spec.name))) return true;
      if (!this.#quotaIsShort) return false;
      return (book.get(id)?.charges ?? []).some(({ flavor }) => charges.some((charge) => charge.flavor === flavor));
    };
    const waits: WorkloadId[] = [];
    for (let index = at - 1; index >= 0 && waits.length < WAITS_MAX; index--) {
      const change = this.#walk.changes[index];
      if (change?.kind === 'release' && counts(change.id)) waits.push(change.id);
    }
    return waits.reverse();
  }
}

/** The nodes that a plan stands on, each once, as far as they are known. */
export function plannedRows({ fleet }: CoreState, plan: Plan): readonly number[] {
  const nodes = new Set(plan.pods.map(({ node }) => node));
  return [...nodes].filter((node) => fleet.has(node)).map((node) => fleet.rowOf(node));
}

function plannedPods(state: CoreState, parts: readonly StartPart[]): readonly PlannedPod[] {
  return parts.flatMap(({ podSet, flavor, pods }) =>
    pods.map(({ row, slots }) => ({
      podSet: podSet.name,
      ...(flavor === undefined ? {} : { flavor }),
      node: state.fleet.recordOf(row).spec.name,
      slots,
    })),
  );
}
