import type { Progress } from '../supervision/worker-messages.js';

const SMOOTHING_SECONDS = 5;

/** Speed over the last seconds, and what is left at that speed. */
export class ProgressMeter {
  private lastSeconds: number;
  private lastStep: number;
  private stepSeconds: number | undefined;

  constructor(
    private readonly clock: () => number,
    private readonly total: { readonly steps: number; readonly batchSize: number },
    firstStep: number,
  ) {
    this.lastSeconds = clock();
    this.lastStep = firstStep;
  }

  /** Seconds since the last reading. */
  age(): number {
    return this.clock() - this.lastSeconds;
  }

  read(step: number): Progress {
    const now = this.clock();
    const [elapsed, steps] = [now - this.lastSeconds, step - this.lastStep];
    if (steps > 0) {
      const latest = elapsed / steps;
      const weight = 1 - Math.exp(-elapsed / SMOOTHING_SECONDS);
      this.stepSeconds =
        this.stepSeconds === undefined ? latest : this.stepSeconds + weight * (latest - this.stepSeconds);
      [this.lastSeconds, this.lastStep] = [now, step];
    }
    const stepSeconds = this.stepSeconds ?? 0;
    return {
      step,
      samplesPerSecond: stepSeconds === 0 ? 0 : this.total.batchSize / stepSeconds,
      stepMillis: stepSeconds * 1000,
      remainingSeconds: Math.max(0, this.total.steps - step) * stepSeconds,
    };
  }
}
