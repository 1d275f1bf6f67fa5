import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/observation-log.js';
import { Notifications } from '../../src/server/database/notifications.js';
import { NodesReader } from '../../src/server/fleet/nodes-reader.js';
import { QueuesReader } from '../../src/server/quotas/queues-reader.js';
import { WorkloadReader } from '../../src/server/workloads/workload-reader.js';
import type { Workload } from '../../src/server/workloads/workload.schema.js';
import { ChangeFeed } from '../../src/server/events/change-feed.js';
import type { Change } from '../../src/server/events/events.schema.js';

/** Reads what there is, and hands it on when the test says so. */
class HeldReader extends WorkloadReader {
  readonly readings: { readonly pass: () => void; readonly fail: () => void }[] = [];

  override async byUids(uids: readonly string[]): Promise<readonly Workload[]> {
    const found = await super.byUids(uids);
    return new Promise((resolve, reject) => {
      this.readings.push({
        pass: () => {
          resolve(found);
        },
        fail: () => {
          reject(new Error('the database is away'));
        },
      });
    });
  }
}

let database: TestDatabase;
let notifications: Notifications;
let reader: HeldReader;
let feed: ChangeFeed;
let seen: Change[];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

beforeEach(async () => {
  const { dataSource } = database;
  notifications = new Notifications(dataSource);
  reader = new HeldReader(dataSource);
  feed = new ChangeFeed(notifications, new NodesReader(dataSource), new QueuesReader(dataSource), reader);
  seen = [];
  feed.watch(undefined).subscribe((change) => seen.push(change));
  // Once for the stream that began, once for the connection that listens from now on.
  await until('the first messages', () => seen.length === 2 && seen.every(({ kind }) => kind === 'everything'));
});

afterEach(async () => {
  feed.onModuleDestroy();
  await notifications.onModuleDestroy();
});

const FIRST = '00000000-0000-4000-8000-000000000001';
const SECOND = '00000000-0000-4000-8000-000000000002';

async function tell(uid: string): Promise<void> {
  await database.dataSource.query(`SELECT pg_notify('berth_changed', $1)`, [`workload:${uid}`]);
}

describe(ChangeFeed.name, () => {
  it('sends what it read first, first, however slow the reading is', async () => {
    await tell(FIRST);
    await until('a reading', () => reader.readings.length === 1);
    await tell(SECOND);
    await database.dataSource.query('SELECT pg_sleep(0.6)'); // longer than changes are gathered
    expect(reader.readings).toHaveLength(1);
    reader.readings[0]?.pass();
    await until('a reading', () => reader.readings.length === 2);
    reader.readings[1]?.pass();
    await until('a change', () => seen.length === 4);
    expect(seen.slice(2).map(({ removed }) => removed.workloads)).toEqual([[FIRST], [SECOND]]);
  });

  it('sends everything after a reading that failed, though nothing else changes', async () => {
    await tell(FIRST);
    await until('a reading', () => reader.readings.length === 1);
    reader.readings[0]?.fail();
    await until('a change', () => seen.length === 3);
    expect(seen[2]).toMatchObject({ kind: 'everything' });
  });
});
