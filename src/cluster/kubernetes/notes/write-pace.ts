import type { Timers } from '../timers.js';

export interface PaceLimits {
  readonly perSecond: number;
  /** At once, after a quiet time. */
  readonly burst: number;
}

/** How fast something may be written: a bucket of `burst` that fills again by `perSecond`. */
export class WritePace {
  private left: number;
  private atMs: number;

  constructor(
    private readonly limits: PaceLimits,
    private readonly timers: Timers,
  ) {
    this.left = limits.burst;
    this.atMs = timers.now();
  }

  /** Until the next write may begin; 0: now. */
  get pauseMs(): number {
    this.fill();
    return this.left >= 1 ? 0 : Math.ceil(((1 - this.left) * 1000) / this.limits.perSecond);
  }

  /** Writes that belong together begin together: what they spend too much is waited for afterwards. */
  spend(writes: number): void {
    this.fill();
    this.left -= writes;
  }

  private fill(): void {
    const nowMs = this.timers.now();
    const { perSecond, burst } = this.limits;
    this.left = Math.min(burst, this.left + ((nowMs - this.atMs) * perSecond) / 1000);
    this.atMs = nowMs;
  }
}
