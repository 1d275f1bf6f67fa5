import { describe, expect, it } from '@jest/globals';
import { aJob } from '../../../test/trainer/small-job.js';
import { learningRateAt } from './learning-rate.js';

describe(learningRateAt.name, () => {
  function ratesOf(type: string, warmupSteps: number, stepsTotal: number): number[] {
    const optimizer = { type: 'adam', learningRate: 0.1 };
    const { train } = aJob({ train: { epochs: 1, optimizer, schedule: { type, warmupSteps } } });
    return Array.from({ length: stepsTotal }, (_, step) => learningRateAt(step, stepsTotal, train));
  }

  const close = (values: readonly number[]): unknown[] => values.map((value): unknown => expect.closeTo(value, 12));

  it.each([
    ['constant', 0, [0.1, 0.1, 0.1, 0.1]],
    ['constant', 2, [0.05, 0.1, 0.1, 0.1]],
    ['linear', 0, [0.1, 0.075, 0.05, 0.025]],
    ['linear', 2, [0.05, 0.1, 0.1, 0.05]],
    ['cosine', 0, [0.1, 0.05 * (1 + Math.SQRT1_2), 0.05, 0.05 * (1 - Math.SQRT1_2)]],
    ['cosine', 9, [0.1 / 9, 0.2 / 9, 0.3 / 9, 0.4 / 9]],
  ])('%s with %d steps of warm-up', (type, warmupSteps, want) => {
    expect(ratesOf(type, warmupSteps, 4)).toEqual(close(want));
  });
});
