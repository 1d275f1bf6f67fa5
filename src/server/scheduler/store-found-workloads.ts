import type { EntityManager } from 'typeorm';
import type { Observation } from '../../cluster/cluster.js';
import type { PodSetSpec, WorkloadSpec } from '../../core/index.js';
import { teamChain, type AuditEntry } from '../audit/audit-entry.js';

type Found = Extract<Observation, { readonly kind: 'workload-found' }>;
type Withdrawn = Extract<Observation, { readonly kind: 'workload-withdrawn' }>;

/** Stores those that are new; `unknown`: those that the ledger has not, or has finished. The audit is left to do. */
export async function storeFoundWorkloads(
  transaction: EntityManager,
  found: readonly Found[],
): Promise<{ readonly unknown: ReadonlySet<string>; readonly audits: readonly AuditEntry[] }> {
  const rows = found.map(({ workload, spec, team, pods }) => ({
    uid: workload,
    team,
    name: spec.name,
    queue: spec.queue,
    atMs: spec.submittedAtMs,
    spec: shownSpecOf(spec),
    found: { spec, pods },
  }));
  const live: { uid: string; isNew: boolean }[] = await transaction.query(
    `WITH told AS (
       SELECT DISTINCT ON (uid) * FROM jsonb_to_recordset($1::jsonb) AS f(uid uuid, team text, name text, queue text,
         "atMs" bigint, spec jsonb, found jsonb) ORDER BY uid
     ), stored AS (
       INSERT INTO workloads (uid, team, name, queue, spec, found, created_at, created_by)
       SELECT f.uid, f.team, f.name, f.queue, f.spec, f.found, to_timestamp(f."atMs" / 1000.0), 'kubernetes'
       FROM told f JOIN queues q ON q.name = f.queue JOIN teams t ON t.name = f.team
       ON CONFLICT DO NOTHING RETURNING uid
     )
     SELECT uid, true AS "isNew" FROM stored
     UNION ALL SELECT w.uid, false FROM workloads w JOIN told f ON f.uid = w.uid WHERE w.finished_at IS NULL`,
    [JSON.stringify(rows)],
  );
  const stored = new Set(live.flatMap(({ uid, isNew }) => (isNew ? [uid] : [])));
  const audits = rows.flatMap(({ uid, team, name, spec }) => {
    if (!stored.delete(uid)) return [];
    return [{ ...entryOf(team, name), action: 'workload.find', after: spec }];
  });
  const known = new Set(live.map(({ uid }) => uid));
  const unknown = new Set(found.flatMap(({ workload }) => (known.has(workload) ? [] : [workload])));
  return { unknown, audits };
}

/** As a command to cancel them, from whoever made their pods: those that it concerns. The audit is left to do. */
export async function storeWithdrawnWorkloads(
  transaction: EntityManager,
  withdrawn: readonly Withdrawn[],
): Promise<{ readonly workloads: readonly string[]; readonly audits: readonly AuditEntry[] }> {
  const rows: { uid: string; team: string; name: string; why: string }[] = await transaction.query(
    `WITH withdrawn AS (
       UPDATE workloads w SET cancel_requested_at = now()
       FROM jsonb_to_recordset($1::jsonb) AS x(workload uuid, why text)
       WHERE w.uid = x.workload AND w.finished_at IS NULL AND w.cancel_requested_at IS NULL
       RETURNING w.uid, w.team, w.name, x.why
     ) SELECT uid, team, name, why FROM withdrawn`,
    [JSON.stringify(withdrawn.map(({ workload, why }) => ({ workload, why })))],
  );
  const audits = rows.map(({ team, name, why }) => {
    return { ...entryOf(team, name), action: 'workload.withdraw', reason: why };
  });
  return { workloads: rows.map(({ uid }) => uid), audits };
}

function entryOf(team: string, name: string): Pick<AuditEntry, 'chain' | 'actor' | 'subject'> {
  return { chain: teamChain(team), actor: 'kubernetes', subject: `workload/${name}` };
}

/** What the API shows of it: the fields that a document has, too. What its pods run is for Kubernetes to say. */
function shownSpecOf({ queue, kind, priority, preemptible, maxRetries, podSets }: WorkloadSpec): object {
  return { queue, kind, priority, preemptible, maxRetries, podSets: podSets.map(shownPodSetOf) };
}

function shownPodSetOf(podSet: PodSetSpec): object {
  const { name, count, minCount, flavors, cpuMilli, memoryMib, devices, nodeSelector, tolerations, topology } = podSet;
  return {
    name,
    count,
    minCount,
    cpu: `${cpuMilli}m`,
    memory: `${memoryMib}Mi`,
    nodeSelector,
    tolerations,
    ...(devices === undefined ? {} : { accelerators: { flavors, count: devices.count, milli: devices.milli } }),
    ...(topology?.kind === 'required' ? { topology: { required: topology.level } } : {}),
  };
}
