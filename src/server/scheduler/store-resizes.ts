import type { EntityManager } from 'typeorm';
import type { WorkloadDocument } from '../workloads/workload.schema.js';
import type { Of } from './decisions-of-kind.js';
import { rankedPods } from './ranked-pods.js';
import { changeCharges, insertPods } from './store-claims.js';

interface Resizes {
  readonly epoch: number;
  readonly growths: readonly Of<'grow'>[];
  /** Of these, claims and charges have ended already. */
  readonly shrinkages: readonly Of<'shrink'>[];
  readonly releases: readonly Of<'release'>[];
}

interface ResizedRow {
  readonly uid: string;
  readonly spec: WorkloadDocument['spec'];
  readonly next_rank: number;
  readonly members: number;
}

/**
 * Each change of the members of an incarnation is its next round: new pods take the ranks after all that ever were in
 * it, and every member learns the size of its world. Ranks of those that left are not given again.
 */
export async function storeResizes(transaction: EntityManager, resizes: Resizes): Promise<void> {
  const { epoch, growths, shrinkages, releases } = resizes;
  const changes = [...growths, ...shrinkages, ...releases].map(({ workload }) => workload);
  if (changes.length === 0) return;
  const resized = [...new Set(changes)];
  const rows: ResizedRow[] = await transaction.query(
    `WITH resized AS (
       UPDATE workloads w SET round = w.round + c.changes
       FROM (SELECT uid, count(*) AS changes FROM unnest($1::uuid[]) uid GROUP BY uid) c
       WHERE w.uid = c.uid RETURNING w.uid, w.spec, w.incarnation
     ) SELECT r.uid, r.spec, p.next_rank, p.members FROM resized r, LATERAL (
       SELECT coalesce(max(p.rank), -1) + 1 AS next_rank, (count(*) FILTER (WHERE p.claimed))::integer AS members
       FROM pods p WHERE p.workload = r.uid AND p.incarnation = r.incarnation) p`,
    [changes],
  );
  const rowOf = new Map(rows.map((row) => [row.uid, row]));
  const pods = growths.flatMap(({ set, workload, seats, waitsFor }) => {
    const { next_rank: firstRank = 0, members = 0, spec } = rowOf.get(workload) ?? {};
    const worldSize = members + seats.length;
    return rankedPods(seats, { set, firstRank, worldSize, podSets: spec?.podSets ?? [] }).map((pod) => {
      return { ...pod, waitsFor };
    });
  });
  if (pods.length > 0) await insertPods(transaction, epoch, pods);
  await changeCharges(transaction, growths, 1);
  await transaction.query(
    `UPDATE pods p SET world_size = m.members FROM workloads w, LATERAL (
       SELECT count(*) AS members FROM pods c WHERE c.workload = w.uid AND c.incarnation = w.incarnation AND c.claimed) m
     WHERE w.uid = ANY($1::uuid[]) AND p.workload = w.uid AND p.incarnation = w.incarnation AND p.claimed`,
    [resized],
  );
}
