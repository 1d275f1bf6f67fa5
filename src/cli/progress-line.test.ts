import { describe, expect, it } from '@jest/globals';
import type { Workload } from '../server/workloads/workload.schema.js';
import { progressBar, progressLine } from './progress-line.js';

const TRAINING = {
  phase: 'training',
  step: 42,
  stepsTotal: 100,
  remainingSeconds: 185,
  epochs: [
    { epoch: 1, metrics: { loss: 0.5 } },
    { epoch: 2, metrics: { loss: 0.25, accuracy: 0.875 } },
  ],
  reportedAt: '2026-01-01T00:00:00.000Z',
} as const;

function aWorkload(status: Partial<Workload['status']>): Workload {
  return {
    apiVersion: 'scheduling.berth.dev/v1',
    kind: 'Workload',
    metadata: {
      uid: '0b5a0c5e-5b0e-4c59-9d7c-0d6f3c2f9b11',
      name: 'adult',
      namespace: 'research',
      labels: {},
      creationTimestamp: '2026-01-01T00:00:00.000Z',
      createdBy: 'operator',
    },
    spec: {
      queue: 'research',
      kind: 'training',
      priority: 0,
      preemptible: true,
      maxRetries: 3,
      terminationGracePeriodSeconds: 30,
      podSets: [],
    },
    status: {
      state: 'running',
      reason: '',
      message: '',
      cancelRequested: false,
      incarnation: 1,
      retries: 0,
      pods: [],
      charged: {},
      ...status,
    },
  };
}

const cases: Record<string, { status: Partial<Workload['status']>; want: string }> = {
  'says what a pending workload waits for': {
    status: { state: 'pending', reason: 'quota', message: 'Queue research lacks quota.' },
    want: 'pending: Queue research lacks quota.',
  },
  'has only a word where the reason is one': { status: { state: 'pending', reason: 'quota' }, want: 'pending: quota' },
  'does not call a retry training because of what the last one reported': {
    status: { state: 'starting', progress: { ...TRAINING, epochs: [...TRAINING.epochs] } },
    want: 'starting',
  },
  'shows how far a training is, with its newest epoch': {
    status: { progress: { ...TRAINING, epochs: [...TRAINING.epochs] } },
    want: 'training 42%, 3m5s left, epoch 2: loss 0.2500, accuracy 0.8750',
  },
  'shows the accuracy that a training came to': {
    status: { state: 'succeeded', result: { loss: 0.3, accuracy: 0.8546 } },
    want: 'succeeded: accuracy 0.8546',
  },
  'says why one failed': {
    status: { state: 'failed', reason: 'failed', message: 'adult.csv line 7: no number.' },
    want: 'failed: adult.csv line 7: no number.',
  },
};

describe(progressLine.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { status, want }) => {
    expect(progressLine(aWorkload(status))).toBe(want);
  });
});

describe(progressBar.name, () => {
  it.each([
    [0, 100, '░'.repeat(24)],
    [50, 100, '█'.repeat(12) + '░'.repeat(12)],
    [100, 100, '█'.repeat(24)],
    [3, 0, '░'.repeat(24)],
  ])('of %i of %i', (done, total, want) => {
    expect(progressBar(done, total)).toBe(want);
  });
});
