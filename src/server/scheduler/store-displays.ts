import type { EntityManager } from 'typeorm';
import type { Decision } from '../../core/index.js';
import { ofKind, type Of } from './decisions-of-kind.js';
import { tellChanges } from './tell-changes.js';
import { WAIT_SENTENCES } from './wait-sentences.js';

/** What is said for display only: why workloads wait, and when they are expected to start. */
export async function storeDisplays(transaction: EntityManager, decisions: readonly Decision[]): Promise<void> {
  await storeWaits(transaction, ofKind(decisions, 'wait'));
  await storePlans(
    transaction,
    decisions.filter((decision) => decision.kind === 'plan' || decision.kind === 'unplan'),
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

/** The last word about each counts. A standing hold keeps what comes free, and knows no time. */
async function storePlans(
  transaction: EntityManager,
  decisions: readonly (Of<'plan'> | Of<'unplan'>)[],
): Promise<void> {
  if (decisions.length === 0) return;
  const startOf = new Map(decisions.map((decision) => [decision.workload, startMsOf(decision)]));
  const rows = [...startOf].map(([workload, startMs]) => ({ workload, startMs }));
  const told: { uid: string }[] = await transaction.query(
    `WITH told AS (
       UPDATE workloads w SET planned_start = to_timestamp(p."startMs" / 1000.0)
       FROM jsonb_to_recordset($1::jsonb) AS p(workload uuid, "startMs" bigint)
       WHERE w.uid = p.workload AND w.state IN ('pending', 'evicting') RETURNING w.uid
     ) SELECT uid FROM told`,
    [JSON.stringify(rows)],
  );
  await tellChanges(
    transaction,
    told.map(({ uid }) => `workload:${uid}`),
  );
}

function startMsOf(decision: Of<'plan'> | Of<'unplan'>): number | null {
  return decision.kind === 'plan' && decision.holds === 'from-start' ? decision.startMs : null;
}
