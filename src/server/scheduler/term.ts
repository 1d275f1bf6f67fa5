import { StaleEpochError, type Leadership } from './ledger.js';

/**
 * A term of office as its holder believes in it. It is over once somebody ends it, or when its lease has run out by the
 * holder's own clock: who was frozen for longer, and does not know it yet, asks the driver for nothing more.
 */
export class Term {
  private readonly ending = new AbortController();
  private leaseEndsMs: number;

  /** `askedAtMs`: when the lease was asked for, by the monotonic clock of this process. */
  constructor(
    readonly leadership: Leadership,
    private readonly leaseMs: number,
    askedAtMs: number,
  ) {
    this.leaseEndsMs = askedAtMs + leaseMs;
  }

  get signal(): AbortSignal {
    return this.ending.signal;
  }

  get isOver(): boolean {
    return this.ending.signal.aborted || performance.now() >= this.leaseEndsMs;
  }

  renewed(askedAtMs: number): void {
    this.leaseEndsMs = askedAtMs + this.leaseMs;
  }

  /** The first reason counts. */
  end(reason?: unknown): void {
    this.ending.abort(reason);
  }

  throwIfOver(): void {
    this.ending.signal.throwIfAborted();
    if (this.isOver) throw new StaleEpochError(this.leadership.epoch);
  }
}
