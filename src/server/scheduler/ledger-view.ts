import type { EntityManager } from 'typeorm';
import type { FlavorSpec } from '../../core/index.js';
import type { FoundWorkload, LedgerView, PlacedPod } from '../../cluster/cluster.js';
import { SLOTS_OF_POD } from './slots-of-pod.js';

/** What the driver needs to find workloads among pods that others made. */
export async function readLedgerView(transaction: EntityManager): Promise<LedgerView> {
  const queues: { name: string; team: string | null; isLeaf: boolean }[] = await transaction.query(
    `SELECT q.name, q.team, NOT EXISTS (SELECT FROM queues c WHERE c.parent = q.name) AS "isLeaf" FROM queues q
     ORDER BY q.name COLLATE "C"`,
  );
  const teams: { name: string }[] = await transaction.query('SELECT name FROM teams ORDER BY name COLLATE "C"');
  const found: FoundWorkload[] = await transaction.query(
    // A pod that has ended may be deleted by anybody, and is not missed.
    `SELECT w.uid AS workload, jsonb_object_agg(s.pod_set, (
       SELECT coalesce(jsonb_agg(f.pod ORDER BY f.place), '[]')
       FROM jsonb_array_elements(s.pods) WITH ORDINALITY AS f(pod, place)
       WHERE NOT EXISTS (SELECT FROM pods p WHERE p.workload = w.uid AND p.incarnation = w.incarnation
         AND p.pod_set = s.pod_set AND p.index = f.place - 1 AND p.ended_at IS NOT NULL))) AS pods
     FROM workloads w, jsonb_each(w.found -> 'pods') AS s(pod_set, pods)
     WHERE w.found IS NOT NULL AND w.finished_at IS NULL
     GROUP BY w.uid, w.created_at ORDER BY w.created_at, w.uid`,
  );
  return {
    flavors: await readFlavors(transaction),
    queues: queues.map(({ team, ...queue }) => ({ ...queue, ...(team === null ? {} : { team }) })),
    teams: teams.map(({ name }) => name),
    found,
    placed: await readPlacedPods(transaction),
  };
}

function readPlacedPods(transaction: EntityManager): Promise<readonly PlacedPod[]> {
  return transaction.query(
    `SELECT w.found #>> ARRAY['pods', p.pod_set, p.index::text, 'uid'] AS uid, jsonb_build_object('workload', p.workload,
       'incarnation', p.incarnation, 'podSet', p.pod_set, 'index', p.index) AS pod, p.node,
       coalesce((SELECT jsonb_agg(s -> 'slot') FROM jsonb_array_elements(slots.slots) s), '[]') AS slots
     FROM pods p JOIN workloads w ON w.uid = p.workload AND w.found IS NOT NULL
     ${SLOTS_OF_POD}
     WHERE p.occupied ORDER BY p.name COLLATE "C"`,
  );
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
