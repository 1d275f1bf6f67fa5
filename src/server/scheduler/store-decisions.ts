import type { EntityManager } from 'typeorm';
import type { Charge, Decision, PodRef } from '../../core/index.js';
import { teamChain } from '../audit/audit-entry.js';
import type { WorkloadDocument } from '../workloads/workload.schema.js';
import { followPods } from './follow-pods.js';
import type { DecisionSet, Leadership } from './ledger.js';
import type { LockedBooks } from './locked-books.js';
import { podNameOf } from './pod-name.js';
import { rankedPods } from './ranked-pods.js';
import { tellChanges } from './tell-changes.js';
import { WAIT_SENTENCES } from './wait-sentences.js';

type Of<Kind extends Decision['kind']> = Extract<Decision, { readonly kind: Kind }>;

interface Storing {
  readonly leadership: Leadership;
  readonly books: LockedBooks;
  readonly sets: readonly DecisionSet[];
}

/**
 * Stores sets that were judged, each table by one statement: what ends before what starts, so that a set may give to
 * one workload what it takes from another. Constraints and triggers have the last word and throw.
 */
export async function storeDecisions(transaction: EntityManager, storing: Storing): Promise<void> {
  const { leadership, sets } = storing;
  const { epoch } = leadership;
  const decisions = sets.flatMap((set) => set.decisions);
  const starts = ofKind(decisions, 'start');
  const evictions = ofKind(decisions, 'evict');
  const releases = ofKind(decisions, 'release');
  const finishes = ofKind(decisions, 'finish');
  const waits = ofKind(decisions, 'wait');
  // Words for display are no decisions about anybody's right: they live in the workload's row alone.
  const lasting = decisions.filter(({ kind }) => kind !== 'wait');
  if (lasting.length > 0) {
    await storeBodies(transaction, epoch, lasting);
    const nodes = await endClaims(transaction, epoch, [...evictions, ...releases]);
    await evictWorkloads(transaction, evictions);
    await startWorkloads(transaction, epoch, starts);
    await finishWorkloads(transaction, finishes);
    await followPods(
      transaction,
      evictions.map(({ workload }) => workload),
    );
    await appendToAudit(transaction, storing, [...evictions, ...starts, ...finishes]);
    await tellChanges(transaction, [
      ...lasting.map(({ workload }) => `workload:${workload}`),
      ...[...nodes, ...starts.flatMap(({ seats }) => seats.map(({ node }) => node))].map((node) => `node:${node}`),
    ]);
  }
  await storeWaits(transaction, waits);
}

function ofKind<Kind extends Decision['kind']>(decisions: readonly Decision[], kind: Kind): readonly Of<Kind>[] {
  return decisions.filter((decision): decision is Of<Kind> => decision.kind === kind);
}

async function storeBodies(transaction: EntityManager, epoch: number, decisions: readonly Decision[]): Promise<void> {
  await transaction.query(
    `INSERT INTO decisions (epoch, id, set_id, kind, workload, body)
     SELECT $1, (d ->> 'id')::bigint, (d ->> 'set')::bigint, d ->> 'kind', (d ->> 'workload')::uuid, d
     FROM jsonb_array_elements($2::jsonb) d`,
    [epoch, JSON.stringify(decisions)],
  );
}

/** Ends claims and charges; what still occupies its node is to be deleted. Answers with the nodes. */
async function endClaims(
  transaction: EntityManager,
  epoch: number,
  ends: readonly (Of<'evict'> | Of<'release'>)[],
): Promise<readonly string[]> {
  const pods = ends.flatMap((end) => end.pods.map((pod) => ({ set: end.set, pod: podNameOf(pod) })));
  const left: { node: string }[] = await transaction.query(
    `WITH left_pods AS (
       UPDATE pods SET claimed = false, state = CASE WHEN occupied AND ended_at IS NULL THEN 'leaving' ELSE state END
       WHERE name = ANY($1) AND claimed RETURNING node
     ) SELECT DISTINCT node FROM left_pods`,
    [pods.map(({ pod }) => pod)],
  );
  await transaction.query(
    `INSERT INTO outbox (epoch, set_id, kind, pod)
     SELECT $1, e.set, 'delete-pod', p.name FROM jsonb_to_recordset($2::jsonb) AS e("set" bigint, pod text)
     JOIN pods p ON p.name = e.pod AND p.occupied ORDER BY p.name ON CONFLICT DO NOTHING`,
    [epoch, JSON.stringify(pods)],
  );
  await changeCharges(transaction, ends, -1);
  return left.map(({ node }) => node);
}

