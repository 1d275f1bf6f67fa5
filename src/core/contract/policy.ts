import type { Ms, TopologyLevel } from './specs.js';

/**
 * Whose turn it is. `fair`: priority, then weighted dominant share level by level down the tree, past usage,
 * submission, name. `fifo`: submission, name. `sjf`: the shortest estimate; `srtf`: the least remaining time; `srsf`:
 * the least remaining time x devices. Parametric: the least `remaining^a x devices^b`, whole exponents. Unknown times
 * come last; equals by submission and name.
 */
export type Order =
  'fair' | 'fifo' | 'sjf' | 'srtf' | 'srsf' | { readonly remainingPower: number; readonly devicesPower: number };

/** The policy document: every key, its default and its unit. It is data with a version; each decision names it. */
export interface Policy {
  readonly version: string;
  /** Outermost first; `host` is always the last. */
  readonly topologyLevels: readonly TopologyLevel[];
  readonly order: Order;
  readonly fairness: {
    /** After so long, past usage counts half. Whole hours. */
    readonly halfLifeMs: Ms;
  };
  readonly preemption: {
    /** A workload is no victim for so long after its start; and an elastic one grows not before, after it shrank. */
    readonly minRuntimeMs: Ms;
    /** Evictions in a window; absent `evictions`: a tenth of the running workloads, never less than 10. */
    readonly brake: { readonly evictions?: number; readonly windowMs: Ms };
    /** Under an order by remaining time: whoever comes later in it may be a victim. */
    readonly byOrder: boolean;
  };
  readonly backfill: {
    /** Planned starts in each leaf queue; 0: none, whoever fits starts. */
    readonly depth: number;
    /** Planned starts in the fleet. */
    readonly plans: number;
    /** Starts are planned on multiples of this. */
    readonly resolutionMs: Ms;
    /** After so long without a plan, the oldest of a flavor gets a standing hold; 0: never. */
    readonly patienceMs: Ms;
    /** Expect ends of work without estimate by what the queue's finished workloads took. */
    readonly learn: boolean;
  };
  readonly placement: {
    /** `fragmentation`: least growth of what the learnt mix cannot use; `best-fit`; `spread`: the emptiest node. */
    readonly score: 'fragmentation' | 'best-fit' | 'spread';
  };
  readonly settle: {
    /** Visits and trials in one settle; never wall time, so a slow machine decides the same. */
    readonly steps: number;
  };
  readonly start: {
    /** From the decision until all pods must run, or the gang is given back. */
    readonly deadlineMs: Ms;
  };
  readonly retry: {
    /** First wait after a failed incarnation; doubles each time. */
    readonly backoffMs: Ms;
    readonly backoffMsMax: Ms;
  };
}

const MINUTE: Ms = 60_000;
const HOUR: Ms = 60 * MINUTE;

export const DEFAULT_POLICY: Policy = {
  version: 'default',
  topologyLevels: ['rack', 'host'],
  order: 'fair',
  fairness: { halfLifeMs: 7 * 24 * HOUR },
  preemption: { minRuntimeMs: 5 * MINUTE, brake: { windowMs: 10 * MINUTE }, byOrder: false },
  backfill: { depth: 1, plans: 64, resolutionMs: 1000, patienceMs: 24 * HOUR, learn: true },
  placement: { score: 'fragmentation' },
  settle: { steps: 200_000 },
  start: { deadlineMs: 5 * MINUTE },
  retry: { backoffMs: 10_000, backoffMsMax: 5 * MINUTE },
};
