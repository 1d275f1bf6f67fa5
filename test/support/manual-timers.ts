import type { Timers } from '../../src/cluster/kubernetes/timers.js';

interface Alarm {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes when a test says so. Pauses between tries are over at once, and are written down. */
export class ManualTimers implements Timers {
  readonly pauses: number[] = [];
  private timeMs = 0;
  private readonly alarms = new Set<Alarm>();

  now(): number {
    return this.timeMs;
  }

  async sleep(ms: number): Promise<void> {
    this.pauses.push(ms);
    this.timeMs += ms;
    return new Promise((resolve) => setImmediate(resolve));
  }

  after(ms: number, run: () => void): () => void {
    const alarm = { atMs: this.timeMs + ms, run };
    this.alarms.add(alarm);
    return () => this.alarms.delete(alarm);
  }

  /** Lets time pass, alarm by alarm. */
  advance(ms: number): void {
    const untilMs = this.timeMs + ms;
    for (;;) {
      const [next] = [...this.alarms].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.alarms.delete(next);
      this.timeMs = Math.max(this.timeMs, next.atMs);
      next.run();
    }
    this.timeMs = Math.max(this.timeMs, untilMs);
  }

  /** Deadlines that are still waited for: a call that is over leaves none behind. */
  get alarmsSet(): number {
    return this.alarms.size;
  }
}
