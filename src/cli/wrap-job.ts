import { API_VERSION, type WorkloadDocumentInput } from '../server/workloads/workload.schema.js';
import type { Job } from '../trainer/contract.js';

/** What a job file cannot say about itself: where it is to run. */
export interface JobWishes {
  readonly queue: string;
  /** Devices for its pod; 0 for none. */
  readonly gpus?: number;
  /** In order of preference. */
  readonly flavors?: readonly string[];
  /** Instead of the name of the job. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Where the job is in the document that `wrapJob` makes. */
export const JOB_FIELD = ['spec', 'podSets', 0, 'trainer'] as const;

/** A workload of one pod that trains the job. */
export function wrapJob(job: Job, wishes: JobWishes): WorkloadDocumentInput {
  const { queue, gpus = 0, flavors = [], name = job.name, labels = {} } = wishes;
  const accelerators = gpus === 0 ? {} : { accelerators: { flavors: [...flavors], count: gpus } };
  return {
    apiVersion: API_VERSION,
    kind: 'Workload',
    metadata: { name, labels: { ...labels } },
    spec: { queue, podSets: [{ ...accelerators, trainer: job }] },
  };
}
