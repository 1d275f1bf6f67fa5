import { readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatProblems, parseYamlDocument } from '../documents/yaml-document.js';
import { EXIT } from './contract.js';
import { readCsvHeader } from './data/read-csv.js';
import { JobSchema, type Job } from './job.schema.js';
import { errorCode, TrainerError } from './trainer-error.js';

export interface JobFile {
  readonly job: Job;
  /** Where its relative paths start. */
  readonly folder: string;
  readonly files: { readonly train: string; readonly test: string | undefined };
}

/**
 * Reads and checks a job file, and the header lines of the data it names. All mistakes of the file are reported
 * together, a line each, as compilers do; the exit code is `badConfig`, or `missingResource` where data is missing.
 */
export async function readJobFile(path: string): Promise<JobFile> {
  const text = readText(path);
  const job = parse(path, text, JobSchema);
  const folder = dirname(resolve(path));
  const files = {
    train: dataPath(folder, job.data.train),
    test: job.data.test === undefined ? undefined : dataPath(folder, job.data.test),
  };
  const headers = [
    { field: 'train', file: files.train, names: await readCsvHeader(files.train) },
    ...(files.test === undefined ? [] : [{ field: 'test', file: files.test, names: await readCsvHeader(files.test) }]),
  ];
  const withHeaders = JobSchema.superRefine((checked, context) => {
    for (const { file, names } of headers) {
      for (const { name, path: field } of columnsOf(checked)) {
        if (names.includes(name)) continue;
        const message = `${basename(file)} has no column "${name}"; it has ${names.join(', ')}`;
        context.addIssue({ code: 'custom', path: [...field], message });
      }
    }
  });
  return { job: parse(path, text, withHeaders), folder, files };
}

function parse(path: string, text: string, schema: typeof JobSchema): Job {
  const result = parseYamlDocument(text, schema);
  if (result.kind === 'valid') return result.value;
  throw new TrainerError(EXIT.badConfig, formatProblems(path, result.problems));
}

function columnsOf(job: Job): readonly { readonly name: string; readonly path: readonly (string | number)[] }[] {
  return [
    ...job.features.map(({ name }, index) => ({ name, path: ['features', index, 'name'] })),
    { name: job.target.name, path: ['target', 'name'] },
  ];
}

function dataPath(folder: string, path: string): string {
  if (path.startsWith('file://')) return fileURLToPath(path);
  return isAbsolute(path) ? path : resolve(folder, path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TrainerError(EXIT.missingResource, `${path}: the job file cannot be read (${errorCode(error)})`);
  }
}
