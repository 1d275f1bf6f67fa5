import type { EntityManager } from 'typeorm';
import { isForDisplay, type Decision } from '../../core/index.js';
import type { WorkloadDocument } from '../workloads/workload.schema.js';
import { appendAudits } from '../audit/audit-entry.js';
import { auditsOf } from './audit-decisions.js';
import { ofKind, type Of } from './decisions-of-kind.js';
import { beneficiaryName, evictionSentence } from './eviction-sentences.js';
import { followPods } from './follow-pods.js';
import type { DecisionSet, Leadership } from './ledger.js';
import type { LockedBooks } from './locked-books.js';
import { rankedPods } from './ranked-pods.js';
import { changeCharges, endClaims, insertPods } from './store-claims.js';
import { storeDisplays } from './store-displays.js';
import { storeResizes } from './store-resizes.js';
import { tellChanges } from './tell-changes.js';

export interface Storing {
  readonly leadership: Leadership;
  readonly books: LockedBooks;
  readonly sets: readonly DecisionSet[];
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Stores sets that were judged, each table by one statement: what ends before what starts, so that a set may give to
 * one workload what it takes from another. Constraints and triggers have the last word and throw. Answers with the
 * names of the pods whose claims ended while they still waited.
 */
export async function storeDecisions(transaction: EntityManager, storing: Storing): Promise<ReadonlySet<string>> {
  const decisions = storing.sets.flatMap((set) => set.decisions);
  const lasting = decisions.filter((decision) => !isForDisplay(decision));
  const neverCame = lasting.length === 0 ? NOBODY : await storeLasting(transaction, storing, lasting);
  await storeDisplays(transaction, decisions);
  return neverCame;
}

async function storeLasting(
  transaction: EntityManager,
  storing: Storing,
  decisions: readonly Decision[],
): Promise<ReadonlySet<string>> {
  const { epoch } = storing.leadership;
  const starts = ofKind(decisions, 'start');
  const growths = ofKind(decisions, 'grow');
  const shrinkages = ofKind(decisions, 'shrink');
  const evictions = ofKind(decisions, 'evict');
  const releases = ofKind(decisions, 'release');
  const finishes = ofKind(decisions, 'finish');
  await storeBodies(transaction, storing, decisions);
  const { nodes, neverCame } = await endClaims(transaction, epoch, [...evictions, ...shrinkages, ...releases]);
  await evictWorkloads(transaction, storing, evictions);
  await startWorkloads(transaction, storing, starts);
  await storeResizes(transaction, { epoch, growths, shrinkages, releases });
  await finishWorkloads(transaction, finishes);
  const left = [...evictions, ...shrinkages, ...releases].map(({ workload }) => workload);
  const followed = await followPods(transaction, left);
  const decided = auditsOf(storing, [...evictions, ...shrinkages, ...starts, ...growths, ...finishes]);
  await appendAudits(transaction, [...followed, ...decided]);
  const taken = [...starts, ...growths].flatMap(({ seats }) => seats.map(({ node }) => node));
  await tellChanges(transaction, [
    ...decisions.map(({ workload }) => `workload:${workload}`),
    ...[...nodes, ...taken].map((node) => `node:${node}`),
  ]);
  return neverCame;
}

async function storeBodies(
  transaction: EntityManager,
  { leadership, sets }: Storing,
  decisions: readonly Decision[],
): Promise<void> {
  const atOf = new Map(sets.map(({ set, atMs }) => [set, atMs]));
  await transaction.query(
    `INSERT INTO decisions (epoch, id, set_id, kind, workload, body, at)
     SELECT $1, (d.body ->> 'id')::bigint, (d.body ->> 'set')::bigint, d.body ->> 'kind',
       (d.body ->> 'workload')::uuid, d.body, to_timestamp(d."atMs" / 1000.0)
     FROM jsonb_to_recordset($2::jsonb) AS d(body jsonb, "atMs" bigint)`,
    [leadership.epoch, JSON.stringify(decisions.map((body) => ({ body, atMs: atOf.get(body.set) })))],
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

async function evictWorkloads(
  transaction: EntityManager,
  { books: { workloads }, sets }: Storing,
  evictions: readonly Of<'evict'>[],
): Promise<void> {
  if (evictions.length === 0) return;
  const atOf = new Map(sets.map(({ set, atMs }) => [set, atMs]));
  const rows = evictions.map((eviction) => {
    const { workload, reason, then, retries, notBeforeMs } = eviction;
    const victim = workloads.get(workload);
    const beneficiary = eviction.for === undefined ? undefined : workloads.get(eviction.for);
    const name = victim === undefined ? undefined : beneficiaryName(victim, beneficiary);
    return {
      workload,
      reason,
      ending: then === 'requeue' ? null : then,
      retries,
      notBeforeMs: notBeforeMs ?? null,
      sentence: evictionSentence(reason, name) ?? null,
      at: new Date(atOf.get(eviction.set) ?? 0).toISOString(),
    };
  });
  await transaction.query(
    `UPDATE workloads w SET state = 'evicting', ending = e.ending, reason = e.reason, retries = e.retries,
       not_before = to_timestamp(e."notBeforeMs" / 1000.0), message = coalesce(e.sentence, ${FAILURE_SENTENCE}),
       last_eviction = CASE WHEN e.ending IS NULL
         THEN jsonb_build_object('at', e.at, 'reason', e.reason, 'message', coalesce(e.sentence, ${FAILURE_SENTENCE}))
         ELSE w.last_eviction END
     FROM jsonb_to_recordset($1::jsonb) AS e(workload uuid, reason text, ending text, retries integer,
       "notBeforeMs" bigint, sentence text, at text)
     WHERE w.uid = e.workload`,
    [JSON.stringify(rows)],
  );
}

async function startWorkloads(
  transaction: EntityManager,
  { leadership: { epoch }, sets }: Storing,
  starts: readonly Of<'start'>[],
): Promise<void> {
  if (starts.length === 0) return;
  const atOf = new Map(sets.map(({ set, atMs }) => [set, atMs]));
  const specs: { uid: string; spec: WorkloadDocument['spec'] }[] = await transaction.query(
    `WITH started AS (
       UPDATE workloads w SET state = 'starting', incarnation = s.incarnation,
         incarnation_at = to_timestamp(s."atMs" / 1000.0), round = 0, ending = NULL, not_before = NULL, planned_start = NULL,
         reason = '', message = ''
       FROM jsonb_to_recordset($1::jsonb) AS s(workload uuid, incarnation integer, "atMs" bigint)
       WHERE w.uid = s.workload RETURNING w.uid, w.spec
     ) SELECT uid, spec FROM started`,
    [JSON.stringify(starts.map(({ set, workload, incarnation }) => ({ workload, incarnation, atMs: atOf.get(set) })))],
  );
  const specOf = new Map(specs.map(({ uid, spec }) => [uid, spec]));
  const pods = starts.flatMap(({ set, workload, seats, waitsFor }) => {
    const podSets = specOf.get(workload)?.podSets ?? [];
    const ranked = rankedPods(seats, { set, firstRank: 0, worldSize: seats.length, podSets });
    return ranked.map((pod) => ({ ...pod, waitsFor }));
  });
  await insertPods(transaction, epoch, pods);
  await changeCharges(transaction, starts, 1);
}

async function finishWorkloads(transaction: EntityManager, finishes: readonly Of<'finish'>[]): Promise<void> {
  if (finishes.length === 0) return;
  await transaction.query(
    `UPDATE workloads w SET state = f.outcome, ending = NULL, finished_at = now(), planned_start = NULL,
       reason = CASE f.outcome WHEN 'succeeded' THEN '' ELSE f.outcome END,
       message = CASE f.outcome WHEN 'failed' THEN ${FAILURE_SENTENCE} ELSE '' END
     FROM jsonb_to_recordset($1::jsonb) AS f(workload uuid, outcome text)
     WHERE w.uid = f.workload`,
    [JSON.stringify(finishes.map(({ workload, outcome }) => ({ workload, outcome })))],
  );
}
