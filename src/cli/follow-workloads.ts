import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { isSettled } from './present-workloads.js';

/**
 * Each version of these workloads that the server tells, until all of them have ended or the signal ends the watch. A
 * workload that ended long ago is not in the event stream, so whatever a new stream does not show is read; of one that
 * was removed the server says then that it is not there.
 */
export async function* followWorkloads(
  client: ApiClient,
  uids: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Workload> {
  const open = new Set(uids);
  if (open.size === 0) return;
  for await (const change of client.events(signal)) {
    const seen = new Map(change.workloads.map((workload) => [workload.metadata.uid, workload]));
    const removed = new Set(change.removed.workloads);
    for (const uid of [...open]) {
      const isMissing = change.kind === 'everything' || removed.has(uid);
      const workload = seen.get(uid) ?? (isMissing ? await client.readWorkload(uid) : undefined);
      if (workload === undefined) continue;
      if (isSettled(workload)) open.delete(uid);
      yield workload;
    }
    if (open.size === 0) return;
  }
}
