import { isDeepStrictEqual } from 'node:util';
import { formatProblems } from '../documents/yaml-document.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { ApiProblem } from './api-problem.js';
import { CliError } from './cli-error.js';
import { locateInFile, type FiledWorkload } from './workload-file.js';

/** A file as the user called it, and what it holds. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Submission {
  readonly workload: Workload;
  readonly outcome: 'created' | 'unchanged';
}

/** The field that a refusal is about, so that it can be shown where the user wrote it. */
const FIELD_OF: Readonly<Record<string, string>> = {
  QUEUE_NOT_FOUND: 'spec.queue',
  QUEUE_NOT_A_LEAF: 'spec.queue',
  TEAM_NOT_FOUND: 'metadata.namespace',
  NAME_TAKEN: 'metadata.name',
  QUOTA_EXCEEDED: 'spec.podSets',
};

/** Creates the workload once: submitting what is there already changes nothing, as `kubectl apply` does. */
export async function submitWorkload(client: ApiClient, filed: FiledWorkload, file: SourceFile): Promise<Submission> {
  try {
    return { workload: await client.createWorkload(filed.document), outcome: 'created' };
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const same = error.code === 'NAME_TAKEN' ? await findSame(client, filed) : undefined;
    if (same === undefined) throw inFile(error, filed, file);
    return { workload: same, outcome: 'unchanged' };
  }
}

async function findSame(client: ApiClient, { document }: FiledWorkload): Promise<Workload | undefined> {
  const { name = '', namespace, labels } = document.metadata;
  const found = await client.findWorkloads(name, namespace);
  // Through JSON, as the server got it: a field that is undefined is a field that is not there.
  const wanted: unknown = JSON.parse(JSON.stringify({ labels, spec: document.spec }));
  return found.find(({ metadata, spec }) => isDeepStrictEqual({ labels: metadata.labels, spec }, wanted));
}

/** The refusal with the line that it is about, where the file holds it. */
function inFile(problem: ApiProblem, filed: FiledWorkload, { path, text }: SourceFile): CliError {
  const field = FIELD_OF[problem.code];
  const mistakes = field === undefined ? problem.errors : [{ path: field, message: problem.detail }];
  const located = locateInFile(text, filed, mistakes);
  const isWhole = located.length > 0 && located.length === mistakes.length;
  if (!isWhole) return new CliError(`${path}: ${problem.message}`, problem.exitCode);
  return new CliError(`${formatProblems(path, located)} (${problem.code})`, problem.exitCode);
}
