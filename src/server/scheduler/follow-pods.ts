import type { EntityManager } from 'typeorm';
import { teamChain, type AuditEntry } from '../audit/audit-entry.js';

interface FollowingRow {
  readonly team: string;
  readonly name: string;
  readonly incarnation: number;
}

/**
 * What becomes of workloads by their pods alone, without a decision: `starting` runs when all its pods have started or
 * ended, `evicting` waits again when nothing of it is left on a node that answers. Silent nodes (lost or removed) are
 * not waited for, until they answer again. The core knows the same by the same rules (`core/lifecycle`). Answers with
 * what is to be audited.
 */
export async function followPods(
  transaction: EntityManager,
  workloads: readonly string[],
): Promise<readonly AuditEntry[]> {
  if (workloads.length === 0) return [];
  const running: FollowingRow[] = await transaction.query(
    `WITH followed AS (UPDATE workloads w SET state = 'running', started_at = coalesce(w.started_at, now()), reason = '', message = ''
     WHERE w.uid = ANY($1::uuid[]) AND w.state = 'starting'
       AND EXISTS (SELECT FROM pods p WHERE p.workload = w.uid AND p.incarnation = w.incarnation AND p.claimed
         AND p.started_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM pods p JOIN nodes n ON n.name = p.node WHERE p.workload = w.uid
         AND p.incarnation = w.incarnation AND p.claimed AND p.state IN ('waiting', 'expected', 'bound')
         AND n.state <> 'lost' AND n.removed_at IS NULL)
     RETURNING w.team, w.name, w.incarnation) SELECT * FROM followed`,
    [workloads],
  );
  const waiting: FollowingRow[] = await transaction.query(
    `WITH followed AS (UPDATE workloads w SET state = 'pending'
     WHERE w.uid = ANY($1::uuid[]) AND w.state = 'evicting' AND w.ending IS NULL
       AND NOT EXISTS (SELECT FROM pods p JOIN nodes n ON n.name = p.node WHERE p.workload = w.uid AND p.occupied
         AND n.state <> 'lost' AND n.removed_at IS NULL)
     RETURNING w.team, w.name, w.incarnation) SELECT * FROM followed`,
    [workloads],
  );
  const leaving: FollowingRow[] = await transaction.query(
    `WITH followed AS (UPDATE workloads w SET state = 'evicting'
     WHERE w.uid = ANY($1::uuid[]) AND w.state = 'pending'
       AND EXISTS (SELECT FROM pods p JOIN nodes n ON n.name = p.node WHERE p.workload = w.uid AND p.occupied
         AND n.state <> 'lost' AND n.removed_at IS NULL)
     RETURNING w.team, w.name, w.incarnation) SELECT * FROM followed`,
    [workloads],
  );
  return [
    ...running.map((row) => entryOf(row, 'run', 'running')),
    ...waiting.map((row) => entryOf(row, 'requeue', 'pending')),
    ...leaving.map((row) => entryOf(row, 'await', 'evicting')),
  ];
}

function entryOf(
  { team, name, incarnation }: FollowingRow,
  verb: 'run' | 'requeue' | 'await',
  state: 'running' | 'pending' | 'evicting',
): AuditEntry {
  return {
    chain: teamChain(team),
    actor: 'scheduler',
    action: `workload.${verb}`,
    subject: `workload/${name}`,
    after: { state, incarnation },
  };
}
