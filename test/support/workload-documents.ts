import { wrapJob } from '../../src/cli/wrap-job.js';
import { API_VERSION, type WorkloadDocumentInput } from '../../src/server/workloads/workload.schema.js';
import type { Job } from '../../src/trainer/contract.js';

interface CommandWish {
  readonly pods?: number;
  /** Of each pod. */
  readonly devices?: number;
  readonly maxRetries?: number;
  readonly graceSeconds?: number;
}

/** Pods of the small fleet, each of which runs this shell script. */
export function aScript(
  name: string,
  script: string,
  { pods = 1, devices = 1, maxRetries = 3, graceSeconds = 5 }: CommandWish = {},
): WorkloadDocumentInput {
  const accelerators = devices === 0 ? {} : { accelerators: { flavors: ['nvidia-h100'], count: devices } };
  return {
    apiVersion: API_VERSION,
    kind: 'Workload',
    metadata: { name },
    spec: {
      queue: 'research',
      maxRetries,
      terminationGracePeriodSeconds: graceSeconds,
      podSets: [
        {
          count: pods,
          cpu: '100m',
          memory: '256Mi',
          ...accelerators,
          template: { spec: { containers: [{ name: 'main', command: ['/bin/sh', '-c', script] }] } },
        },
      ],
    },
  };
}

/** The trainer on one device of the small fleet; the workload may be called otherwise than its job. */
export function aTraining(name: string, job: Job): WorkloadDocumentInput {
  return wrapJob(job, { queue: 'research', gpus: 1, flavors: ['nvidia-h100'], name });
}
