import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { InvalidArgumentError, type Command } from 'commander';
import { formatProblems } from '../documents/yaml-document.js';
import { DEVICES_PER_POD_MAX, type Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { CliError, EXIT_CODE, UsageError } from './cli-error.js';
import { openClient } from './connection.js';
import { OUTPUT_FORMATS, outputOption, parseWholeNumber, printList, printOne, write } from './output.js';
import type { OutputFormat } from './output.js';
import { presentWorkloads, workloadName } from './present-workloads.js';
import { reportFailure } from './report-failure.js';
import { submitWorkload, type SourceFile } from './submit-workload.js';
import { readWorkloadFile, type FiledWorkload } from './workload-file.js';
import type { JobWishes } from './wrap-job.js';

interface ApplyFlags {
  readonly file: string;
  readonly queue?: string;
  readonly gpus?: number;
  readonly flavor?: readonly string[];
  readonly name?: string;
  readonly output: OutputFormat;
  readonly wait?: true;
}

/** What a job trains on when nothing is said. */
const GPUS = 1;

export function addApplyCommand(program: Command): void {
  program
    .command('apply')
    .description('submit the workloads of a file, or a job file as a workload')
    .requiredOption('-f, --file <file>', 'YAML or JSON, one or several documents; - is standard input')
    .option('--queue <queue>', 'job file: where it is to run')
    .option('--gpus <count>', `job file: devices for its pod (default: ${GPUS}; 0 for none)`, parseDevices)
    .option('--flavor <flavors...>', 'job file: of these flavors, the best first (default: the GPUs of the queue)')
    .option('--name <name>', 'job file: the name of the workload, instead of that of the job')
    .option('--wait', 'go on until they have ended; 1 unless all have succeeded')
    .addOption(outputOption(...OUTPUT_FORMATS))
    .action(apply);
}

async function apply(flags: ApplyFlags, command: Command): Promise<void> {
  const file = await readSource(flags.file);
  // The whole file is checked before anything is asked of a server.
  const checked = readFiled(file, wishesOf(flags));
  refuseStrayFlags(flags, file, checked);
  const client = await openClient(command);
  const needsFlavors =
    checked.some(({ kind }) => kind === 'job') && (flags.gpus ?? GPUS) > 0 && flags.flavor === undefined;
  const filed = needsFlavors ? readFiled(file, wishesOf({ ...flags, flavor: await gpusOf(client, flags) })) : checked;
  const submitted = await submitAll(client, filed, { file, output: flags.output });
  const workloads = flags.wait === true ? await waitFor(client, submitted) : submitted;
  print(workloads, filed.length, flags.output);
}

function parseDevices(text: string): number {
  const count = parseWholeNumber(text);
  if (count <= DEVICES_PER_POD_MAX) return count;
  throw new InvalidArgumentError(`A pod has at most ${DEVICES_PER_POD_MAX}.`);
}

/** A file that cannot be read is a command that was typed wrong. */
async function readSource(path: string): Promise<SourceFile> {
  try {
    if (path === '-') return { path: 'standard input', text: await readStream(process.stdin) };
    return { path, text: await readFile(path, 'utf8') };
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function readFiled({ path, text }: SourceFile, wishes: Partial<JobWishes>): readonly FiledWorkload[] {
  const result = readWorkloadFile(path, text, wishes);
  if (result.kind === 'valid') return result.value;
  process.stderr.write(`${formatProblems(path, result.problems)}\n`);
  const count = result.problems.length;
  throw new UsageError(`${path} has ${count} ${count === 1 ? 'mistake' : 'mistakes'}, so nothing was created.`);
}

/** Without a flavor the pod gets no devices yet: which there are, only the server knows. */
function wishesOf({ queue, gpus = GPUS, flavor, name }: ApplyFlags): Partial<JobWishes> {
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(flavor === undefined ? {} : { gpus, flavors: flavor }),
    ...(name === undefined ? {} : { name }),
  };
}

/** A flag that changes nothing must not look as if it did. */
function refuseStrayFlags(flags: ApplyFlags, { path }: SourceFile, filed: readonly FiledWorkload[]): void {
  const jobs = filed.filter(({ kind }) => kind === 'job').length;
  const stray = (['queue', 'gpus', 'flavor', 'name'] as const).find((flag) => flags[flag] !== undefined);
  if (stray !== undefined && jobs === 0) {
    throw new UsageError(`--${stray} is for job files, and ${path} holds workloads: write it there.`);
  }
  if (flags.name !== undefined && jobs > 1) throw new UsageError(`--name names one job, and ${path} holds ${jobs}.`);
}

/** The GPU flavors that the queue has quota of, those of which it has most free first. */
async function gpusOf(client: ApiClient, { queue: name = '' }: ApplyFlags): Promise<readonly string[]> {
  const queue = await client.queue(name);
  const flavors = queue.flavors
    .filter(({ flavor, nominal }) => nominal > 0 && !/(^|-)(tpu|cpu)(-|$)/.test(flavor))
    .sort((a, b) => b.available - a.available || (a.flavor < b.flavor ? -1 : 1));
  if (flavors.length > 0) return flavors.map(({ flavor }) => flavor);
  throw new CliError(`Queue ${name} has no GPUs of its own: say with --flavor which to ask for, or --gpus 0.`);
}

async function submitAll(
  client: ApiClient,
  filed: readonly FiledWorkload[],
  { file, output }: { readonly file: SourceFile; readonly output: OutputFormat },
): Promise<readonly Workload[]> {
  const submitted: Workload[] = [];
  for (const one of filed) {
    try {
      const { workload, outcome } = await submitWorkload(client, one, file);
      submitted.push(workload);
      const state = outcome === 'unchanged' ? `, it is ${workload.status.state}` : '';
      if (output === 'table') write(`${workloadName(workload)} ${outcome}${state}\n`);
    } catch (error) {
      fail(reportFailure(error)); // the others are still meant
    }
  }
  return submitted;
}

async function waitFor(client: ApiClient, submitted: readonly Workload[]): Promise<readonly Workload[]> {
  const { waitForWorkloads } = await import('./wait-for-workloads.js'); // brings listr2 along
  const ended = await waitForWorkloads(client, submitted);
  if (ended.some(({ status }) => status.state !== 'succeeded')) fail(EXIT_CODE.failed);
  return ended;
}

/** For a person the lines of the way were enough. */
function print(workloads: readonly Workload[], asked: number, output: OutputFormat): void {
  const presentation = presentWorkloads(Date.now);
  const [workload] = workloads;
  if (output === 'table' || workload === undefined) return;
  if (asked === 1) printOne(workload, output, presentation);
  else printList(workloads, output, presentation);
}

/** The worst of several ends is the one to tell. */
function fail(exitCode: number): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), exitCode);
}
