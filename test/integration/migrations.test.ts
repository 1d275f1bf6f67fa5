import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDataSource } from '../../src/server/database/data-source.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describe(openDataSource.name, () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(() => database.drop());

  /** As on the day of the installation. */
  async function empty(): Promise<void> {
    await database.dataSource.query('DROP SCHEMA public CASCADE');
    await database.dataSource.query('CREATE SCHEMA public');
  }

  it('migrates once when several replicas start at the same moment', async () => {
    await empty();
    const replicas = await Promise.all(
      Array.from({ length: 4 }, () => openDataSource({ url: database.url, poolSize: 2 })),
    );
    await Promise.all(replicas.map((replica) => replica.destroy()));
    expect(await database.dataSource.query('SELECT name FROM migrations ORDER BY id')).toEqual([
      { name: 'Ledger1790000000000' },
      { name: 'WaitingPods1790000001000' },
      { name: 'Partitions1790000002000' },
      { name: 'ForeignUse1790000003000' },
      { name: 'FoundWorkloads1790000004000' },
      { name: 'AuditMany1790000005000' },
      { name: 'LeaseBesideWrites1790000006000' },
    ]);
    expect(await database.dataSource.query('SELECT count(*)::int AS slots FROM slots')).toEqual([{ slots: 0 }]);
  });

  it('leaves nothing of a migration that fails, and says why', async () => {
    await empty();
    await database.dataSource.query('CREATE TABLE audit_heads (in_the_way text)');
    await expect(openDataSource({ url: database.url })).rejects.toMatchObject({
      code: 'migration-failed',
      message: 'The database cannot be migrated: relation "audit_heads" already exists',
    });
    expect(await database.dataSource.query("SELECT to_regclass('teams') AS teams")).toEqual([{ teams: null }]);
  });

  it('says where the database is that refuses, without the password', async () => {
    const url = new URL(database.url);
    url.pathname = '/no-such-database';
    url.password = 'secret';
    const refusal = openDataSource({ url: url.href });
    await expect(refusal).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^The database at \/.*\/no-such-database cannot be used: .* does not exist\.$/),
    });
    await expect(refusal).rejects.not.toThrow(/secret/);
  });

  it('gives each suite a database of its own', async () => {
    const other = await createTestDatabase();
    await database.dataSource.query("INSERT INTO teams VALUES ('research', 'Research')");
    expect(await other.dataSource.query('SELECT * FROM teams')).toEqual([]);
    await other.drop();
  });
});
