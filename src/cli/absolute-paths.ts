import { isAbsolute, resolve } from 'node:path';
import type { WorkloadDocument } from '../server/workloads/workload.schema.js';
import type { Job } from '../trainer/contract.js';

/**
 * The document with the data of its trainers named by absolute paths: a pod of the local driver has another folder. A
 * relative `checkpoint.dir` stays, because it starts in the workload's own folder.
 */
export function withAbsolutePaths(document: WorkloadDocument, folder: string): WorkloadDocument {
  const podSets = document.spec.podSets.map((set) =>
    set.trainer === undefined ? set : { ...set, trainer: withAbsoluteData(set.trainer, folder) },
  );
  return { ...document, spec: { ...document.spec, podSets } };
}

function withAbsoluteData(job: Job, folder: string): Job {
  const { train, test, ...data } = job.data;
  const tested = test === undefined ? {} : { test: absolute(test, folder) };
  return { ...job, data: { ...data, train: absolute(train, folder), ...tested } };
}

/** A URL says by itself where it starts. */
function absolute(path: string, folder: string): string {
  return isAbsolute(path) || /^[a-z][a-z0-9+.-]*:\/\//i.test(path) ? path : resolve(folder, path);
}
