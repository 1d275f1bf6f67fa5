import { createHash } from 'node:crypto';
import { NO_ROWS, type Backend, type Tally, type Tensor, type Trainable } from '../backend/backend.js';
import type { Checkpoint, TrainingState } from '../checkpoint/checkpoint-files.js';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { EXIT, type Epoch } from '../contract.js';
import { ShuffledBatches, type Batch } from '../data/batches.js';
import type { Dataset } from '../data/load-dataset.js';
import { durationSeconds, type Job } from '../job.schema.js';
import type { Model } from '../model/model.js';
import { TrainerError } from '../trainer-error.js';
import { learningRateAt } from './learning-rate.js';
import { scoreRows } from './predict-rows.js';

export interface Training {
  readonly job: Job;
  readonly backend: Backend;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly store: CheckpointStore;
  readonly trainable: Trainable;
  /** Seconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly isStopWanted: () => boolean;
  readonly observer: TrainingObserver;
}

export interface TrainingObserver {
  /** After each step; must be quick. `means` reads the device, so it is for now and then. */
  readonly stepDone: (step: number, means: () => Readonly<Record<string, number>>) => void;
  readonly epochDone: (epoch: Epoch) => void;
  readonly checkpointSaved: (step: number, path: string) => void;
}

export type TrainingOutcome =
  | { readonly kind: 'trained'; readonly state: TrainingState; readonly why: string }
  | { readonly kind: 'stopped'; readonly step: number };

/** Of one run: from its checkpoint, or from nothing, to the last step, an early end, or the wish to stop. */
export function train(training: Training): TrainingOutcome {
  return new TrainingRun(training).run();
}

export function stepsOf(job: Job, dataset: Dataset): { readonly perEpoch: number; readonly total: number } {
  const perEpoch = Math.ceil(dataset.train.rowCount / job.train.batchSize);
  return { perEpoch, total: perEpoch * job.train.epochs };
}

class TrainingRun {
  private readonly batches: ShuffledBatches;
  private readonly tally: Tally;
  private readonly stepsTotal: number;
  private readonly startedAt: number;
  private state: TrainingState;
  private savedStep: number | undefined;

  constructor(private readonly training: Training) {
    const { job, dataset, backend, store, trainable } = training;
    this.batches = new ShuffledBatches(dataset.train, job.train.batchSize, job.seed);
    this.stepsTotal = stepsOf(job, dataset).total;
    this.tally = backend.createTally();
    this.startedAt = training.clock();
    this.state = firstState(job, dataset);
    if (store.inherited === undefined) return;
    this.state = { ...store.inherited.state, epochs: [...store.inherited.state.epochs] };
    trainable.restore(store.inherited.arrays, this.state.step);
    this.tally.set(this.state.tally);
    this.savedStep = this.state.step;
  }

  run(): TrainingOutcome {
    let why = this.reasonToEnd();
    while (why === undefined) {
      if (this.training.isStopWanted()) {
        this.save();
        return { kind: 'stopped', step: this.state.step };
      }
      this.step();
      why = this.reasonToEnd();
    }
    this.save();
    this.restoreBest();
    return { kind: 'trained', state: this.current(), why };
  }

  private step(): void {
    const { job, observer } = this.training;
    const { step } = this.state;
    this.learn(this.batches.at(step), step);
    this.state = { ...this.state, step: step + 1 };
    const isEpochEnd = (step + 1) % this.batches.stepsPerEpoch === 0;
    if (!isEpochEnd) observer.stepDone(step + 1, () => this.meanOfTally());
    const isBest = isEpochEnd && this.finishEpoch();
    if (isBest || (step + 1) % job.checkpoint.everySteps === 0) this.save();
  }

  private learn(batch: Batch, step: number): void {
    const { job, backend, model, trainable } = this.training;
    backend.scoped(() => {
      const inputs = backend.tensor(batch.inputs, [batch.rowCount, batch.inputs.length / batch.rowCount]);
      const labels = backend.tensor(batch.labels, [batch.rowCount]);
      const lossOf = (weights: readonly Tensor[]): Tensor => {
        const outputs = model.outputs({ backend, weights, inputs, trainingStep: step });
        this.tally.add(outputs, labels, model.loss);
        return backend.operations.loss(outputs, labels, model.loss);
      };
      trainable.step(lossOf, learningRateAt(step, this.stepsTotal, job.train));
    });
  }

