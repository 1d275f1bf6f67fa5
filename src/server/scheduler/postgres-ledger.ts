import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Observation } from '../../cluster/cluster.js';
import { commitSets } from './commit-sets.js';
import {
  Ledger,
  StaleEpochError,
  type Command,
  type CommandCursor,
  type DecisionSet,
  type Intent,
  type IntentOutcome,
  type Leadership,
  type LedgerState,
  type NodeWish,
  type SetOutcome,
} from './ledger.js';
import { loadLedger } from './load-ledger.js';
import { readNodeWishes, storeWishesSettled } from './node-wishes.js';
import { readDueIntents, storeIntentOutcomes } from './pending-intents.js';
import { readCommands } from './read-commands.js';
import { storeObservations } from './store-observations.js';

/** The ledger in PostgreSQL. What must never happen is refused by the schema (`database/migrations`), not only here. */
@Injectable()
export class PostgresLedger extends Ledger {
  constructor(@InjectDataSource() private readonly database: DataSource) {
    super();
  }

  /** By the database's clock: the clocks of two servers need not agree. */
  async campaign(holder: string, ttlMs: number): Promise<Leadership | undefined> {
    const rows: { epoch: string }[] = await this.database.query(
      `WITH won AS (
         UPDATE leadership SET epoch = epoch + 1, holder = $1,
           expires_at = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE id = 1 AND (holder = $1 OR expires_at <= clock_timestamp()) RETURNING epoch
       ), unplanned AS (
         -- a plan is kept by nobody but the core that made it
         UPDATE workloads SET planned_start = NULL FROM won WHERE planned_start IS NOT NULL
       ) SELECT epoch FROM won`,
      [holder, ttlMs],
    );
    const [won] = rows;
    return won === undefined ? undefined : { epoch: Number(won.epoch), holder };
  }

  async renew({ epoch, holder }: Leadership, ttlMs: number): Promise<void> {
    const rows: unknown[] = await this.database.query(
      `WITH renewed AS (
         UPDATE leadership SET expires_at = clock_timestamp() + $3 * interval '1 millisecond'
         WHERE id = 1 AND epoch = $1 AND holder = $2 RETURNING epoch
       ) SELECT epoch FROM renewed`,
      [epoch, holder, ttlMs],
    );
    if (rows.length === 0) throw new StaleEpochError(epoch);
  }

  async resign({ epoch, holder }: Leadership): Promise<void> {
    await this.database.query(
      `UPDATE leadership SET holder = '', expires_at = '-infinity' WHERE id = 1 AND epoch = $1 AND holder = $2`,
      [epoch, holder],
    );
  }

  load(): Promise<LedgerState> {
    return loadLedger(this.database);
  }

  commandsAfter(
    cursor: CommandCursor,
    limit: number,
  ): Promise<{ readonly commands: readonly Command[]; readonly cursor: CommandCursor }> {
    return readCommands(this.database, cursor, limit);
  }

  commit(leadership: Leadership, sets: readonly DecisionSet[]): Promise<readonly SetOutcome[]> {
    return commitSets(this.database, leadership, sets);
  }

  observe(leadership: Leadership, observations: readonly Observation[]): Promise<ReadonlySet<string>> {
    return storeObservations(this.database, leadership, observations);
  }

  dueIntents(limit: number): Promise<readonly Intent[]> {
    return readDueIntents(this.database, limit);
  }

  settleIntents(
    leadership: Leadership,
    outcomes: readonly { readonly id: string; readonly outcome: IntentOutcome }[],
  ): Promise<void> {
    return storeIntentOutcomes(this.database, leadership, outcomes);
  }

  nodeWishes(): Promise<readonly NodeWish[]> {
    return readNodeWishes(this.database);
  }

  settleWishes(leadership: Leadership, wishes: readonly NodeWish[]): Promise<void> {
    return storeWishesSettled(this.database, leadership, wishes);
  }
}
