import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Epoch, StatusReply, StatusReport } from '../../trainer/contract.js';
import type { PodIdentity } from '../auth/principal.js';
import { storableJson } from '../../documents/storable-text.js';

export type StatusOutcome =
  | { readonly kind: 'noted'; readonly reply: StatusReply }
  | { readonly kind: 'not-this-pod' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'stale-incarnation'; readonly current: number };

/** A curve keeps its newest points. */
const EPOCHS_MAX = 1000;
/** What the scheduler is told of a workload's progress is at most so old. */
const TELL_MS = 15_000;

interface WorkloadFacts {
  readonly incarnation: number;
  readonly round: number;
  readonly evicting: boolean;
  readonly world_size: number;
  /** Of the pod that reports. */
  readonly rank: number | null;
  /** The workload has ended without this pod. Whoever ends by itself reports before that, while it is still claimed. */
  readonly is_over: boolean;
}

/** Takes what pods report: progress of the newest sequence, curves, and the final report. */
@Injectable()
export class StatusReports {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async note(pod: PodIdentity, report: StatusReport): Promise<StatusOutcome> {
    if (report.workload !== pod.workload || report.pod !== pod.pod || report.incarnation !== pod.incarnation) {
      return { kind: 'not-this-pod' };
    }
    return this.database.transaction(async (transaction) => {
      // Shared with other reports, exclusive with a new incarnation: an old one cannot slip in behind it.
      const [workload]: WorkloadFacts[] = await transaction.query(
        `SELECT incarnation, round, state = 'evicting' AS evicting, (SELECT coalesce(max(world_size) FILTER (WHERE claimed), max(world_size), 1) FROM pods p
         WHERE p.workload = w.uid AND p.incarnation = w.incarnation) AS world_size,
         (SELECT rank FROM pods p WHERE p.workload = w.uid AND p.name = $2) AS rank,
         finished_at IS NOT NULL AND NOT EXISTS (SELECT FROM pods p WHERE p.name = $2 AND p.claimed) AS is_over
         FROM workloads w WHERE uid = $1 FOR SHARE OF w`,
        [pod.workload, pod.pod],
      );
      if (workload?.incarnation !== pod.incarnation) {
        return { kind: 'stale-incarnation', current: workload?.incarnation ?? 0 };
      }
      if (workload.rank !== report.rank) return { kind: 'not-this-pod' };
      if (workload.is_over) return { kind: 'finished' };
      await store(transaction, storableJson(report));
      const { round, world_size: worldSize, evicting } = workload;
      return { kind: 'noted', reply: { round, worldSize, ...(evicting ? { stop: true } : {}) } };
    });
  }
}

/** All of it, or nothing when a newer one was here before. */
async function store(transaction: EntityManager, report: StatusReport): Promise<void> {
  if ((await storeProgress(transaction, report)) === 'stale') return;
  if (report.rank === 0) await tellScheduler(transaction, report);
  if (report.report !== undefined) await storeReport(transaction, report);
  await transaction.query(`SELECT pg_notify('berth_changed', $1)`, [`workload:${report.workload}`]);
}

async function storeProgress(transaction: EntityManager, report: StatusReport): Promise<'stored' | 'stale'> {
  const { epochs = [], report: _report, reportHtml: _html, ...body } = report;
  const [seen]: { epochs: Epoch[]; incarnation: number; sequence: string }[] = await transaction.query(
    'SELECT epochs, incarnation, sequence FROM progress WHERE workload = $1 AND rank = $2 FOR UPDATE',
    [report.workload, report.rank],
  );
  const isStale = seen?.incarnation === report.incarnation && Number(seen.sequence) >= report.sequence;
  if (isStale) return 'stale';
  await transaction.query(
    `INSERT INTO progress AS g (workload, rank, incarnation, sequence, body, epochs, failure, checkpoint_at)
     VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, CASE WHEN $5::jsonb ? 'checkpoint' THEN now() END)
     ON CONFLICT (workload, rank) DO UPDATE SET incarnation = excluded.incarnation, sequence = excluded.sequence,
       body = excluded.body, epochs = excluded.epochs, failure = excluded.failure, reported_at = now(),
       checkpoint_at = CASE WHEN g.incarnation = excluded.incarnation
         AND g.body -> 'checkpoint' IS NOT DISTINCT FROM excluded.body -> 'checkpoint'
         THEN g.checkpoint_at ELSE excluded.checkpoint_at END`,
    [
      report.workload,
      report.rank,
      report.incarnation,
      report.sequence,
      JSON.stringify(body),
      JSON.stringify(mergedEpochs(seen?.epochs ?? [], epochs)),
      report.failure ?? null,
    ],
  );
  return 'stored';
}

/**
 * How long it still needs and when it was last saved, not more often than the scheduler can use. A row that was not
 * read yet is replaced: whoever reads it is told the newest.
 */
async function tellScheduler(
  transaction: EntityManager,
  { workload, incarnation, remainingSeconds }: StatusReport,
): Promise<void> {
  const told: unknown[] = await transaction.query(
    `WITH told AS (
       UPDATE progress SET told_at = now(), told_incarnation = $2, told_checkpoint_at = checkpoint_at,
         told_end_at = now() + $3::float8 * interval '1 second'
       WHERE workload = $1 AND rank = 0
         AND (told_incarnation IS DISTINCT FROM $2 OR told_at <= now() - $4 * interval '1 millisecond')
         AND ($3::float8 IS NOT NULL OR checkpoint_at IS DISTINCT FROM told_checkpoint_at)
       RETURNING workload
     ) SELECT workload FROM told`,
    [workload, incarnation, remainingSeconds ?? null, TELL_MS],
  );
  if (told.length === 0) return;
  await transaction.query(`DELETE FROM commands WHERE kind = 'workload-progress' AND workload = $1`, [workload]);
  await transaction.query(`INSERT INTO commands (kind, workload) VALUES ('workload-progress', $1)`, [workload]);
}

/** By number; a resumed incarnation writes the epochs again that it trains again. */
export function mergedEpochs(seen: readonly Epoch[], added: readonly Epoch[]): readonly Epoch[] {
  const byNumber = new Map([...seen, ...added].map((epoch) => [epoch.epoch, epoch]));
  return [...byNumber.values()].sort((a, b) => a.epoch - b.epoch).slice(-EPOCHS_MAX);
}

async function storeReport(transaction: EntityManager, report: StatusReport): Promise<void> {
  await transaction.query(
    `INSERT INTO reports (workload, incarnation, body, html) VALUES ($1, $2, $3::jsonb, $4)
     ON CONFLICT (workload) DO UPDATE SET incarnation = excluded.incarnation, body = excluded.body,
       html = excluded.html, received_at = now()`,
    [report.workload, report.incarnation, JSON.stringify(report.report), report.reportHtml ?? null],
  );
}
