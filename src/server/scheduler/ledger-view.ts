import type { EntityManager } from 'typeorm';
import type { FlavorSpec } from '../../core/index.js';
import type { FoundWorkload, LedgerView } from '../../cluster/cluster.js';

/** What the driver needs to find workloads among pods that others made. */
export async function readLedgerView(transaction: EntityManager): Promise<LedgerView> {
  const queues: { name: string; team: string | null; isLeaf: boolean }[] = await transaction.query(
    `SELECT q.name, q.team, NOT EXISTS (SELECT FROM queues c WHERE c.parent = q.name) AS "isLeaf" FROM queues q
     ORDER BY q.name COLLATE "C"`,
  );
  const teams: { name: string }[] = await transaction.query('SELECT name FROM teams ORDER BY name COLLATE "C"');
  const found: FoundWorkload[] = await transaction.query(
    `SELECT uid AS workload, found -> 'pods' AS pods FROM workloads WHERE found IS NOT NULL AND finished_at IS NULL
     ORDER BY created_at, uid`,
  );
  return {
    flavors: await readFlavors(transaction),
    queues: queues.map(({ team, ...queue }) => ({ ...queue, ...(team === null ? {} : { team }) })),
    teams: teams.map(({ name }) => name),
    found,
  };
}

export async function readFlavors(transaction: EntityManager): Promise<readonly FlavorSpec[]> {
  const rows: { name: string; model: string | null; node_labels: Record<string, string> }[] = await transaction.query(
    'SELECT name, model, node_labels FROM flavors ORDER BY name COLLATE "C"',
  );
  return rows.map(({ name, model, node_labels: nodeLabels }) => ({
    name,
    ...(model === null ? {} : { model }),
    nodeLabels,
  }));
}