  /** Closes the books of an epoch; true where its validation loss is the lowest so far. */
  private finishEpoch(): boolean {
    const { dataset, observer, store } = this.training;
    const number = this.state.step / this.batches.stepsPerEpoch;
    const training = this.meanOfTally();
    this.tally.set(NO_ROWS);
    const validation = dataset.validation === undefined ? {} : scoreRows(this.training, dataset.validation);
    const held = Object.entries(validation).map(([name, value]) => [`val_${name}`, value] as const);
    const epoch = { epoch: number, metrics: { ...training, ...Object.fromEntries(held) } };
    const loss = validation['loss'];
    if (loss !== undefined && !Number.isFinite(loss)) throw diverged(this.state.step);
    const isBest = loss !== undefined && loss < (this.state.best?.loss ?? Infinity);
    this.state.epochs.push(epoch); // a copy an epoch would be quadratic
    this.state = {
      ...this.state,
      ...(isBest ? { best: { epoch: number, loss, checkpoint: store.nameAt(this.state.step) } } : {}),
    };
    observer.epochDone(epoch);
    return isBest;
  }

  private reasonToEnd(): string | undefined {
    if (this.state.step >= this.stepsTotal) return 'all epochs were done';
    const { earlyStop, maxTime } = this.training.job.train;
    if (maxTime !== undefined && this.seconds() >= durationSeconds(maxTime)) return `${maxTime} were up`;
    const { best, epochs } = this.state;
    if (earlyStop === undefined || best === undefined) return undefined;
    return epochs.length - best.epoch >= earlyStop.patience
      ? `${earlyStop.patience} epochs brought no lower validation loss`
      : undefined;
  }

  private save(): void {
    const { store, trainable, observer } = this.training;
    if (this.savedStep === this.state.step) return;
    this.meanOfTally(); // weights that have diverged are not worth going on from
    const checkpoint: Checkpoint = { state: this.current(), arrays: trainable.save() };
    const path = store.save(checkpoint);
    this.savedStep = this.state.step;
    observer.checkpointSaved(this.state.step, path);
  }

  private restoreBest(): void {
    const { job, store, trainable } = this.training;
    const { best, step } = this.state;
    if (job.train.earlyStop?.restoreBest !== true || best === undefined) return;
    if (best.checkpoint !== store.nameAt(step)) trainable.restore(store.read(best.checkpoint).arrays, step);
  }

  private current(): TrainingState {
    return { ...this.state, tally: this.tally.read(), seconds: this.seconds() };
  }

  /** Of training, over all incarnations. */
  private seconds(): number {
    const before = this.training.store.inherited?.state.seconds ?? 0;
    return before + this.training.clock() - this.startedAt;
  }

  /** Throws where the loss has become infinite or no number: nothing after that can be right. */
  private meanOfTally(): Readonly<Record<string, number>> {
    const { rows, loss, hits } = this.tally.read();
    if (rows === 0) return {};
    if (!Number.isFinite(loss)) throw diverged(this.state.step);
    return { loss: loss / rows, [this.training.model.loss === 'number' ? 'mae' : 'accuracy']: hits / rows };
  }
}

function firstState(job: Job, dataset: Dataset): TrainingState {
  return { job: job.name, fingerprint: fingerprintOf(job, dataset), step: 0, seconds: 0, epochs: [], tally: NO_ROWS };
}

/** Of all that decides the weights; names, folders and what is evaluated may change between incarnations. */
export function fingerprintOf(job: Job, dataset: Dataset): string {
  const { seed, features, target, clean, model, train: settings, data } = job;
  const decisive = [dataset.fingerprint, data.validation, seed, features, target, clean, model, settings];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** Not worth another try: the same job diverges again. */
export function diverged(step: number): TrainerError {
  const advice = 'lower train.optimizer.learningRate or set train.clipNorm';
  return new TrainerError(EXIT.badConfig, `the loss is no longer a number after step ${step}: ${advice}`);
}
