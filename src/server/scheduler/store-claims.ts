import type { EntityManager } from 'typeorm';
import type { Charge, PodRef } from '../../core/index.js';
import type { Of } from './decisions-of-kind.js';
import { podNameOf } from './pod-name.js';
import type { RankedPod } from './ranked-pods.js';

export interface EndedClaims {
  readonly nodes: readonly string[];
  /** Names of pods that still waited: they never came, so nobody will observe that they are gone. */
  readonly neverCame: ReadonlySet<string>;
}

/** Ends claims and charges; what still occupies its node is to be deleted. */
export async function endClaims(
  transaction: EntityManager,
  epoch: number,
  ends: readonly (Of<'evict'> | Of<'release'> | Of<'shrink'>)[],
): Promise<EndedClaims> {
  const pods = ends.flatMap((end) => end.pods.map((pod) => ({ set: end.set, pod: podNameOf(pod) })));
  const ended: { name: string; node: string; waited: boolean }[] = await transaction.query(
    `WITH held AS (SELECT name, state FROM pods WHERE name = ANY($1) AND claimed ORDER BY name FOR UPDATE),
     ended AS (
       UPDATE pods p SET claimed = false,
         state = CASE WHEN p.state = 'waiting' THEN 'gone' WHEN p.occupied AND p.ended_at IS NULL THEN 'leaving' ELSE p.state END,
         outcome = CASE p.state WHEN 'waiting' THEN 'deleted' ELSE p.outcome END,
         blame = CASE p.state WHEN 'waiting' THEN 'scheduler' ELSE p.blame END,
         ended_at = CASE p.state WHEN 'waiting' THEN now() ELSE p.ended_at END
       FROM held WHERE p.name = held.name RETURNING p.name, p.node, held.state = 'waiting' AS waited
     ) SELECT name, node, waited FROM ended`,
    [pods.map(({ pod }) => pod)],
  );
  await transaction.query(
    `INSERT INTO outbox (epoch, set_id, kind, pod)
     SELECT $1, e.set, 'delete-pod', p.name FROM jsonb_to_recordset($2::jsonb) AS e("set" bigint, pod text)
     JOIN pods p ON p.name = e.pod AND p.occupied ORDER BY p.name ON CONFLICT DO NOTHING`,
    [epoch, JSON.stringify(pods)],
  );
  await changeCharges(transaction, ends, -1);
  return {
    nodes: [...new Set(ended.map(({ node }) => node))],
    neverCame: new Set(ended.flatMap(({ name, waited }) => (waited ? [name] : []))),
  };
}

export async function changeCharges(
  transaction: EntityManager,
  decisions: readonly { readonly workload: string; readonly charges: readonly Charge[] }[],
  sign: 1 | -1,
): Promise<void> {
  const changes = decisions.flatMap(({ workload, charges }) =>
    charges.map(({ queue, flavor, milli }) => ({ workload, queue, flavor, milli: sign * milli })),
  );
  if (changes.length === 0) return;
  await transaction.query(
    `MERGE INTO charges c USING (
       SELECT workload, queue, flavor, sum(milli) AS milli
       FROM jsonb_to_recordset($1::jsonb) AS x(workload uuid, queue text, flavor text, milli bigint)
       GROUP BY workload, queue, flavor
     ) x ON c.workload = x.workload AND c.queue = x.queue AND c.flavor = x.flavor
     WHEN MATCHED AND c.milli + x.milli = 0 THEN DELETE
     WHEN MATCHED THEN UPDATE SET milli = c.milli + x.milli
     WHEN NOT MATCHED THEN INSERT VALUES (x.workload, x.queue, x.flavor, x.milli)`,
    [JSON.stringify(changes)],
  );
}

/**
 * Born without claim, then claimed: the trigger of the claim counts slots and nodes, and refuses what does not fit.
 * A pod that waits for others on its node claims only; its occupancy and its creation come when those are gone.
 */
export async function insertPods(
  transaction: EntityManager,
  epoch: number,
  pods: readonly (RankedPod & { readonly waitsFor: readonly PodRef[] })[],
): Promise<void> {
  const json = JSON.stringify(pods.map((pod) => ({ ...pod, waitsFor: pod.waitsFor.map(podNameOf) })));
  await transaction.query(
    `INSERT INTO pods (name, workload, incarnation, pod_set, index, rank, world_size, node, cpu_milli, memory_mib,
       epoch, waits_for)
     SELECT p.name, p.workload, p.incarnation, p."podSet", p.index, p.rank, p."worldSize", p.node, p."cpuMilli",
       p."memoryMib", $1, (SELECT array_agg(v.name ORDER BY v.name) FROM pods v
         WHERE v.node = p.node AND v.occupied AND p."waitsFor" ? v.name)
     FROM jsonb_to_recordset($2::jsonb) AS p(name text, workload uuid, incarnation integer, "podSet" text,
       index integer, rank integer, "worldSize" integer, node text, "cpuMilli" bigint, "memoryMib" bigint,
       "waitsFor" jsonb)`,
    [epoch, json],
  );
  await transaction.query(
    `INSERT INTO pod_slots (pod, node, slot, milli, profile, position)
     SELECT p.name, p.node, s.slot, s.milli, s.profile, s.position FROM jsonb_to_recordset($1::jsonb) AS p(name text, node text, slots jsonb),
       jsonb_to_recordset(p.slots) AS s(slot integer, milli integer, profile text, position integer)`,
    [json],
  );
  await transaction.query(
    `UPDATE pods SET claimed = true, occupied = waits_for IS NULL,
       state = CASE WHEN waits_for IS NULL THEN state ELSE 'waiting' END WHERE name = ANY($1)`,
    [pods.map(({ name }) => name)],
  );
  await transaction.query(
    `INSERT INTO outbox (epoch, set_id, kind, pod)
     SELECT $1, p.set, 'create-pod', p.name FROM jsonb_to_recordset($2::jsonb)
       AS p("set" bigint, name text, rank integer) ORDER BY p.set, p.rank`,
    [epoch, json],
  );
}
