import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { AbstractLogger, DataSource, getMetadataArgsStorage } from 'typeorm';
import { isDatabaseUnavailable } from './database-availability.js';
import { DatabaseError } from './database-error.js';
import { Ledger1790000000000 } from './migrations/1790000000000-ledger.js';
import { WaitingPods1790000001000 } from './migrations/1790000001000-waiting-pods.js';
import { Partitions1790000002000 } from './migrations/1790000002000-partitions.js';
import { ForeignUse1790000003000 } from './migrations/1790000003000-foreign-use.js';
import { FoundWorkloads1790000004000 } from './migrations/1790000004000-found-workloads.js';
import { AuditMany1790000005000 } from './migrations/1790000005000-audit-many.js';
import { LeaseBesideWrites1790000006000 } from './migrations/1790000006000-lease-beside-writes.js';

export interface DataSourceOptions {
  readonly url: string;
  /** Connections at most; a request that gets none within some seconds is answered with 503. */
  readonly poolSize?: number;
}

/** In their order; a migration that was released is never changed. */
const MIGRATIONS = [
  Ledger1790000000000,
  WaitingPods1790000001000,
  Partitions1790000002000,
  ForeignUse1790000003000,
  FoundWorkloads1790000004000,
  AuditMany1790000005000,
  LeaseBesideWrites1790000006000,
];

const POOL_SIZE = 10;
const CONNECT_WITHIN_MS = 5000;
const STATEMENT_MS_MAX = 30_000;
/** As long as a lease: a leader that is frozen or cut off in a transaction must not keep its locks from the next one. */
const IDLE_IN_TRANSACTION_MS_MAX = 10_000;
/** A database that starts beside us, or again, is waited for so long. */
const AVAILABLE_WITHIN_MS = 30_000;
const RETRY_MS = 250;
/** Any number, but for ever the same: replicas that start together migrate one after another. */
const MIGRATION_LOCK = 1_112_888_916;
const MIGRATE_WITHIN_MS = 120_000;

const logger = new Logger('database');

/** TypeORM writes to the console, whatever it is told; its errors reach the one who asked. */
class Silence extends AbstractLogger {
  protected override writeLog(): void {
    // nothing to say
  }
}

/** Connects, waiting a bounded time for a database that is just starting, and migrates it. */
export async function openDataSource({ url, poolSize = POOL_SIZE }: DataSourceOptions): Promise<DataSource> {
  const session = await connectPatiently(url);
  try {
    await session.query(`SET lock_timeout = ${MIGRATE_WITHIN_MS}; SET statement_timeout = 0`);
    await session.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]); // until this session ends, however it ends
    return await openMigrated(url, poolSize);
  } catch (error) {
    throw databaseErrorAt(url, error);
  } finally {
    await session.end().catch(() => undefined);
  }
}

async function openMigrated(url: string, poolSize: number): Promise<DataSource> {
  const dataSource = await dataSourceOf(url, poolSize).initialize();
  try {
    const applied = await dataSource.runMigrations({ transaction: 'each' });
    for (const { name } of applied) logger.log({ message: 'migration applied', migration: name });
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    throw new DatabaseError('migration-failed', `The database cannot be migrated: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function dataSourceOf(url: string, poolSize: number): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    // All entities that the program has loaded: features keep theirs to themselves, so there is no list of them.
    entities: getMetadataArgsStorage().tables.map(({ target }) => target),
    migrations: MIGRATIONS,
    installExtensions: false,
    applicationName: 'berth',
    logger: new Silence(),
    poolSize,
    connectTimeoutMS: CONNECT_WITHIN_MS,
    // Without a handler an idle connection that breaks would end the process; the pool replaces it.
    poolErrorHandler: (error: unknown) => {
      logger.debug({ message: 'idle connection to the database lost', error: messageOf(error) });
    },
    extra: {
      statement_timeout: STATEMENT_MS_MAX,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
      keepAlive: true,
    },
  });
}

async function connectPatiently(url: string): Promise<pg.Client> {
  const giveUpAt = performance.now() + AVAILABLE_WITHIN_MS;
  for (;;) {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'berth-migrations',
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      keepAlive: true,
    });
    client.on('error', () => undefined); // the query that runs fails, too
    try {
      await client.connect();
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      if (!isDatabaseUnavailable(error) || performance.now() > giveUpAt) throw databaseErrorAt(url, error);
    }
    await delay(RETRY_MS);
  }
}

function databaseErrorAt(url: string, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const message = `The database at ${placeOf(url)} cannot be used: ${messageOf(error)}.`;
  return new DatabaseError('unreachable', message, { cause: error });
}

/** Without the password. */
function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${searchParams.get('host') ?? host}${pathname}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
