import type { Workload } from '../server/workloads/workload.schema.js';
import { isFinished } from './is-finished.js';

/** What is unfinished first, the newest on top; then what has finished, the latest on top; then by uid. */
export function workloadOrder(workloads: Iterable<Workload>): readonly Workload[] {
  return [...workloads].sort(
    (a, b) =>
      Number(isFinished(a)) - Number(isFinished(b)) ||
      since(b) - since(a) ||
      (a.metadata.uid < b.metadata.uid ? -1 : 1),
  );
}

function since({ metadata, status }: Workload): number {
  return Date.parse(status.finishedAt ?? metadata.creationTimestamp);
}