async function changeCharges(
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
 * The sentence of an incarnation that went wrong: what its program reported, else what the driver saw of the first pod
 * that ended badly. Completed with `WHERE`-bound names `w` of the workload.
 */
const FAILURE_SENTENCE = `coalesce(
  (SELECT g.failure FROM progress g WHERE g.workload = w.uid AND g.incarnation = w.incarnation
     AND g.failure IS NOT NULL ORDER BY g.reported_at, g.rank LIMIT 1),
  (SELECT p.detail FROM pods p WHERE p.workload = w.uid AND p.incarnation = w.incarnation AND p.detail IS NOT NULL
     AND p.outcome <> 'succeeded' ORDER BY p.ended_at, p.rank LIMIT 1),
  '')`;

async function evictWorkloads(transaction: EntityManager, evictions: readonly Of<'evict'>[]): Promise<void> {
  const rows = evictions.map(({ workload, reason, then, retries, notBeforeMs }) => {
    return { workload, reason, ending: then === 'requeue' ? null : then, retries, notBeforeMs: notBeforeMs ?? null };
  });
  if (rows.length === 0) return;
  await transaction.query(
    `UPDATE workloads w SET state = 'evicting', ending = e.ending, reason = e.reason, retries = e.retries,
       not_before = to_timestamp(e."notBeforeMs" / 1000.0),
       message = CASE e.reason WHEN 'cancelled' THEN '' ELSE ${FAILURE_SENTENCE} END
     FROM jsonb_to_recordset($1::jsonb)
       AS e(workload uuid, reason text, ending text, retries integer, "notBeforeMs" bigint)
     WHERE w.uid = e.workload`,
    [JSON.stringify(rows)],
  );
}

async function startWorkloads(
  transaction: EntityManager,
  epoch: number,
  starts: readonly Of<'start'>[],
): Promise<void> {
  if (starts.length === 0) return;
  const specs: { uid: string; spec: WorkloadDocument['spec'] }[] = await transaction.query(
    `WITH started AS (
       UPDATE workloads w SET state = 'starting', incarnation = s.incarnation, ending = NULL, not_before = NULL,
         reason = '', message = ''
       FROM jsonb_to_recordset($1::jsonb) AS s(workload uuid, incarnation integer)
       WHERE w.uid = s.workload RETURNING w.uid, w.spec
     ) SELECT uid, spec FROM started`,
    [JSON.stringify(starts.map(({ workload, incarnation }) => ({ workload, incarnation })))],
  );
  const specOf = new Map(specs.map(({ uid, spec }) => [uid, spec]));
  const pods = starts.flatMap((start) => rankedPods(start, specOf.get(start.workload)?.podSets ?? []));
  await insertPods(transaction, epoch, pods);
  await changeCharges(transaction, starts, 1);
}

/** Born without claim, then claimed: the trigger of the claim counts slots and nodes, and refuses what does not fit. */
async function insertPods(
  transaction: EntityManager,
  epoch: number,
  pods: readonly ReturnType<typeof rankedPods>[number][],
): Promise<void> {
  const json = JSON.stringify(pods);
  await transaction.query(
    `INSERT INTO pods (name, workload, incarnation, pod_set, index, rank, world_size, node, cpu_milli, memory_mib,
       epoch)
     SELECT p.*, $1 FROM jsonb_to_recordset($2::jsonb) AS p(name text, workload uuid, incarnation integer,
       "podSet" text, index integer, rank integer, "worldSize" integer, node text, "cpuMilli" bigint,
       "memoryMib" bigint)`,
    [epoch, json],
  );
  await transaction.query(
    `INSERT INTO pod_slots (pod, node, slot, milli)
     SELECT p.name, p.node, s.slot, s.milli FROM jsonb_to_recordset($1::jsonb) AS p(name text, node text, slots jsonb),
       jsonb_to_recordset(p.slots) AS s(slot integer, milli integer)`,
    [json],
  );
  await transaction.query('UPDATE pods SET claimed = true, occupied = true WHERE name = ANY($1)', [
    pods.map(({ name }) => name),
  ]);
  await transaction.query(
    `INSERT INTO outbox (epoch, set_id, kind, pod)
     SELECT $1, p.set, 'create-pod', p.name FROM jsonb_to_recordset($2::jsonb)
       AS p("set" bigint, name text, rank integer) ORDER BY p.set, p.rank`,
    [epoch, json],
  );
}

async function finishWorkloads(transaction: EntityManager, finishes: readonly Of<'finish'>[]): Promise<void> {
  if (finishes.length === 0) return;
  await transaction.query(
    `UPDATE workloads w SET state = f.outcome, ending = NULL, finished_at = now(),
       reason = CASE f.outcome WHEN 'succeeded' THEN '' ELSE f.outcome END,
       message = CASE f.outcome WHEN 'failed' THEN ${FAILURE_SENTENCE} ELSE '' END
     FROM jsonb_to_recordset($1::jsonb) AS f(workload uuid, outcome text)
     WHERE w.uid = f.workload`,
    [JSON.stringify(finishes.map(({ workload, outcome }) => ({ workload, outcome })))],
  );
}

/** A workload that has started in between is not told why it waits. In its backoff it shows still what went wrong. */
async function storeWaits(transaction: EntityManager, waits: readonly Of<'wait'>[]): Promise<void> {
  for (const { workloads, binding, because } of waits) {
    const told: { uid: string }[] = await transaction.query(
      `WITH told AS (
         UPDATE workloads SET reason = $2, message = CASE WHEN $4 AND message <> '' THEN message ELSE $3 END
         WHERE uid = ANY($1::uuid[]) AND state = 'pending' RETURNING uid
       ) SELECT uid FROM told`,
      [workloads, binding, WAIT_SENTENCES[binding], because.rule === 'backoff'],
    );
    await tellChanges(
      transaction,
      told.map(({ uid }) => `workload:${uid}`),
    );
  }
}

/** One row for each change of a workload's state that was decided, in the chain of its team. */
async function appendToAudit(
  transaction: EntityManager,
  { books: { workloads }, sets }: Storing,
  decisions: readonly (Of<'start'> | Of<'evict'> | Of<'finish'>)[],
): Promise<void> {
  const policyOf = new Map(sets.map(({ set, policy }) => [set, policy]));
  const entries = decisions.map((decision, order) => {
    const workload = workloads.get(decision.workload);
    return {
      order,
      chain: teamChain(workload?.team ?? ''),
      action: `workload.${decision.kind}`,
      subject: `workload/${workload?.name ?? ''}`,
      before: { state: workload?.state, incarnation: workload?.incarnation },
      after: auditedOf(decision),
      reason: decision.kind === 'evict' ? decision.reason : decision.because.rule,
      policy: policyOf.get(decision.set),
    };
  });
  await transaction.query(
    `SELECT audit_append(e.chain, 'scheduler', e.action, e.subject, e.before, e.after, e.reason, NULL, e.policy)
     FROM (SELECT * FROM jsonb_to_recordset($1::jsonb) AS x("order" integer, chain text, action text, subject text,
       before jsonb, after jsonb, reason text, policy text) ORDER BY chain COLLATE "C", "order") e`,
    [JSON.stringify(entries)],
  );
}

function auditedOf(decision: Of<'start'> | Of<'evict'> | Of<'finish'>): Readonly<Record<string, unknown>> {
  switch (decision.kind) {
    case 'start': {
      const { incarnation, seats, charges } = decision;
      return {
        state: 'starting',
        incarnation,
        seats: seats.map(({ pod, node, slots }) => seatText(pod, node, slots)),
        charges,
      };
    }
    case 'evict':
      return { state: 'evicting', incarnation: decision.incarnation, then: decision.then, pods: decision.pods.length };
    case 'finish':
      return { state: decision.outcome };
  }
}

/** `worker-0 on node-1 slots 2,3`: enough to find who held what, at a fraction of the decision's body. */
function seatText({ podSet, index }: PodRef, node: string, slots: readonly { readonly slot: number }[]): string {
  const held = slots.length === 0 ? '' : ` slots ${slots.map(({ slot }) => slot).join(',')}`;
  return `${podSet}-${index} on ${node}${held}`;
}
