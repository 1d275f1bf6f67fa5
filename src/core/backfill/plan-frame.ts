import type { Charge, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan, PlannedPod, Victim } from '../forecast/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import type { StartAsk, StartPart } from '../start/index.js';
import { flavorChoices, startAskOf } from '../start/index.js';
import type { Arrival } from './availability-walk.js';
import { AvailabilityWalk } from './availability-walk.js';
import type { Need } from './await-end.js';
import { hasOf, WAITS_MAX } from './await-end.js';
import type { Lengths } from './run-time-estimates.js';
import { lengthsOf } from './run-time-estimates.js';

/** When a plan is made, and what it must leave as it is. */
export interface PlanTerms {
  readonly nowMs: Ms;
  readonly takers: readonly Plan[];
  /** Those of the takers that were made later: they may count on its end as learnt. */
  readonly later?: readonly Plan[];
  readonly arrival?: Arrival | undefined;
  /** Is work counted on that this one may evict once its protection has ended? As a rule it is. */
  readonly evictions?: 'counted' | 'left-out';
  /** By evicting others only an earlier start is of use. */
  readonly soonerThanMs?: Ms;
}

/** Changes of what is free that are looked at for one plan. */
export const CHANGES_MAX = 2000;

/** With which changes applied a place was found, for when, and at what cost. */
interface Found {
  readonly at: number;
  readonly startMs: Ms;
  readonly charges: readonly Charge[];
  readonly victims: readonly Victim[];
}

/** What both searches for a planned start go by: the changes to come, whom they must not hinder, and how a plan looks. */
export class PlanFrame {
  readonly walk: AvailabilityWalk;
  readonly ask: StartAsk;
  readonly #lengths: Lengths;
  readonly #lastStart: number;
  readonly #quotaIsShort: boolean;

  constructor(
    readonly state: CoreState,
    readonly record: WorkloadRecord,
    readonly when: PlanTerms,
  ) {
    this.walk = new AvailabilityWalk(state, when.nowMs, { plans: when.takers, arrival: when.arrival });
    this.ask = startAskOf(state, record);
    this.#lengths = lengthsOf(state, record);
    this.#lastStart = this.walk.changes.findLastIndex(({ kind }) => kind === 'plan-starts');
    this.#quotaIsShort = flavorChoices(state, this.ask).allowed.length === 0;
  }

  /** Starts are planned on multiples of the resolution, and not while a refusal lasts. */
  readonly startFrom = (timeMs: Ms): Ms => {
    const { resolutionMs } = this.state.policy.backfill;
    return Math.ceil(Math.max(timeMs, this.record.pause?.untilMs ?? 0) / resolutionMs) * resolutionMs;
  };

  /** The first plan that would not fit at its start any more; seats and quota are taken, changes before `from` applied. */
  hindered(from: number, startMs: Ms): Plan | undefined {
    const { toldMs, likelyMs } = this.#lengths;
    for (let at = from; at <= this.#lastStart; at++) {
      const change = this.walk.changes[at];
      if (change === undefined || change.atMs >= startMs + toldMs) return undefined;
      if (this.walk.apply(change) || change.kind !== 'plan-starts') continue;
      const hasEnded = change.atMs >= startMs + likelyMs;
      if (!hasEnded || this.when.later?.includes(change.plan) !== true) return change.plan;
    }
    return undefined;
  }

  planOf(parts: readonly StartPart[], { at, startMs, charges, victims }: Found): Plan {
    const { id, queue } = this.record.spec;
    const pods = plannedPods(this.state, parts);
    const endMs = startMs + this.#lengths.likelyMs;
    const need = { nodes: new Set(pods.map(({ node }) => node)), charges: this.#quotaIsShort ? charges : [] };
    return {
      workload: id,
      queue,
      startMs,
      ...(endMs === Infinity ? {} : { endMs }),
      pods,
      charges,
      waitsFor: this.#waitsFor(at, need),
      victims,
      rights: this.state.rightsVersion,
    };
  }

  #waitsFor(at: number, need: Need): readonly WorkloadId[] {
    const waits: WorkloadId[] = [];
    for (let index = at - 1; index >= 0 && waits.length < WAITS_MAX; index--) {
      const change = this.walk.changes[index];
      if (change?.kind === 'release' && hasOf(this.state, change.id, need)) waits.push(change.id);
    }
    return waits.reverse();
  }
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
