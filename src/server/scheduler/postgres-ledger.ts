import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Observation } from '../../cluster/cluster.js';
import { campaignFor, endSession, type WonTerm } from './campaign.js';
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
  /** The term that was won last. */
  private won: WonTerm | undefined;

  constructor(@InjectDataSource() private readonly database: DataSource) {
    super();
  }

  async campaign(holder: string, ttlMs: number): Promise<Leadership | undefined> {
    const won = await campaignFor(this.database, holder, ttlMs);
    if (won === undefined) return undefined;
    const former = this.won;
    this.won = won;
    if (former !== undefined) await endSession(former.session);
    return won.leadership;
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
    if (this.won?.leadership.epoch !== epoch) return;
    await endSession(this.won.session);
    this.won = undefined;
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

  dueIntents(limit: number, except: Iterable<string> = []): Promise<readonly Intent[]> {
    return readDueIntents(this.database, limit, except);
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
