import { StatusError } from '../api/api-error.js';
import type { CallOptions } from '../api/api-server.js';
import { Backoff } from '../api/backoff.js';
import type { Random, Timers } from '../timers.js';
import { WritePace, type PaceLimits } from './write-pace.js';

export interface WriteQueueOptions {
  readonly timers: Timers;
  readonly random: Random;
  /** Something was given up; said once, until something could be written again. */
  readonly report: (error: unknown) => void;
  readonly limits: WriteQueueLimits;
}

export interface WriteQueueLimits {
  /** Waiting for their turn. */
  readonly itemsMax: number;
  readonly itemsAtOnce: number;
  readonly pace: PaceLimits;
  readonly triesMax: number;
  /** Of one call. */
  readonly timeoutMs: number;
}

export interface QueuedWrite {
  /** Calls that it makes. */
  readonly calls: number;
  readonly run: (options: CallOptions) => Promise<void>;
  readonly end?: (outcome: WriteOutcome) => void;
}

/** `pointless`: what it is about is gone, or is about to be. */
export type WriteOutcome = 'written' | 'given-up' | 'pointless';

const PAUSE = { firstMs: 250, lastMs: 4000 };

/**
 * Writes that may come late and may be lost: a few at once, at a slow pace, each tried a few times. They begin in the
 * order in which they came.
 */
export class WriteQueue {
  private readonly waiting = new Map<object, QueuedWrite>();
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly pace: WritePace;
  private cancelWake: (() => void) | undefined;
  private isReported = false;

  constructor(private readonly options: WriteQueueOptions) {
    this.pace = new WritePace(options.limits.pace, options.timers);
  }

  /** False: too many wait, and it is forgotten. */
  add(key: object, write: QueuedWrite): boolean {
    if (this.stopping.signal.aborted || this.waiting.size >= this.options.limits.itemsMax) return false;
    this.waiting.set(key, write);
    this.begin();
    return true;
  }

  /** Unless it has begun; whether it had not. */
  remove(key: object): boolean {
    return this.waiting.delete(key);
  }

  /** Nothing is written from here on. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.cancelWake?.();
    this.waiting.clear();
    await Promise.all(this.running);
  }

  private begin(): void {
    const { limits, timers } = this.options;
    for (const [key, write] of this.waiting) {
      if (this.cancelWake !== undefined || this.running.size >= limits.itemsAtOnce) return;
      const { pauseMs } = this.pace;
      if (pauseMs > 0) {
        this.cancelWake = timers.after(pauseMs, () => {
          this.cancelWake = undefined;
          this.begin();
        });
        return;
      }
      this.waiting.delete(key);
      this.pace.spend(write.calls);
      this.carryOut(write);
    }
  }

  private carryOut(write: QueuedWrite): void {
    const running = this.tryAFewTimes(write)
      .then((outcome) => write.end?.(outcome))
      .finally(() => {
        this.running.delete(running);
        this.begin();
      });
    this.running.add(running);
  }

  private async tryAFewTimes({ run }: QueuedWrite): Promise<WriteOutcome> {
    const { timers, random, limits } = this.options;
    const { signal } = this.stopping;
    const pauses = new Backoff(PAUSE, random);
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        await run({ signal, timeoutMs: limits.timeoutMs });
        this.isReported = false;
        return 'written';
      } catch (error) {
        if (isPointless(error)) return 'pointless';
        if (tries >= limits.triesMax) {
          this.reportOnce(error);
          return 'given-up';
        }
        await timers.sleep(pauses.next(), signal);
      }
    }
    return 'given-up';
  }

  private reportOnce(error: unknown): void {
    if (this.isReported || this.stopping.signal.aborted) return;
    this.isReported = true;
    this.options.report(error);
  }
}

/** What it is about is gone, or its namespace is about to be. */
function isPointless(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  const { code, causes } = error;
  return code === 404 || (code === 403 && causes.some(({ reason }) => reason === 'NamespaceTerminating'));
}
