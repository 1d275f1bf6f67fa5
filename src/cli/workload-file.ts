import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { mistakeMessage } from '../documents/mistake-message.js';
import { parseYamlDocuments, type DocumentProblem, type DocumentResult } from '../documents/yaml-document.js';
import { WorkloadDocumentSchema, type WorkloadDocument } from '../server/workloads/workload.schema.js';
import { JobSchema } from '../trainer/contract.js';
import { JOB_FIELD, wrapJob, type JobWishes } from './wrap-job.js';
import { withAbsolutePaths } from './absolute-paths.js';

/** One document of a file, ready to be sent. */
export interface FiledWorkload {
  readonly document: WorkloadDocument;
  /** What stands in the file: a workload, or a bare job that was wrapped into one. */
  readonly kind: 'workload' | 'job';
  /** Its place among the documents of the file, from 0. */
  readonly index: number;
}

type FieldPath = readonly (string | number)[];
type Issues = z.core.$ZodIssue[];

/** Whoever writes one of these means a workload, and wants to hear what is wrong with it as one. */
const WORKLOAD_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec'];

/**
 * The workloads of a file: documents of that kind, and job files of the trainer, which `wishes` make into workloads.
 * Relative paths of data start at `file`. All mistakes are reported together, with their lines.
 */
export function readWorkloadFile(
  file: string,
  text: string,
  wishes: Partial<JobWishes>,
): DocumentResult<readonly FiledWorkload[]> {
  const folder = dirname(resolve(file));
  let index = 0;
  const schema = z.unknown().transform((value, context): FiledWorkload => {
    const place = { index, folder };
    index += 1;
    const result = isWorkload(value) ? readWorkload(value, place) : readJob(value, place, wishes);
    if (!Array.isArray(result)) return result;
    // The issues go in as they are, with their codes: an unknown field is pointed at by its key.
    context.issues.push(...(result as z.core.$ZodRawIssue[]));
    return z.NEVER;
  });
  return parseYamlDocuments(text, schema);
}

/** Where in the file the mistakes are that the server found in the document; those that are not in it are left out. */
export function locateInFile(
  text: string,
  { kind, index, document }: FiledWorkload,
  mistakes: readonly { readonly path: string; readonly message: string }[],
): readonly DocumentProblem[] {
  const isNamedInFile = kind === 'workload' || document.spec.podSets[0]?.trainer?.name === document.metadata.name;
  let seen = 0;
  const schema = z.unknown().superRefine((_value, context) => {
    if (seen++ !== index) return;
    for (const { path, message } of mistakes) {
      const field = path === 'metadata.name' && !isNamedInFile ? undefined : fieldInFile(kind, pathOf(path));
      if (field !== undefined) context.addIssue({ code: 'custom', path: [...field], message });
    }
  });
  const result = parseYamlDocuments(text, schema);
  return result.kind === 'invalid' ? result.problems : [];
}

interface Place {
  readonly index: number;
  readonly folder: string;
}

function readWorkload(value: unknown, { index, folder }: Place): FiledWorkload | Issues {
  const parsed = WorkloadDocumentSchema.safeParse(value, { error: mistakeMessage });
  if (!parsed.success) return parsed.error.issues;
  return { document: withAbsolutePaths(parsed.data, folder), kind: 'workload', index };
}

function readJob(value: unknown, { index, folder }: Place, wishes: Partial<JobWishes>): FiledWorkload | Issues {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'must be a job file of the trainer, or a document with kind: Workload';
    return [{ code: 'custom', path: [], message, input: value }];
  }
  const job = JobSchema.safeParse(value, { error: mistakeMessage });
  if (!job.success) return job.error.issues;
  if (wishes.queue === undefined) {
    const message = 'is a job file: say with --queue where it is to run; `berth get queues` lists the queues';
    return [{ code: 'custom', path: [], message, input: value }];
  }
  const wrapped = WorkloadDocumentSchema.safeParse(wrapJob(job.data, { ...wishes, queue: wishes.queue }));
  if (wrapped.success) return { document: withAbsolutePaths(wrapped.data, folder), kind: 'job', index };
  return wrapped.error.issues.map((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    const field = wishes.name !== undefined && path[1] === 'name' ? undefined : fieldInFile('job', path);
    // What the file does not hold came from the command line.
    return field === undefined
      ? { ...issue, path: [], message: `${path.join('.')}: ${issue.message}` }
      : { ...issue, path: [...field] };
  });
}

function isWorkload(value: unknown): boolean {
  return typeof value === 'object' && value !== null && WORKLOAD_FIELDS.some((field) => field in value);
}

/** A field of the document as the file has it; `undefined`: the file of a job does not hold it. */
function fieldInFile(kind: FiledWorkload['kind'], path: FieldPath): FieldPath | undefined {
  if (kind === 'workload') return path;
  if (path.join('.') === 'metadata.name') return ['name'];
  return JOB_FIELD.every((key, depth) => path[depth] === key) ? path.slice(JOB_FIELD.length) : undefined;
}

function pathOf(text: string): FieldPath {
  return text.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}
