import { spawn } from 'node:child_process';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { openDataSource } from '../../src/server/database/data-source.js';
import { isDatabaseUnavailable } from '../../src/server/database/database-availability.js';
import { EmbeddedPostgres } from '../../src/server/database/embedded-postgres.js';
import { until } from '../support/observation-log.js';
import { PostgresHosts, killProcess, postmasterOf, query } from '../support/postgres-hosts.js';

const LOG_BYTES_MAX = 10 * 1024 * 1024;

describe(EmbeddedPostgres.name, () => {
  const hosts = new PostgresHosts();
  /** One for all tests, because making the data takes longer than a test; none leaves a server running. */
  const directory = hosts.makeDirectory();
  const opened: EmbeddedPostgres[] = [];

  afterEach(async () => {
    for (const postgres of opened.splice(0)) await postgres.close();
    await hosts.end();
  });

  afterAll(() => {
    hosts.removeDirectories();
  });

  async function open(): Promise<EmbeddedPostgres> {
    const postgres = await EmbeddedPostgres.open({ directory });
    opened.push(postgres);
    return postgres;
  }

  /** Of the server that runs there. */
  async function postmaster(): Promise<number> {
    return until('a server', () => postmasterOf(directory));
  }

  it('starts where there is nothing, keeps what is committed, and is gone when it is closed', async () => {
    const first = await open();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    expect(await query(first.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    expect(await query(first.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
    expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700);
    await first.close();
    expect(postmasterOf(directory)).toBeUndefined();
    const second = await open();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('is shared by those who come later, and stopped by the one who started it', async () => {
    const first = await open();
    const pid = await postmaster();
    const host = hosts.spawn({ directory });
    expect(await host.ready()).toBe(first.url);
    await host.end('SIGTERM');
    expect(postmasterOf(directory)).toBe(pid);
    expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await first.close();
    expect(postmasterOf(directory)).toBeUndefined();
  });

  it('is one server when several processes start at the same moment', async () => {
    const empty = hosts.makeDirectory();
    const starters = Array.from({ length: 3 }, () => hosts.spawn({ directory: empty }));
    const urls = await Promise.all(starters.map((starter) => starter.ready()));
    expect(new Set(urls).size).toBe(1);
    const [{ sessions }] = (await query(
      urls[0] ?? '',
      "SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE application_name = 'berth-supervisor'",
    )) as [{ sessions: number }];
    expect(sessions).toBe(3);
  });

  it('comes back by itself when it is killed, and who used it meanwhile is told that it was away', async () => {
    const postgres = await open();
    const dataSource = await openDataSource({ url: postgres.url });
    await dataSource.query("INSERT INTO teams VALUES ('research', 'Research')");
    const [busy, idle] = [dataSource.query('SELECT pg_sleep(60)'), dataSource.query('SELECT 1')];
    await idle;
    const refusal = busy.catch((error: unknown) => error);
    const pid = await postmaster();
    await killProcess(pid);
    expect(isDatabaseUnavailable(await refusal)).toBe(true);
    const rows = await until('the database', () =>
      dataSource.query<unknown[]>('SELECT name FROM teams').catch((error: unknown) => {
        if (!isDatabaseUnavailable(error)) throw error;
        return undefined;
      }),
    );
    expect(rows).toEqual([{ name: 'research' }]);
    expect(await postmaster()).not.toBe(pid);
    await dataSource.destroy();
    await postgres.close();
    expect(postmasterOf(directory)).toBeUndefined();
  });

  it('is started again by one who shared it when its starter is killed with it', async () => {
    const host = hosts.spawn({ directory });
    await host.ready();
    const sharer = await open();
    const pid = await postmaster();
    await host.end('SIGKILL');
    await killProcess(pid);
    const answer = await until('the database', () => query(sharer.url, 'SELECT 1 AS one').catch(() => undefined));
    expect(answer).toEqual([{ one: 1 }]);
    await sharer.close();
    expect(postmasterOf(directory)).toBeUndefined();
  });

  it('loses no committed row when server and database are killed in the middle of writing', async () => {
    const host = hosts.spawn({ directory, rows: true });
    await until('some rows', () => host.lastRow > 50);
    const pid = await postmaster();
    await host.end('SIGKILL');
    await killProcess(pid);
    const { url } = await open();
    const [{ count, last }] = (await query(url, 'SELECT count(*)::int AS count, max(number) AS last FROM rows')) as [
      { count: number; last: number },
    ];
    expect(last).toBeGreaterThanOrEqual(host.lastRow);
    expect(count).toBe(last);
  });

  it('survives its process: the next one finds it running', async () => {
    const host = hosts.spawn({ directory });
    await host.ready();
    const pid = await postmaster();
    await host.end('SIGKILL');
    const { url } = await open();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(postmasterOf(directory)).toBe(pid);
  });

  it('starts although the lock of a killed server names a stranger who got its number', async () => {
    await (await open()).close();
    const { uid, gid } = statSync(join(directory, 'data'));
    const stranger = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore' });
    try {
      const lock = [stranger.pid, join(directory, 'data'), '0', '5432', '', '', '0 999999', 'ready'];
      writeFileSync(join(directory, 'data', 'postmaster.pid'), `${lock.join('\n')}\n`);
      const { url } = await open();
      expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('empties a log that has grown too long', async () => {
    const log = join(directory, 'postgres.log');
    await (await open()).close();
    truncateSync(log, LOG_BYTES_MAX + 1);
    await open();
    expect(statSync(log).size).toBeLessThan(LOG_BYTES_MAX / 10);
  });
});
