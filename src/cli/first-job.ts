import { readFileSync } from 'node:fs';
import { formatProblems } from '../documents/yaml-document.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { CliError } from './cli-error.js';
import type { FirstJobPrinter } from './first-job-printer.js';
import { followWorkloads } from './follow-workloads.js';
import { isSettled } from './present-workloads.js';
import { exampleFile } from './server-options.js';
import { readWorkloadFile } from './workload-file.js';

const JOB_FILE = exampleFile('adult/adult.yaml');
/** Marks what `berth up` submitted, so that a restarted one goes on with it. */
const LABELS = { 'berth.dev/example': 'adult' };
const WISHES = { queue: 'research', gpus: 1, flavors: ['nvidia-h100', 'nvidia-a100'], labels: LABELS };

export interface FirstJob {
  readonly client: ApiClient;
  readonly printer: FirstJobPrinter;
  /** Where the report of a workload can be read. */
  readonly reportPlaces: (workload: Workload) => readonly string[];
  /** Ends the watch, not the job. */
  readonly signal: AbortSignal;
}

/** Submits the Adult job, or goes on with one that has not ended, and prints how it goes. */
export async function runFirstJob(job: FirstJob): Promise<'succeeded' | 'failed' | 'stopped'> {
  const { client, printer, reportPlaces, signal } = job;
  const unfinished = await findUnfinished(client);
  const workload = unfinished ?? (await submit(client));
  printer.begin(workload, unfinished === undefined ? 'submitted' : 'found');
  for await (const version of followWorkloads(client, [workload.metadata.uid], signal)) {
    if (!isSettled(version)) {
      printer.changed(version);
    } else if (version.status.state === 'succeeded') {
      printer.succeeded(version, await client.report(version.metadata.uid), reportPlaces(version));
      return 'succeeded';
    } else {
      printer.ended(version);
      return 'failed';
    }
  }
  return 'stopped';
}

async function findUnfinished(client: ApiClient): Promise<Workload | undefined> {
  const workloads = await client.workloads({ queue: WISHES.queue });
  return workloads.find(
    (workload) =>
      !isSettled(workload) &&
      Object.entries(LABELS).every(([label, value]) => workload.metadata.labels[label] === value),
  );
}

async function submit(client: ApiClient): Promise<Workload> {
  const read = readWorkloadFile(JOB_FILE, readFileSync(JOB_FILE, 'utf8'), WISHES);
  if (read.kind === 'invalid') throw new CliError(formatProblems(JOB_FILE, read.problems));
  const [filed] = read.value;
  if (filed === undefined) throw new CliError(`${JOB_FILE} holds no job.`);
  const { name, ...metadata } = filed.document.metadata;
  // Every start trains anew, and names may not meet.
  return client.createWorkload({
    ...filed.document,
    metadata: { ...metadata, generateName: `${name ?? 'job'}-` },
  });
}
