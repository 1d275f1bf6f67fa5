import type { Workload, WorkloadState } from '../server/workloads/workload.schema.js';

const FINISHED: ReadonlySet<WorkloadState> = new Set<WorkloadState>(['succeeded', 'failed', 'cancelled']);

export function isFinished({ status }: Workload): boolean {
  return FINISHED.has(status.state);
}
