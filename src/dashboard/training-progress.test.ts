import { describe, expect, it } from '@jest/globals';
import { aWorkload } from '../../test/support/api-builders.js';
import type { WorkloadProgress } from '../server/workloads/workload.schema.js';
import { trainingProgress } from './training-progress.js';

const REPORTED_MS = Date.parse('2026-01-01T00:01:00.000Z');
const progress = (over: Partial<WorkloadProgress> = {}): WorkloadProgress => ({
  phase: 'training',
  step: 25,
  stepsTotal: 100,
  samplesPerSecond: 900,
  remainingSeconds: 30,
  epochs: [{ epoch: 2, metrics: { accuracy: 0.9, val_accuracy: 0.8 } }],
  reportedAt: new Date(REPORTED_MS).toISOString(),
  ...over,
});

describe(trainingProgress.name, () => {
  it('shows what rank 0 reported, and counts the time left down until the next report', () => {
    const running = aWorkload('w', { state: 'running', progress: progress() });
    expect(trainingProgress(running, REPORTED_MS + 4_000)).toMatchObject({
      share: 0.25,
      phase: 'training',
      accuracy: { value: 0.8, of: 'validation' },
      samplesPerSecond: 900,
      secondsLeft: 26,
    });
    expect(trainingProgress(running, REPORTED_MS + 3_600_000).secondsLeft).toBe(0);
  });

  it('does not add time when the clock of the server is ahead', () => {
    const running = aWorkload('w', { state: 'running', progress: progress() });
    expect(trainingProgress(running, REPORTED_MS - 60_000).secondsLeft).toBe(30);
  });

  it('shows the test split once there is a report, and no rate and no time left', () => {
    const status = { state: 'succeeded', progress: progress({ step: 100 }), result: { accuracy: 0.85 } } as const;
    const shown = trainingProgress(aWorkload('w', status), REPORTED_MS);
    expect(shown).toMatchObject({ share: 1, accuracy: { value: 0.85, of: 'test' } });
    expect(shown).not.toHaveProperty('samplesPerSecond');
    expect(shown).not.toHaveProperty('secondsLeft');
  });

  it('is at the beginning while the number of steps is not known, and knows nothing of what has no trainer', () => {
    const loading = progress({ phase: 'loading', step: 0, stepsTotal: 0, epochs: [] });
    expect(trainingProgress(aWorkload('w', { state: 'running', progress: loading }), REPORTED_MS).share).toBe(0);
    expect(trainingProgress(aWorkload('w', { state: 'running' }), REPORTED_MS)).toEqual({});
  });
});
