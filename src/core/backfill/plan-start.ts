import type { Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import { mayFit } from '../placement/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import type { StartAsk } from '../start/index.js';
import { chargesOfParts, findStart, flavorChoices, gangParts } from '../start/index.js';
import type { AvailabilityWalk } from './availability-walk.js';
import { planWithEvictions } from './plan-evictions.js';
import type { PlanTerms } from './plan-frame.js';
import { CHANGES_MAX, PlanFrame } from './plan-frame.js';

export type PlanSearch =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'none'; readonly searched: 'complete' | 'partial' };

/** Placements that are tried for one plan. */
const PLACEMENTS_MAX = 64;
/** Other seats are tried so often when those found are needed by an earlier plan. */
const DETOURS_MAX = 3;

/**
 * The earliest time at which the workload has a place for its minimum, by what is expected: a real placement in
 * flavors that quota then allows, that leaves all plans of `takers` where and when they are. Walks the changes to come
 * in doubling batches between the starts of plans, since inside such a stretch everything only comes free; the first
 * time with room is then found by halves. When it has a place sooner by evicting others, that is the plan. Decides
 * nothing and leaves no trace.
 */
export function planStart(state: CoreState, record: WorkloadRecord, when: PlanTerms): PlanSearch {
  state.work.planSearches++;
  const frame = new PlanFrame(state, record, when);
  const start = state.tx.mark();
  const found = new StartPlanner(frame).search();
  state.tx.rollbackTo(start);
  if (when.evictions === 'left-out') return found;
  const beforeMs = Math.min(found.kind === 'planned' ? found.plan.startMs : Infinity, when.soonerThanMs ?? Infinity);
  const plan = beforeMs <= when.nowMs ? undefined : planWithEvictions(frame, beforeMs);
  return plan === undefined ? found : { kind: 'planned', plan };
}

class StartPlanner {
  readonly #walk: AvailabilityWalk;
  readonly #ask: StartAsk;
  #placements = 0;

  constructor(private readonly frame: PlanFrame) {
    this.#walk = frame.walk;
    this.#ask = frame.ask;
  }

  search(): PlanSearch {
    const { changes } = this.#walk;
    const { nowMs } = this.frame.when;
    const now = this.#placeAt(0, nowMs);
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
      const before = this.frame.state.tx.mark();
      this.#applyAll(at, end);
      if (!this.#mayFit()) {
        at = end;
        size *= 2;
        continue;
      }
      const first = this.#firstThatFits(at, end, before);
      const plan = this.#placeAt(first, changes[first - 1]?.atMs ?? nowMs);
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
      this.frame.state.tx.rollbackTo(before);
      this.#applyAll(from, ends[middle] ?? to);
      if (this.#mayFit()) high = middle;
      else low = middle + 1;
    }
    this.frame.state.tx.rollbackTo(before);
    this.#applyAll(from, ends[high] ?? to);
    return ends[high] ?? to;
  }

  /** Cheap and never wrong about a no: by sums, without search. */
  #mayFit(): boolean {
    const { state } = this.frame;
    return flavorChoices(state, this.#ask).allowed.some((choice) =>
      gangParts(state, this.#ask.podSets, choice).every(({ shape, need, limit }) => {
        return limit !== undefined && mayFit(state.fleet, { shape, need, level: limit });
      }),
    );
  }

  /** A place at that time for as long as it will run; changes before `at` are applied. */
  #placeAt(at: number, timeMs: Ms): Plan | undefined {
    const { state, record } = this.frame;
    const startMs = this.frame.startFrom(timeMs);
    const avoid = new Set(this.#ask.avoid);
    for (let detour = 0; detour <= DETOURS_MAX; detour++) {
      this.#placements++;
      const before = state.tx.mark();
      const found = findStart(state, { ...this.#ask, avoid });
      if (found.kind === 'blocked') return undefined;
      const charges = chargesOfParts(state, record, found.parts);
      for (const charge of charges) state.quota.charge(charge);
      const hindered = this.frame.hindered(at, startMs);
      state.tx.rollbackTo(before);
      if (hindered === undefined) return this.frame.planOf(found.parts, { at, startMs, charges, victims: [] });
      const rows = new Set(found.parts.flatMap(({ pods }) => pods.map(({ row }) => row)));
      const shared = plannedRows(state, hindered).filter((row) => rows.has(row));
      if (shared.length === 0) return undefined;
      for (const row of shared) avoid.add(row);
    }
    return undefined;
  }
}

/** The nodes that a plan stands on, each once, as far as they are known. */
export function plannedRows({ fleet }: CoreState, plan: Plan): readonly number[] {
  const nodes = new Set(plan.pods.map(({ node }) => node));
  return [...nodes].filter((node) => fleet.has(node)).map((node) => fleet.rowOf(node));
}
