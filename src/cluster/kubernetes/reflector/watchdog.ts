import type { Timers } from '../timers.js';

export interface WatchdogOptions {
  readonly timers: Timers;
  readonly silenceMs: number;
  readonly resyncInMs: number;
  /** Whoever watches says stop. */
  readonly stop: AbortSignal;
}

/** Ends a watch that has been silent for too long, and one that has lasted until everything is to be compared. */
export class Watchdog {
  private readonly controller = new AbortController();
  private readonly cancelResync: () => void;
  private cancelSilence: () => void = () => undefined;
  private heardAtMs: number;
  private bite: 'silent' | 'resync' | undefined;
  private readonly abort = (): void => {
    this.controller.abort();
  };

  constructor(private readonly options: WatchdogOptions) {
    const { timers, silenceMs, resyncInMs, stop } = options;
    this.heardAtMs = timers.now();
    this.cancelResync = timers.after(Math.max(0, resyncInMs), () => {
      this.end('resync');
    });
    this.listen(silenceMs);
    if (stop.aborted) this.abort();
    else stop.addEventListener('abort', this.abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Absent when the watch ended otherwise. */
  get why(): 'silent' | 'resync' | undefined {
    return this.bite;
  }

  heard(): void {
    this.heardAtMs = this.options.timers.now();
  }

  /** Somebody wants everything to be compared now. */
  resync(): void {
    this.end('resync');
  }

  clear(): void {
    this.cancelResync();
    this.cancelSilence();
    this.options.stop.removeEventListener('abort', this.abort);
  }

  /** One timer looks back when it fires; a timer for each event would cost more than the event. */
  private listen(ms: number): void {
    const { timers, silenceMs } = this.options;
    this.cancelSilence = timers.after(ms, () => {
      const leftMs = this.heardAtMs + silenceMs - timers.now();
      if (leftMs > 0) this.listen(leftMs);
      else this.end('silent');
    });
  }

  private end(why: 'silent' | 'resync'): void {
    this.bite ??= why;
    this.abort();
  }
}
