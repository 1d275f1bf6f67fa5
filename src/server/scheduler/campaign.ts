import type { DataSource, QueryRunner } from 'typeorm';
import type { Leadership } from './ledger.js';

/** The advisory locks of terms: one of each epoch, `(this, epoch)`. Any number that nobody else uses. */
const TERM_LOCKS = 0x42455254;

/** A term that was won, and the session whose end tells everybody that its leader is gone. */
export interface WonTerm {
  readonly leadership: Leadership;
  readonly session: QueryRunner;
}

/** Whether the row may be taken; looking at the lock of a living leader is shared, so that nobody who looks is in the way. */
const IS_FREE = `CASE WHEN holder = $1 OR expires_at <= clock_timestamp() THEN true
  ELSE pg_try_advisory_xact_lock_shared($2, epoch::integer) END`;

/**
 * Takes the leadership when its lease has run out, or when its leader is gone: it holds the lock of its epoch in a session
 * of its own, which the database ends at once when the process dies. One that is frozen or cut off keeps its lock, and is
 * waited for until its lease runs out. By the database's clock: the clocks of two servers need not agree.
 *
 * Whoever only looks, which is what a follower does twice a second, locks no row: the leader never waits for it.
 */
export async function campaignFor(database: DataSource, holder: string, ttlMs: number): Promise<WonTerm | undefined> {
  const asked = [holder, TERM_LOCKS];
  const seen: unknown[] = await database.query(`SELECT FROM leadership WHERE id = 1 AND ${IS_FREE}`, asked);
  if (seen.length === 0) return undefined;
  const session = database.createQueryRunner();
  try {
    await session.startTransaction();
    const rows: { epoch: string }[] = await session.manager.query(
      `WITH present AS (SELECT epoch, holder, expires_at FROM leadership WHERE id = 1 FOR UPDATE)
       SELECT epoch FROM present WHERE ${IS_FREE}`,
      asked,
    );
    const [free] = rows;
    if (free === undefined) {
      await session.rollbackTransaction();
      await session.release();
      return undefined;
    }
    const epoch = Number(free.epoch) + 1;
    await session.query(
      `WITH won AS (
         UPDATE leadership SET epoch = $1, holder = $2, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
         WHERE id = 1 RETURNING epoch
       ), unplanned AS (
         -- a plan is kept by nobody but the core that made it
         UPDATE workloads SET planned_start = NULL FROM won WHERE planned_start IS NOT NULL
       ) SELECT pg_advisory_lock($4, $1::integer) FROM won`,
      [epoch, holder, ttlMs, TERM_LOCKS],
    );
    await session.commitTransaction();
    return { leadership: { epoch, holder }, session };
  } catch (error) {
    if (session.isTransactionActive) await session.rollbackTransaction().catch(() => undefined);
    await endSession(session);
    throw error;
  }
}

/** Its locks go with it; a session that is broken has none. */
export async function endSession(session: QueryRunner): Promise<void> {
  await session.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
  await session.release().catch(() => undefined);
}
