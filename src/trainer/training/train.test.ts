import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aJob, writeSmallJob, type JobText } from '../../../test/trainer/small-job.js';
import type { Backend, NamedArray } from '../backend/backend.js';
import { openBackend } from '../backend/open-backend.js';
import { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { EXIT, type Epoch, type Job } from '../contract.js';
import { loadDataset, type Dataset } from '../data/load-dataset.js';
import { outputsOf } from '../data/preprocessor.js';
import { buildModel } from '../model/build-model.js';
import { randomFor } from '../random.js';
import { fingerprintOf, train, type TrainingOutcome } from './train.js';

/** Stands for `kill -9`: ends a training between two steps, with nothing saved. */
class Killed extends Error {}

interface RunOptions {
  readonly job: Job;
  readonly folder: string;
  readonly killAfter?: number;
  readonly stopAfter?: number;
  /** Seconds that a step takes by the clock of the run. */
  readonly secondsPerStep?: number;
}

interface Ran {
  readonly outcome: TrainingOutcome;
  readonly arrays: readonly NamedArray[];
  readonly epochs: readonly Epoch[];
  readonly startedAt: number;
}

describe(train.name, () => {
  let root: string;
  let backend: Backend;
  let dataset: Dataset;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'berth-train-'));
    writeSmallJob(root, {}, 320);
    backend = await openBackend('wasm');
    dataset = await loadDataset({ train: join(root, 'train.csv'), test: join(root, 'test.csv') }, aJob());
  });

  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  function run({ job, folder, killAfter, stopAfter, secondsPerStep = 0 }: RunOptions): Ran {
    const { preprocessor } = dataset;
    const model = buildModel(job, {
      inputs: preprocessor.inputCount,
      outputs: outputsOf(preprocessor.target),
      loss: job.target.type,
    });
    const { optimizer, clipNorm } = job.train;
    const weightDecay = optimizer.type === 'adamw' ? optimizer.weightDecay : 0;
    const trainable = backend.createTrainable(model.parameters, { ...optimizer, weightDecay, l2: model.l2, clipNorm });
    const store = CheckpointStore.open({
      folder: join(root, folder),
      incarnation: undefined,
      keep: 2,
      job: job.name,
      fingerprint: fingerprintOf(job, dataset),
      preprocessor,
      warn: (message) => {
        throw new Error(message);
      },
    });
    const startedAt = store.inherited?.state.step ?? 0;
    let stepsDone = startedAt;
    const epochs: Epoch[] = [];
    const after = (): void => {
      stepsDone += 1;
      if (stepsDone === killAfter) throw new Killed();
    };
    try {
      const outcome = train({
        job,
        backend,
        model,
        dataset,
        store,
        trainable,
        clock: () => stepsDone * secondsPerStep,
        isStopWanted: () => stepsDone === stopAfter,
        observer: {
          stepDone: after,
          epochDone: (epoch) => {
            epochs.push(epoch);
            after();
          },
          checkpointSaved: () => undefined,
        },
      });
      return { outcome, arrays: trainable.save(), epochs, startedAt };
    } finally {
      trainable.dispose();
    }
  }

  const settings = {
    epochs: 4,
    batchSize: 16,
    optimizer: { type: 'adamw', learningRate: 0.01 },
    schedule: { type: 'cosine', warmupSteps: 10 },
    clipNorm: 1,
  };
  const jobWith = (changes: JobText = {}): Job => aJob({ train: { ...settings, ...changes } });

  it('is bit-equal after kills at 24 random steps: weights, optimiser, curves', () => {
    const job = jobWith();
    const whole = run({ job, folder: 'whole' });
    if (whole.outcome.kind !== 'trained') throw new Error('it was not stopped');
    expect(whole.outcome.state.step).toBe(4 * 18);
    const random = randomFor(20_26, 'kills');
    for (let trial = 0; trial < 8; trial += 1) {
      const folder = `killed-${trial}`;
      const points = Array.from({ length: 3 }, () => 1 + random.below(71)).sort((a, b) => a - b);
      for (const killAfter of points) {
        try {
          run({ job, folder, killAfter });
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
        }
      }
      const resumed = run({ job, folder });
      expect(resumed.startedAt).toBeLessThanOrEqual(points.at(-1) ?? 0);
      expect(resumed.arrays).toEqual(whole.arrays);
      expect(resumed.outcome).toMatchObject({ kind: 'trained', state: { epochs: whole.outcome.state.epochs } });
    }
  });

  it('stops after the step that is under way, with a checkpoint, and goes on from there bit for bit', () => {
    const job = jobWith();
    const whole = run({ job, folder: 'unstopped' });
    expect(run({ job, folder: 'stopped', stopAfter: 29 }).outcome).toEqual({ kind: 'stopped', step: 29 });
    const resumed = run({ job, folder: 'stopped' });
    expect(resumed.startedAt).toBe(29);
    expect(resumed.arrays).toEqual(whole.arrays);
  });

  it('learns: the loss falls, and the validation rows are told apart', () => {
    const { epochs } = run({ job: jobWith({ epochs: 12 }), folder: 'learns' });
    expect(epochs).toHaveLength(12);
    const [first, last] = [epochs[0]?.metrics, epochs.at(-1)?.metrics];
    expect(last?.['loss']).toBeLessThan((first?.['loss'] ?? 0) / 2);
    expect(last?.['val_accuracy']).toBeGreaterThan(0.85);
  });

  it('ends early when patience is up, and restores the best weights', () => {
    // A rate this high makes the validation loss jump about, so that the best is not the last.
    const optimizer = { type: 'adam', learningRate: 0.3 };
    const earlyStop = { patience: 3 };
    const job = jobWith({ epochs: 60, optimizer, earlyStop, schedule: { type: 'constant' } });
    const { outcome, arrays, epochs } = run({ job, folder: 'early' });
    const losses = epochs.map(({ metrics }) => metrics['val_loss'] ?? Number.NaN);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(epochs).toHaveLength(best + 3);
    expect(outcome).toMatchObject({ kind: 'trained', why: '3 epochs brought no lower validation loss' });
    const atBest = run({ job: jobWith({ epochs: best, optimizer, schedule: { type: 'constant' } }), folder: 'best' });
    expect(arrays).toEqual(atBest.arrays);
  });

  it('ends when its time is up, also when it is resumed then', () => {
    const job = jobWith({ epochs: 100, maxTime: '40s' });
    const first = run({ job, folder: 'timed', secondsPerStep: 1 });
    expect(first.outcome).toMatchObject({ kind: 'trained', state: { step: 40 }, why: '40s were up' });
    expect(run({ job, folder: 'timed', secondsPerStep: 1 }).outcome).toMatchObject({ state: { step: 40 } });
  });

  it('says so when it diverges, and saves nothing that is not a number', () => {
    const job = jobWith({ optimizer: { type: 'adam', learningRate: 1e38 }, clipNorm: undefined });
    expect(() => run({ job, folder: 'diverged' })).toThrow(
      expect.objectContaining({
        exitCode: EXIT.badConfig,
        message: expect.stringMatching(
          /^the loss is no longer a number after step \d+: lower train\.optimizer\.learningRate or set train\.clipNorm$/,
        ),
      }),
    );
    expect(run({ job: jobWith(), folder: 'sane' }).outcome.kind).toBe('trained');
  });

  it('leaks no tensor over a whole training', () => {
    const before = backend.tensorCount();
    run({ job: jobWith(), folder: 'tidy' });
    expect(backend.tensorCount()).toBe(before);
  });
});
