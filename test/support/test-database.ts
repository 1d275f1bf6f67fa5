import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../src/server/database/data-source.js';
import { adoptOrStart } from '../../src/server/database/postmaster.js';
import { preparePostmaster } from '../../src/server/database/prepare-postmaster.js';

export interface TestDatabase {
  readonly url: string;
  readonly dataSource: DataSource;
  /** Closes the data source and removes the database, also under connections that are still open. */
  drop(): Promise<void>;
}

const TEMPLATE = 'berth_template';
/** Suites share one server of 60 connections with two workers. */
const POOL_SIZE = 8;

/** A migrated, empty database of its own, on the real PostgreSQL that all suites of this run share. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await adoptTestServer();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(server, async (admin) => {
    await admin.query('SELECT pg_advisory_lock(1)'); // the other worker may look for the template, too
    const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rowCount === 0) await makeTemplate(server, admin);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  });
  const url = databaseUrl(server, name);
  const dataSource = await openDataSource({ url, poolSize: POOL_SIZE });
  return {
    url,
    dataSource,
    drop: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      await administer(server, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

/** The first suite that asks starts it, `after-tests.mjs` stops it. */
async function adoptTestServer(): Promise<string> {
  const run = process.env['BERTH_TEST_RUN'];
  if (run === undefined) throw new Error('BERTH_TEST_RUN is not set: run this suite by Jest with jest.config.js');
  const options = await preparePostmaster({
    directory: join(run, 'postgres'),
    durability: 'none',
    signal: new AbortController().signal,
  });
  const { connection } = await adoptOrStart(options);
  await connection.end();
  return options.folder.url;
}

/** Under another name until it is complete. */
async function makeTemplate(server: string, admin: pg.Client): Promise<void> {
  const unfinished = `${TEMPLATE}_unfinished`;
  await admin.query(`DROP DATABASE IF EXISTS ${unfinished}`);
  await admin.query(`CREATE DATABASE ${unfinished}`);
  await (await openDataSource({ url: databaseUrl(server, unfinished) })).destroy();
  await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${TEMPLATE}`);
}

async function administer(server: string, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: server, application_name: 'berth-tests' });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
