import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '../backend/backend.js';
import { openBackend } from '../backend/open-backend.js';
import { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { EXIT, type TrainingReport } from '../contract.js';
import { loadDataset, type Dataset } from '../data/load-dataset.js';
import { outputsOf } from '../data/preprocessor.js';
import { evaluate, type Evaluation } from '../evaluation/evaluate.js';
import { metricsOf } from '../job.schema.js';
import { buildModel } from '../model/build-model.js';
import { parameterCount } from '../model/model.js';
import { thinned } from '../report/thinned.js';
import type { FinishedTraining, TrainingFacts, WorkerMessage, WorkOrder } from '../supervision/worker-messages.js';
import { TrainerError } from '../trainer-error.js';
import { MetricsLog } from './metrics-log.js';
import { predictRows } from './predict-rows.js';
import { ProgressMeter } from './progress-meter.js';
import { diverged, fingerprintOf, stepsOf, train, type Training, type TrainingObserver } from './train.js';

const PROGRESS_SECONDS = 0.25;
/** A report is sent in one piece; `metrics.jsonl` has every epoch. */
const REPORT_EPOCHS_MAX = 10_000;

/** Whom to tell, whether to go on, and what time it is. */
export interface RunLine {
  readonly send: (message: WorkerMessage) => void;
  readonly isStopWanted: () => boolean;
  /** Seconds, only forward. */
  readonly clock: () => number;
}

/** Load, prepare, train, evaluate, report: the whole pipeline of one job, in the training thread. */
export async function runJob(order: WorkOrder, line: RunLine): Promise<void> {
  const startedAt = line.clock();
  line.send({ kind: 'phase', phase: 'loading' });
  const backend = await openBackend(order.backend);
  const devices = describeDevices(order);
  const dataset = await loadDataset(order.files, order.job);
  line.send({ kind: 'phase', phase: 'preparing' });
  const prepared = prepare(order, line, { backend, dataset });
  const facts = factsOf(order, prepared, devices);
  line.send({ kind: 'prepared', facts });
  line.send({ kind: 'phase', phase: 'training' });
  const outcome = train({ ...prepared, observer: observe(order, line, { facts, store: prepared.store }) });
  if (outcome.kind === 'stopped') {
    line.send({ kind: 'stopped', step: outcome.step });
    return;
  }
  line.send({ kind: 'phase', phase: 'evaluating' });
  const evaluation = evaluateBest(prepared);
  if (!Number.isFinite(evaluation.metrics['loss'])) throw diverged(outcome.state.step);
  line.send({ kind: 'phase', phase: 'reporting' });
  const seconds = (prepared.store.inherited?.state.seconds ?? 0) + line.clock() - startedAt;
  const report = reportOf(order, facts, { evaluation, epochs: outcome.state.epochs, seconds });
  const finished = await publish(order, prepared.store, { report, evaluation, dataset, ending: outcome.why });
  prepared.store.finish();
  line.send({ kind: 'done', ...finished }); // the last thing: the main thread then ends this one
}

type Prepared = Omit<Training, 'observer'>;

function prepare(
  { job, checkpointFolder, incarnation }: WorkOrder,
  { send, clock, isStopWanted }: RunLine,
  { backend, dataset }: { readonly backend: Backend; readonly dataset: Dataset },
): Prepared {
  const { preprocessor } = dataset;
  const outputs = outputsOf(preprocessor.target);
  const model = buildModel(job, { inputs: preprocessor.inputCount, outputs, loss: job.target.type });
  const { optimizer, clipNorm } = job.train;
  const rule = {
    ...optimizer,
    weightDecay: optimizer.type === 'adamw' ? optimizer.weightDecay : 0,
    l2: model.l2,
    clipNorm,
  };
  const store = CheckpointStore.open({
    folder: checkpointFolder,
    incarnation,
    keep: job.checkpoint.keep,
    job: job.name,
    fingerprint: fingerprintOf(job, dataset),
    preprocessor,
    warn: (message) => {
      send({ kind: 'warning', message });
    },
  });
  const trainable = backend.createTrainable(model.parameters, rule);
  return { job, backend, model, dataset, store, trainable, clock, isStopWanted };
}

function factsOf({ job }: WorkOrder, prepared: Prepared, devices: string): TrainingFacts {
  const { dataset, model, backend, store } = prepared;
  const steps = stepsOf(job, dataset);
  const resumed = store.inherited?.state;
  return {
    rows: {
      train: dataset.train.rowCount,
      validation: dataset.validation?.rowCount ?? 0,
      test: dataset.test?.rowCount ?? 0,
    },
    cleaning: [...dataset.cleaning],
    model: { layers: [...model.layers], parameters: parameterCount(model) },
    backend: { ...backend.info, devices },
    inputs: dataset.preprocessor.inputCount,
    stepsTotal: steps.total,
    stepsPerEpoch: steps.perEpoch,
    epochsTotal: job.train.epochs,
    batchSize: job.train.batchSize,
    resumedFrom: resumed === undefined ? undefined : { step: resumed.step, epochs: resumed.epochs },
  };
}

/** Accelerators that were allocated must be used, or the job fails: training beside them would waste them silently. */
function describeDevices({ backend, devices, virtualDevices }: WorkOrder): string {
  if (devices.length === 0) return 'CPU';
  const slots = devices.join(', ');
  if (virtualDevices === 'virtual') return `CPU (virtual devices ${slots})`;
  const message = `devices ${slots} were allocated, but backend ${backend} cannot use them; ask for no devices`;
  throw new TrainerError(EXIT.internal, message);
}

interface Observed {
  readonly facts: TrainingFacts;
  readonly store: CheckpointStore;
}

function observe(order: WorkOrder, { send, clock }: RunLine, { facts, store }: Observed): TrainingObserver {
  const log = new MetricsLog(order.outFolder, facts.resumedFrom?.epochs ?? []);
  const total = { steps: facts.stepsTotal, batchSize: facts.batchSize };
  const meter = new ProgressMeter(clock, total, facts.resumedFrom?.step ?? 0);
  return {
    stepDone: (step, means) => {
      if (meter.age() >= PROGRESS_SECONDS) send({ kind: 'progress', progress: meter.read(step), metrics: means() });
    },
    epochDone: (epoch) => {
      store.refuseIfSuperseded();
      log.append(epoch);
      send({ kind: 'epoch', epoch, progress: meter.read(epoch.epoch * facts.stepsPerEpoch) });
    },
    checkpointSaved: (step, path) => {
      send({ kind: 'checkpoint', step, path });
    },
  };
}

/** On the test rows, or on the validation rows where the job has no test file. */
function evaluateBest(prepared: Prepared): Evaluation {
  const { job, dataset } = prepared;
  const rows = dataset.test ?? dataset.validation;
  if (rows === undefined) throw new Error('a job has test rows or validation rows');
  const rules = { target: dataset.preprocessor.target, metrics: metricsOf(job), threshold: job.evaluate.threshold };
  return evaluate(predictRows(prepared, rows), rules);
}

interface Results {
  readonly evaluation: Evaluation;
  readonly epochs: TrainingReport['epochs'];
  readonly seconds: number;
}

function reportOf({ job }: WorkOrder, facts: TrainingFacts, { evaluation, epochs, seconds }: Results): TrainingReport {
  return {
    name: job.name,
    backend: facts.backend,
    seed: job.seed,
    rows: facts.rows,
    cleaning: facts.cleaning,
    model: facts.model,
    epochs: [...thinned(epochs, REPORT_EPOCHS_MAX)],
    test: job.data.test === undefined ? {} : { ...evaluation.metrics },
    classes: [...evaluation.classes],
    confusion: evaluation.confusion.map((row) => [...row]),
    ...(facts.resumedFrom === undefined ? {} : { resumedFromStep: facts.resumedFrom.step }),
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

interface Publication {
  readonly report: TrainingReport;
  readonly evaluation: Evaluation;
  readonly dataset: Dataset;
  readonly ending: string;
}

async function publish(order: WorkOrder, store: CheckpointStore, publication: Publication): Promise<FinishedTraining> {
  const { renderReport } = await import('../report/render-report.js'); // the charts are slow to load, and needed only here
  const { report, evaluation, dataset, ending } = publication;
  const reportHtml = renderReport({
    report,
    job: order.job,
    inputCount: dataset.preprocessor.inputCount,
    ending,
    scores: evaluation.metrics,
  });
  const reportPath = join(order.outFolder, 'report.html');
  store.refuseIfSuperseded();
  mkdirSync(order.outFolder, { recursive: true });
  writeFileSync(join(order.outFolder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(reportPath, reportHtml);
  return { report, reportHtml, reportPath, scores: evaluation.metrics };
}
