import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type pg from 'pg';
import {
  adoptOrStart,
  isRunning,
  stopOrphan,
  stopPostmaster,
  type Postmaster,
  type PostmasterOptions,
} from './postmaster.js';
import { preparePostmaster } from './prepare-postmaster.js';

export interface EmbeddedPostgresOptions {
  /** Where data, log and, if needed, a copy of the programs live; made when it is missing. */
  readonly directory: string;
}

/** After an attempt to start again that failed, such as on a full disk. */
const RESTART_EVERY_MS = 1000;

/**
 * A real PostgreSQL server of our own: adopted when it runs already, else started, and started again whenever it
 * dies. Several processes may share one; who started it stops it, and when that one was killed, the last who uses it.
 */
export class EmbeddedPostgres {
  private readonly logger = new Logger('postgres');
  private recovery: Promise<void> | undefined;

  private constructor(
    private readonly options: PostmasterOptions,
    private readonly closing: AbortController,
    private postmaster: Postmaster,
  ) {
    this.watch();
  }

  static async open({ directory }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const closing = new AbortController();
    const options = await preparePostmaster({ directory, durability: 'full', signal: closing.signal });
    return new EmbeddedPostgres(options, closing, await adoptOrStart(options));
  }

  get url(): string {
    return this.options.folder.url;
  }

  /** Stops the server when this process started it, or nobody else is left; waits until it is down. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.recovery;
    const { connection, child } = this.postmaster;
    referable(connection).ref(); // or the process could end before the server
    // Without an answer it is down already.
    if (child === undefined) await stopOrphan(this.postmaster, this.options).catch(() => undefined);
    await connection.end().catch(() => undefined);
    if (child !== undefined) await stopPostmaster(child);
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private watch(): void {
    const { connection } = this.postmaster;
    referable(connection).unref(); // watching alone keeps no process alive
    connection.once('end', () => {
      if (!this.isClosing()) this.recovery = this.recover();
    });
  }

  private async recover(): Promise<void> {
    this.logger.warn({ message: 'database lost, starting it again' });
    while (!this.isClosing()) {
      try {
        const { connection, child } = await adoptOrStart(this.options);
        this.postmaster = { connection, child: child ?? this.runningChild() };
        this.watch();
        this.logger.log({ message: 'database is back' });
        return;
      } catch (error) {
        if (this.isClosing()) return;
        this.logger.error({ message: 'database does not start', error });
        await delay(RESTART_EVERY_MS);
      }
    }
  }

  /** The server of this process, when only the connection to it was lost. */
  private runningChild(): Postmaster['child'] {
    const { child } = this.postmaster;
    return child !== undefined && isRunning(child) ? child : undefined;
  }
}

/** In `pg` since 7, but not in its types. */
function referable(connection: pg.Client): { ref(): void; unref(): void } {
  return connection as pg.Client & { ref(): void; unref(): void };
}
