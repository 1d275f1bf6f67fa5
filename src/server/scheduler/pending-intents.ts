import type { DataSource } from 'typeorm';
import type { FoundPod } from '../../cluster/cluster.js';
import type { SlotShare } from '../../core/index.js';
import { appendAudits } from '../audit/audit-entry.js';
import { API_VERSION, type WorkloadDocument } from '../workloads/workload.schema.js';
import { admitWaitingPods } from './admit-waiting-pods.js';
import { followPods } from './follow-pods.js';
import { inTerm } from './in-term.js';
import type { Intent, IntentOutcome, Leadership } from './ledger.js';
import { storableText } from '../../documents/storable-text.js';
import { tellChanges } from './tell-changes.js';
import { SLOTS_OF_POD } from './slots-of-pod.js';

interface IntentRow {
  readonly id: string;
  readonly kind: 'create-pod' | 'delete-pod';
  readonly attempts: number;
  readonly occupied: boolean;
  readonly name: string;
  readonly workload: string;
  readonly incarnation: number;
  readonly pod_set: string;
  readonly index: number;
  readonly rank: number;
  readonly world_size: number;
  readonly node: string;
  readonly cpu_milli: string;
  readonly memory_mib: string;
  readonly slots: readonly SlotShare[] | null;
  readonly master_node: string;
  readonly team: string;
  readonly workload_name: string;
  readonly labels: Record<string, string>;
  readonly spec: WorkloadDocument['spec'];
  /** The pod that others made and that is to be bound; absent: it is Berth's to make. */
  readonly found_pod: FoundPod | null;
}

/**
 * Intents that are due, oldest first. What a pod was dropped from (`count_pod`) is not pending any more; a pod that
 * waits for others is not created yet.
 */
export async function readDueIntents(
  database: DataSource,
  limit: number,
  except: Iterable<string>,
): Promise<readonly Intent[]> {
  const rows: IntentRow[] = await database.query(
    `SELECT o.id, o.kind, o.attempts, p.occupied, p.name, p.workload, p.incarnation, p.pod_set, p.index, p.rank, p.world_size,
       p.node, p.cpu_milli, p.memory_mib, slots.slots, m.node AS master_node, w.team, w.name AS workload_name, w.labels,
       w.spec, w.found #> ARRAY['pods', p.pod_set, p.index::text] AS found_pod
     FROM outbox o
     JOIN pods p ON p.name = o.pod AND (o.kind = 'delete-pod' OR p.occupied)
     JOIN pods m ON m.workload = p.workload AND m.incarnation = p.incarnation AND m.rank = 0
     JOIN workloads w ON w.uid = p.workload
     ${SLOTS_OF_POD}
     WHERE o.state = 'pending' AND o.next_attempt_at <= now() AND o.id <> ALL($2::bigint[]) ORDER BY o.id LIMIT $1`,
    [limit, [...except]],
  );
  return rows.map(intentOf);
}

function intentOf(row: IntentRow): Intent {
  const { id, kind, attempts, name: podName, workload, incarnation, pod_set: podSet, index, node } = row;
  const pod = { workload, incarnation, podSet, index };
  if (kind === 'delete-pod') return { id, kind, podName, pod, attempts, isStray: !row.occupied };
  const seat = {
    pod,
    node,
    slots: row.slots ?? [],
    cpuMilli: Number(row.cpu_milli),
    memoryMib: Number(row.memory_mib),
  };
  if (row.found_pod !== null) return { id, kind: 'bind-pod', podName, pod, attempts, found: row.found_pod, seat };
  return {
    id,
    kind,
    podName,
    pod,
    attempts,
    team: row.team,
    workloadName: row.workload_name,
    document: {
      apiVersion: API_VERSION,
      kind: 'Workload',
      metadata: { name: row.workload_name, namespace: row.team, labels: row.labels },
      spec: row.spec,
    },
    seat,
    rank: row.rank,
    worldSize: row.world_size,
    masterNode: row.master_node,
  };
}

/** An intent that is settled already stays as it is. A refused pod occupies nothing: it never came to be. */
export async function storeIntentOutcomes(
  database: DataSource,
  leadership: Leadership,
  outcomes: readonly { readonly id: string; readonly outcome: IntentOutcome }[],
): Promise<void> {
  const answers = JSON.stringify(
    outcomes.map(({ id, outcome }) => ({
      id,
      ...outcome,
      ...(outcome.kind === 'refused' ? { why: storableText(outcome.why) } : {}),
    })),
  );
  await inTerm(database, leadership, async (transaction) => {
    const refused: { workload: string; node: string }[] = await transaction.query(
      `WITH refused AS (
         UPDATE pods p SET state = 'refused', occupied = false, outcome = 'failed', blame = 'scheduler', detail = a.why,
           refusal = a.retry, ended_at = now()
         FROM jsonb_to_recordset($1::jsonb) AS a(id bigint, kind text, why text, retry text)
         JOIN outbox o ON o.id = a.id AND o.state IN ('pending', 'dropped')
         WHERE a.kind = 'refused' AND p.name = o.pod AND p.occupied RETURNING p.workload, p.node
       ) SELECT workload, node FROM refused`,
      [answers],
    );
    await transaction.query(
      `UPDATE outbox o SET attempts = o.attempts + 1,
         state = CASE a.kind WHEN 'done' THEN 'done' WHEN 'refused' THEN 'refused' ELSE o.state END,
         next_attempt_at = now() + coalesce(a."inMs", 0) * interval '1 millisecond'
       FROM jsonb_to_recordset($1::jsonb) AS a(id bigint, kind text, "inMs" float8)
       WHERE o.id = a.id AND o.state IN ('pending', 'dropped')`,
      [answers],
    );
    // Created on a node that was fenced meanwhile: nothing counts it, so it must go.
    await transaction.query(
      `INSERT INTO outbox (epoch, set_id, kind, pod)
       SELECT $2, o.set_id, 'delete-pod', p.name FROM jsonb_to_recordset($1::jsonb) AS a(id bigint, kind text)
       JOIN outbox o ON o.id = a.id AND o.kind = 'create-pod' JOIN pods p ON p.name = o.pod AND NOT p.occupied
       WHERE a.kind = 'done' ON CONFLICT (pod, kind) DO UPDATE SET state = 'pending', next_attempt_at = now()`,
      [answers, leadership.epoch],
    );
    await admitWaitingPods(transaction, [...new Set(refused.map(({ node }) => node))]);
    const workloads = refused.map(({ workload }) => workload);
    await appendAudits(transaction, await followPods(transaction, workloads));
    await tellChanges(
      transaction,
      refused.flatMap(({ workload, node }) => [`workload:${workload}`, `node:${node}`]),
    );
  });
}
