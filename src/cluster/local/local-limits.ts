/** Limits of the local driver; each has a test that reaches it, or a reason for its number. */
export interface LocalLimits {
  /** Pods that run at once: each is at least two processes. */
  readonly podsMax: number;
  /** Ended pods whose folder and output are kept, and how long. */
  readonly endedPodsMax: number;
  readonly endedPodsKeptMs: number;
  /**
   * How long a pod outlives its server, and the time from SIGTERM to SIGKILL then: together below the 10 s after which
   * nothing of a dead server may run.
   */
  readonly adoptWithinMs: number;
  readonly orphanGraceMs: number;
  /** `stop('end')`: from SIGTERM to SIGKILL at most. Ctrl-C has 10 s for everything. */
  readonly stopGraceMsMax: number;
  /** Whether pods get control groups where the system allows them. */
  readonly cgroups: 'auto' | 'never';
}

export const DEFAULT_LOCAL_LIMITS: LocalLimits = {
  podsMax: 512,
  endedPodsMax: 200,
  endedPodsKeptMs: 24 * 3_600_000,
  adoptWithinMs: 4000,
  orphanGraceMs: 4000,
  stopGraceMsMax: 6500,
  cgroups: 'auto',
};
