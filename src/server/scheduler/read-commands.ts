import type { DataSource } from 'typeorm';
import type { Command, CommandCursor } from './ledger.js';
import { TOLD_PROGRESS_COLUMNS, TOLD_PROGRESS_JOIN, toldProgressOf, type ToldProgressRow } from './told-progress.js';
import { WORKLOAD_SPEC_COLUMNS, workloadSpecOf, type WorkloadSpecRow } from './workload-spec-of.js';

type CommandRow = { readonly txid: string; readonly seq: string } & (
  | ({ readonly kind: 'workload-submitted' } & WorkloadSpecRow)
  | { readonly kind: 'workload-cancelled'; readonly uid: string }
  | ({ readonly kind: 'workload-progress'; readonly uid: string } & ToldProgressRow)
  | { readonly kind: 'node-cordoned' | 'node-uncordoned'; readonly node: string; readonly is_cordoned: boolean }
  | { readonly kind: 'quotas-changed' }
);

/**
 * The next commands in the order of (txid, seq). A transaction at or above the snapshot's xmin may still commit a
 * command below one that is visible already, so nothing at or above it is read yet.
 */
export async function readCommands(
  database: DataSource,
  cursor: CommandCursor,
  limit: number,
): Promise<{ readonly commands: readonly Command[]; readonly cursor: CommandCursor }> {
  const rows: CommandRow[] = await database.query(
    `SELECT c.txid::text AS txid, c.seq::text AS seq, c.kind, c.node, n.unschedulable AS is_cordoned, ${WORKLOAD_SPEC_COLUMNS},
       ${TOLD_PROGRESS_COLUMNS}
     FROM commands c LEFT JOIN workloads w ON w.uid = c.workload LEFT JOIN nodes n ON n.name = c.node
     ${TOLD_PROGRESS_JOIN}
     WHERE (c.txid, c.seq) > ($1::xid8, $2::bigint) AND c.txid < pg_snapshot_xmin(pg_current_snapshot())
       AND (c.workload IS NULL OR w.finished_at IS NULL) AND NOT pg_visible_in_snapshot(c.txid, $3::pg_snapshot)
     ORDER BY c.txid, c.seq LIMIT $4`,
    [cursor.txid, cursor.seq, cursor.loaded, limit],
  );
  const last = rows.at(-1);
  return {
    commands: rows.flatMap((row) => commandOf(row) ?? []),
    cursor: last === undefined ? cursor : { ...cursor, txid: last.txid, seq: last.seq },
  };
}

function commandOf(row: CommandRow): Command | undefined {
  switch (row.kind) {
    case 'workload-submitted':
      return { kind: row.kind, workload: workloadSpecOf(row) };
    case 'workload-cancelled':
      return { kind: row.kind, workload: row.uid };
    case 'workload-progress': {
      const progress = toldProgressOf(row);
      return progress === undefined ? undefined : { kind: row.kind, workload: row.uid, ...progress };
    }
    case 'node-cordoned':
    case 'node-uncordoned':
      // As it is now: a node that was removed since has come back without its cordon.
      return { kind: row.is_cordoned ? 'node-cordoned' : 'node-uncordoned', node: row.node };
    case 'quotas-changed':
      return { kind: row.kind };
  }
}
