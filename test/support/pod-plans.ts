import type { PodPlan } from '../../src/cluster/local/pod-plan.js';

/** A plan of the local driver for the one pod of a workload, with a command that ends at once. */
export function aPodPlan(workload: string, files: Pick<PodPlan, 'socket' | 'fence'>): PodPlan {
  return {
    name: `${workload}-1-worker-0`,
    pod: { workload, incarnation: 1, podSet: 'worker', index: 0 },
    node: 'a',
    program: 'command',
    command: ['true'],
    environment: {},
    cpuMilli: 1000,
    memoryMib: 64,
    graceMs: 1000,
    ...files,
    adoptWithinMs: 1,
    orphanGraceMs: 1,
    cgroups: 'never',
  };
}
