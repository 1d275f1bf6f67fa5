import type { Job } from '../job.schema.js';

/** The rate of a step that counts from 0: rises linearly over the warm-up, then follows the schedule to the last step. */
export function learningRateAt(
  step: number,
  stepsTotal: number,
  train: Pick<Job['train'], 'optimizer' | 'schedule'>,
): number {
  const { learningRate } = train.optimizer;
  const { type, warmupSteps } = train.schedule;
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  const share = Math.min(1, (step - warmupSteps) / Math.max(1, stepsTotal - warmupSteps));
  switch (type) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * (1 - share);
    case 'cosine':
      return (learningRate * (1 + Math.cos(Math.PI * share))) / 2;
  }
}
