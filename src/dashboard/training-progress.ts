import type { Workload } from '../server/workloads/workload.schema.js';

/** What a row of the table shows of a training; what is absent is not known (yet). */
export interface TrainingProgress {
  /** From 0 to 1; what has no trainer reports none. */
  readonly share?: number;
  readonly phase?: string;
  readonly epoch?: string;
  /** On the test split once there is a report, before that on the validation split of the last epoch. */
  readonly accuracy?: { readonly value: number; readonly of: 'test' | 'validation' | 'training' };
  readonly samplesPerSecond?: number;
  readonly secondsLeft?: number;
}

export function trainingProgress({ spec, status }: Workload, nowMs: number): TrainingProgress {
  const { progress, result, state } = status;
  const accuracy = accuracyOf(result, progress?.epochs.at(-1)?.metrics);
  if (progress === undefined) return accuracy === undefined ? {} : { accuracy };
  const epochsTotal = spec.podSets.find(({ trainer }) => trainer !== undefined)?.trainer?.train.epochs;
  const { step, stepsTotal, samplesPerSecond, remainingSeconds, reportedAt, phase } = progress;
  const isRunning = state === 'running';
  return {
    share: state === 'succeeded' ? 1 : stepsTotal === 0 ? 0 : Math.min(1, step / stepsTotal),
    phase,
    ...(epochsTotal === undefined ? {} : { epoch: `${progress.epochs.at(-1)?.epoch ?? 0} / ${epochsTotal}` }),
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(isRunning && samplesPerSecond !== undefined ? { samplesPerSecond } : {}),
    ...(isRunning && remainingSeconds !== undefined
      ? { secondsLeft: Math.max(0, remainingSeconds - Math.max(0, nowMs - Date.parse(reportedAt)) / 1000) }
      : {}),
  };
}

function accuracyOf(
  test: Readonly<Record<string, number>> | undefined,
  epoch: Readonly<Record<string, number>> | undefined,
): TrainingProgress['accuracy'] {
  if (test?.accuracy !== undefined) return { value: test.accuracy, of: 'test' };
  if (epoch?.val_accuracy !== undefined) return { value: epoch.val_accuracy, of: 'validation' };
  if (epoch?.accuracy !== undefined) return { value: epoch.accuracy, of: 'training' };
  return undefined;
}
