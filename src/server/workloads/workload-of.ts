import { API_VERSION, type Workload, type WorkloadPod, type WorkloadProgress } from './workload.schema.js';
import type { PodRow, ProgressRow, WorkloadRow } from './workload-row.js';

/** The ledger's row as the API shows it. */
export function workloadOf(row: WorkloadRow): Workload {
  return {
    apiVersion: API_VERSION,
    kind: 'Workload',
    metadata: {
      uid: row.uid,
      name: row.name,
      namespace: row.team,
      labels: row.labels,
      creationTimestamp: row.created_at.toISOString(),
      createdBy: row.created_by,
    },
    spec: row.spec,
    status: {
      state: row.state,
      reason: row.reason,
      message: row.message,
      cancelRequested: row.cancel_requested_at !== null,
      incarnation: row.incarnation,
      retries: row.retries,
      pods: (row.pods ?? []).map(podOf),
      charged: row.charged ?? {},
      ...(row.planned_start === null ? {} : { plannedStart: row.planned_start.toISOString() }),
      ...(row.last_eviction === null ? {} : { lastEviction: row.last_eviction }),
      ...(row.started_at === null ? {} : { startedAt: row.started_at.toISOString() }),
      ...(row.finished_at === null ? {} : { finishedAt: row.finished_at.toISOString() }),
      ...(row.progress === null ? {} : { progress: progressOf(row.progress) }),
      ...(row.result === null ? {} : { result: row.result }),
    },
  };
}

function podOf(row: PodRow): WorkloadPod {
  return {
    name: row.name,
    podSet: row.pod_set,
    index: row.index,
    rank: row.rank,
    incarnation: row.incarnation,
    node: row.node,
    slots: [...(row.slots ?? [])],
    state: row.state,
    ...(row.exit_code === null ? {} : { exitCode: row.exit_code }),
    ...(row.detail === null ? {} : { detail: row.detail }),
    ...(row.found === null ? {} : { found: row.found }),
  };
}

function progressOf({ body, epochs, reported_at }: ProgressRow): WorkloadProgress {
  return {
    phase: body.phase,
    step: body.step,
    stepsTotal: body.stepsTotal,
    epochs: [...epochs],
    reportedAt: new Date(reported_at).toISOString(),
    ...(body.samplesPerSecond === undefined ? {} : { samplesPerSecond: body.samplesPerSecond }),
    ...(body.remainingSeconds === undefined ? {} : { remainingSeconds: body.remainingSeconds }),
    ...(body.backend === undefined ? {} : { backend: body.backend }),
    ...(body.checkpoint === undefined ? {} : { checkpointStep: body.checkpoint.step }),
  };
}
