import type { Random } from '../timers.js';

export interface BackoffLimits {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Pauses that double up to a limit, each shortened by up to a half, so that those who failed together come back apart. */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly limits: BackoffLimits,
    private readonly random: Random,
  ) {}

  get isFresh(): boolean {
    return this.failures === 0;
  }

  /** The pause before the next try. */
  next(): number {
    const wholeMs = Math.min(this.limits.lastMs, this.limits.firstMs * 2 ** this.failures);
    // Beyond this the limit has long been reached, and a power of two stays a number.
    this.failures = Math.min(this.failures + 1, 32);
    return wholeMs * (0.5 + this.random() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
