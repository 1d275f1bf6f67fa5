import type { TopologyLevel } from './specs.js';

/** The policy document: every key, its default and its unit. It is data with a version; each decision names it. */
export interface Policy {
  readonly version: string;
  /** Outermost first; `host` is always the last. */
  readonly topologyLevels: readonly TopologyLevel[];
  /** `fifo`: submission and name. `fair`: priority first; shares join with the fair order of the quota tree. */
  readonly order: 'fair' | 'fifo';
  readonly settle: {
    /** Visits and trials in one settle; never wall time, so a slow machine decides the same. */
    readonly steps: number;
  };
  readonly start: {
    /** From the decision until all pods must run, or the gang is given back. */
    readonly deadlineMs: number;
  };
  readonly retry: {
    /** First wait after a failed incarnation; doubles each time. */
    readonly backoffMs: number;
    readonly backoffMsMax: number;
  };
}

export const DEFAULT_POLICY: Policy = {
  version: 'default',
  topologyLevels: ['rack', 'host'],
  order: 'fair',
  settle: { steps: 200_000 },
  start: { deadlineMs: 300_000 },
  retry: { backoffMs: 10_000, backoffMsMax: 300_000 },
};
