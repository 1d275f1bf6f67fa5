export interface ConcurrencyBounds {
  readonly min: number;
  readonly max: number;
}

/** How a call went: `overloaded` is a 429 or a timeout. */
export type CallVerdict = 'done' | 'overloaded';

export interface Slot {
  release(verdict: CallVerdict): void;
}

interface Waiter {
  readonly enter: (slot: Slot) => void;
}

const SHRINK = 0.5;

/**
 * How many calls may be under way, found by trying: one more after a round without trouble, half after an overload
 * (AIMD, as TCP does). Calls that began before the last cut say nothing new, so one burst of refusals cuts once.
 * Waiting calls go in the order in which they came.
 */
export class ConcurrencyLimit {
  private allowed: number;
  private busy = 0;
  private cuts = 0;
  private readonly waiting = new Set<Waiter>();

  constructor(private readonly bounds: ConcurrencyBounds) {
    this.allowed = bounds.max;
  }

  get current(): number {
    return Math.floor(this.allowed);
  }

  /** Resolves when the call may begin; `undefined` when `signal` says stop first. */
  async enter(signal: AbortSignal): Promise<Slot | undefined> {
    if (signal.aborted) return undefined;
    if (this.waiting.size === 0 && this.busy < this.current) return this.take();
    return new Promise((resolve) => {
      const leave = (): void => {
        this.waiting.delete(waiter);
        resolve(undefined);
      };
      const waiter: Waiter = {
        enter: (slot) => {
          signal.removeEventListener('abort', leave);
          resolve(slot);
        },
      };
      this.waiting.add(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  private take(): Slot {
    this.busy += 1;
    const cutsBefore = this.cuts;
    return {
      release: (verdict) => {
        this.busy -= 1;
        if (cutsBefore === this.cuts) this.learn(verdict);
        this.admit();
      },
    };
  }

  private learn(verdict: CallVerdict): void {
    const { min, max } = this.bounds;
    if (verdict === 'done') {
      this.allowed = Math.min(max, this.allowed + 1 / this.allowed);
      return;
    }
    this.cuts += 1;
    this.allowed = Math.max(min, this.allowed * SHRINK);
  }

  private admit(): void {
    for (const waiter of this.waiting) {
      if (this.busy >= this.current) return;
      this.waiting.delete(waiter);
      waiter.enter(this.take());
    }
  }
}
