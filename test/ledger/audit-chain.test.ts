import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendAudit } from '../../src/server/audit/audit-entry.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** The first row whose hash is not that of its fields, or that does not follow on the row before it. */
const FIRST_BROKEN = `
SELECT a.number::int FROM (
  SELECT r.*, lag(r.hash) OVER w AS last_hash, lag(r.number) OVER w AS last_number, audit_hash(r) AS computed
  FROM audit r WHERE r.chain = $1 WINDOW w AS (ORDER BY r.number)
) a
WHERE a.hash <> a.computed OR a.previous_hash <> coalesce(a.last_hash, sha256(convert_to(a.chain, 'UTF8')))
  OR a.number <> coalesce(a.last_number, 0) + 1
ORDER BY a.number LIMIT 1`;

describe('the hash chain of the audit', () => {
  let database: TestDatabase;
  const firstBroken = async (): Promise<number | undefined> => {
    const [row] = await database.dataSource.query<{ number: number }[]>(FIRST_BROKEN, ['team:lab']);
    return row?.number;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.dataSource.transaction(async (transaction) => {
      for (const [index, chain] of ['team:lab', 'system', 'team:lab', 'team:lab', 'team:lab'].entries()) {
        const after = { index, text: 'ünicode \u{1f600}', deep: [{ b: 1, a: null }] };
        await appendAudit(transaction, { chain, actor: 'me', action: 'try', subject: `thing/${index}`, after });
      }
    });
  });
  afterAll(() => database.drop());

  it('verifies, with one number after the other in each chain', async () => {
    expect(await firstBroken()).toBeUndefined();
    const numbers = await database.dataSource.query('SELECT chain, number::int FROM audit ORDER BY chain, number');
    expect(numbers).toEqual([
      { chain: 'system', number: 1 },
      ...[1, 2, 3, 4].map((number) => ({ chain: 'team:lab', number })),
    ]);
  });

  it.each([
    ['at', `at = at + interval '1 microsecond'`],
    ['actor', `actor = 'another'`],
    ['action', `action = ''`],
    ['subject', `subject = subject || ' '`],
    ['before', `before = 'null'`],
    ['after', `after = after || '{"index": 9}'`],
    ['reason', `reason = ''`],
    ['request_id', `request_id = 'x'`],
    ['policy_version', `policy_version = 'x'`],
    ['previous_hash', `previous_hash = '\\x00'`],
    ['hash', `hash = '\\x00'`],
  ])('names the row whose %s was changed', async (_field, change) => {
    expect(await tamper(`UPDATE audit SET ${change} WHERE chain = 'team:lab' AND number = 2`)).toBe(2);
  });

  it('names the row after one that was taken out', async () => {
    expect(await tamper(`DELETE FROM audit WHERE chain = 'team:lab' AND number = 2`)).toBe(3);
  });

  it('names the row after one that was rewritten with a hash of its own', async () => {
    const rewrite = `UPDATE audit a SET actor = 'another', hash = (
      SELECT audit_hash(jsonb_populate_record(a, '{"actor": "another"}'))) WHERE chain = 'team:lab' AND number = 2`;
    expect(await tamper(rewrite)).toBe(3);
  });

  it('cannot fork: two writers at once wait for each other', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        database.dataSource.transaction((transaction) =>
          appendAudit(transaction, { chain: 'team:race', actor: 'me', action: 'try', subject: `thing/${index}` }),
        ),
      ),
    );
    const rows = await database.dataSource.query(
      `SELECT number::int FROM audit WHERE chain = 'team:race' ORDER BY number`,
    );
    expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => ({ number })));
    expect(await database.dataSource.query(FIRST_BROKEN, ['team:race'])).toEqual([]);
  });

  /** As a superuser who takes the triggers away; the change is undone. */
  async function tamper(change: string): Promise<number | undefined> {
    const runner = database.dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      await runner.query('ALTER TABLE audit DISABLE TRIGGER ALL');
      await runner.query(change);
      const [row] = (await runner.query(FIRST_BROKEN, ['team:lab'])) as { number: number }[];
      return row?.number;
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }
});
