import { mkdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { EXIT, PodEnvironmentSchema, type PodEnvironment } from './contract.js';
import { readJobFile, type JobFile } from './job-file.js';
import { RunPrinter } from './supervision/run-printer.js';
import { StatusReporter, type StatusEvents } from './supervision/status-reporter.js';
import { superviseTraining, type RunOutcome } from './supervision/supervise-training.js';
import type { WorkOrder } from './supervision/worker-messages.js';
import { describeFailure, TrainerError, unreachable } from './trainer-error.js';

export interface TrainOptions {
  /** The job file. */
  readonly file: string;
  /** Only says whether the job file and its data's headers are right. */
  readonly check?: boolean;
  readonly backend?: 'wasm';
  /** Where the report goes; by default the workload's folder, or `runs/<name>` beside the job file. */
  readonly out?: string;
}

/**
 * `berth train`: trains what a job file describes, prints to the terminal, and returns the exit code of
 * `contract.ts`. In a pod the environment says who it is and whom to tell.
 */
export async function runTrain(options: TrainOptions): Promise<number> {
  const pod: { environment?: PodEnvironment } = {};
  try {
    pod.environment = readEnvironment();
    const jobFile = await readJobFile(options.file);
    if (options.check === true) {
      printCheck(options.file, jobFile);
      return EXIT.done;
    }
    return await trainInThread(options, pod.environment, jobFile);
  } catch (error) {
    const { exitCode, message } = describeFailure(error);
    printFailure(message, error instanceof Error ? error.stack : undefined);
    if (pod.environment !== undefined && options.check !== true) await reportFailure(pod.environment, message);
    return exitCode;
  }
}

async function trainInThread(options: TrainOptions, environment: PodEnvironment, jobFile: JobFile): Promise<number> {
  const { job } = jobFile;
  const printer = new RunPrinter(
    {
      write: (text) => process.stdout.write(text),
      terminal: process.stdout.isTTY ? 'terminal' : 'log',
      columns: process.stdout.isTTY ? process.stdout.columns : 80,
    },
    job.name,
  );
  const outcome = await superviseTraining({
    order: workOrder(options, environment, jobFile),
    printer,
    warn,
    reporterFor: (events) => reporterFor(environment, { ...events, warn }),
  });
  return concludeRun(outcome, printer);
}

/** One pod trains one job: several ranks would each train their own copy, and overwrite each other. */
function readEnvironment(): PodEnvironment {
  const parsed = PodEnvironmentSchema.safeParse(process.env);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new TrainerError(EXIT.badConfig, `the environment of the pod is wrong: ${mistakes.join('; ')}`);
  }
  if (parsed.data.WORLD_SIZE === 1) return parsed.data;
  const message = `WORLD_SIZE is ${parsed.data.WORLD_SIZE}, but training runs in one pod: give its pod set one pod`;
  throw new TrainerError(EXIT.badConfig, message);
}

function workOrder(
  options: TrainOptions,
  environment: PodEnvironment,
  { job, folder, files }: JobFile,
): Omit<WorkOrder, 'stopFlag'> {
  const home = environment.BERTH_WORKLOAD_DIR ?? options.out ?? join(folder, 'runs', job.name);
  const outFolder = resolve(options.out ?? home);
  const { dir } = job.checkpoint;
  mkdirSync(outFolder, { recursive: true });
  return {
    job,
    backend: options.backend ?? 'wasm',
    files,
    outFolder,
    checkpointFolder: isAbsolute(dir) ? dir : resolve(home, dir),
    incarnation: environment.BERTH_WORKLOAD === undefined ? undefined : environment.BERTH_INCARNATION,
    devices: environment.BERTH_DEVICES.split(',').filter((device) => device !== ''),
    virtualDevices: environment.BERTH_VIRTUAL_DEVICES === '1' ? 'virtual' : 'real',
  };
}

function reporterFor(environment: PodEnvironment, events: StatusEvents): StatusReporter | undefined {
  const { BERTH_STATUS_URL: url, BERTH_WORKLOAD: workload } = environment;
  if (url === undefined || workload === undefined) return undefined;
  const identity = {
    workload,
    pod: environment.BERTH_POD ?? `${workload}-${environment.BERTH_INCARNATION}-${environment.RANK}`,
    incarnation: environment.BERTH_INCARNATION,
    rank: environment.RANK,
  };
  const endpoint = { url, tokenFile: environment.BERTH_STATUS_TOKEN_FILE, caFile: environment.BERTH_STATUS_CA };
  return new StatusReporter(endpoint, identity, events);
}

/** A job that fails before its thread starts is told to the control plane too. */
async function reportFailure(environment: PodEnvironment, failure: string): Promise<void> {
  const ignore = (): void => undefined; // the pod is ending already
  const reporter = reporterFor(environment, { onStop: ignore, onSuperseded: ignore, warn });
  await reporter?.finish({ phase: 'failed', failure: failure.slice(0, 4000) });
}

function concludeRun(outcome: RunOutcome, printer: RunPrinter): number {
  switch (outcome.kind) {
    case 'done':
      printer.finished(outcome);
      return EXIT.done;
    case 'stopped': {
      const where = outcome.step === undefined ? 'before its first step' : `at step ${outcome.step}, checkpoint saved`;
      printer.line(`stopped ${where}; the same command goes on from there`);
      return EXIT.preempted;
    }
    case 'unreported':
      printer.line('stopped before the control plane took the report; the next incarnation hands it over');
      return EXIT.preempted;
    case 'superseded':
      printFailure('a newer incarnation of this workload has begun; this one ends without writing', undefined);
      return EXIT.internal;
    case 'failed':
      printFailure(outcome.message, outcome.stack);
      return outcome.exitCode;
    default:
      return unreachable(outcome);
  }
}

function printCheck(file: string, { job }: JobFile): void {
  const features = `${job.features.length} ${job.features.length === 1 ? 'feature' : 'features'}`;
  process.stdout.write(
    `${file}: job ${job.name} is right: ${features}, target ${job.target.name} (${job.target.type})\n`,
  );
}

function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`);
}

/** One line for people; the stack only on request, because it says nothing about their file. */
function printFailure(message: string, stack: string | undefined): void {
  process.stderr.write(`${message}\n`);
  if (process.env['BERTH_DEBUG'] === '1' && stack !== undefined) process.stderr.write(`${stack}\n`);
}
