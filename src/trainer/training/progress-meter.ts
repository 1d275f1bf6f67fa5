import type { Progress } from '../supervision/worker-messages.js';

const MEMORY_SECONDS = 5;

/** Speed over the last seconds, and what is left at that speed. */
export class ProgressMeter {
  private lastSeconds: number;
  private lastStep: number;
  // Sums that fade alike: the first steps are slow, until the code is compiled, and must not weigh more than their time.
  private fadedSeconds = 0;
  private fadedSteps = 0;

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
    const elapsed = now - this.lastSeconds;
    const left = Math.exp(-elapsed / MEMORY_SECONDS);
    this.fadedSeconds = this.fadedSeconds * left + elapsed;
    this.fadedSteps = this.fadedSteps * left + step - this.lastStep;
    [this.lastSeconds, this.lastStep] = [now, step];
    const stepSeconds = this.fadedSteps > 0 ? this.fadedSeconds / this.fadedSteps : 0;
    return {
      step,
      samplesPerSecond: stepSeconds > 0 ? this.total.batchSize / stepSeconds : 0,
      stepMillis: stepSeconds * 1000,
      remainingSeconds: Math.max(0, this.total.steps - step) * stepSeconds,
    };
  }
}
