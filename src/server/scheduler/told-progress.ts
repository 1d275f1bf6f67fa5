import type { ToldProgress } from './ledger.js';

export interface ToldProgressRow {
  readonly told_incarnation: number | null;
  readonly told_checkpoint_at: Date | null;
  readonly told_end_at: Date | null;
}

/** Of the alias `w`, what was told of its present incarnation while that is not over; completed with its columns. */
export const TOLD_PROGRESS_JOIN = `LEFT JOIN progress g ON g.workload = w.uid AND g.rank = 0
  AND g.told_incarnation = w.incarnation AND w.state IN ('starting', 'running')`;

export const TOLD_PROGRESS_COLUMNS = 'g.told_incarnation, g.told_checkpoint_at, g.told_end_at';

/** `undefined`: nothing was told, or of an incarnation that is over. */
export function toldProgressOf(row: ToldProgressRow): ToldProgress | undefined {
  const { told_incarnation: incarnation, told_checkpoint_at: checkpointAt, told_end_at: endAt } = row;
  if (incarnation === null) return undefined;
  return {
    incarnation,
    ...(checkpointAt === null ? {} : { checkpointAtMs: checkpointAt.getTime() }),
    ...(endAt === null ? {} : { expectedEndMs: endAt.getTime() }),
  };
}
