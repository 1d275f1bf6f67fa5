import { setMaxListeners } from 'node:events';
import type { Timers } from '../timers.js';

/** A signal that fires when the time is over or when the caller says stop, and knows which it was. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly endsAtMs: number;
  private readonly cancelTimer: () => void;
  private readonly stop = (): void => {
    this.end('stopped');
  };
  private ended: 'timeout' | 'stopped' | undefined;

  constructor(
    private readonly timers: Timers,
    timeoutMs: number,
    private readonly caller: AbortSignal | undefined,
  ) {
    this.endsAtMs = timers.now() + timeoutMs;
    this.cancelTimer = timers.after(timeoutMs, () => {
      this.end('timeout');
    });
    if (caller === undefined) return;
    setMaxListeners(0, caller); // one signal may stop all calls at once
    if (caller.aborted) this.stop();
    else caller.addEventListener('abort', this.stop, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Absent while time is left. */
  get why(): 'timeout' | 'stopped' | undefined {
    return this.ended;
  }

  get leftMs(): number {
    return this.endsAtMs - this.timers.now();
  }

  /** From here on only the caller can stop what goes on: the answer has begun, and may last. */
  lift(): void {
    this.cancelTimer();
  }

  clear(): void {
    this.cancelTimer();
    this.caller?.removeEventListener('abort', this.stop);
  }

  private end(why: 'timeout' | 'stopped'): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    this.controller.abort();
  }
}
