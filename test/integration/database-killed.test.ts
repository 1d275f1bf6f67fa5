import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { followWorkloads } from '../../src/cli/follow-workloads.js';
import type { Workload } from '../../src/server/workloads/workload.schema.js';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { smallFleet } from '../support/small-fleet.js';
import { TrainingData } from '../support/training-data.js';
import { aTraining } from '../support/workload-documents.js';

const TEST_MS_MAX = 180_000;
const EPOCHS = 90;
const BACK_MS_MAX = 60_000;

describe('when the database is killed with -9', () => {
  const data = new TrainingData();
  let system: RunningSystem;

  beforeAll(async () => {
    system = await RunningSystem.start(smallFleet(1));
  }, TEST_MS_MAX);

  afterAll(async () => {
    await system.server.remove();
    data.remove();
  }, TEST_MS_MAX);

  async function get(path: string): Promise<Response> {
    return fetch(system.server.url + path, { headers: { authorization: `Bearer ${system.server.token}` } });
  }

  async function untilStatus(path: string, status: number): Promise<void> {
    await until(`${path} to answer ${status}`, async () => (await get(path)).status === status, {
      deadlineMs: BACK_MS_MAX,
    });
  }

  /** Without this file no PostgreSQL starts, so that the time without a database lasts as long as the test wants. */
  function keepAway(): () => void {
    const file = join(system.postgres.data, 'global', 'pg_control');
    renameSync(file, `${file}.away`);
    return () => {
      renameSync(`${file}.away`, file);
    };
  }

  it(
    'callers are told to come again, and training and watching go on as if it had never been away',
    async () => {
      const uid = await system.submit(aTraining('training', data.job(EPOCHS)));
      const seen: Workload[] = [];
      const watching = new AbortController();
      const watch = (async () => {
        for await (const workload of followWorkloads(system.server.client, [uid], watching.signal)) seen.push(workload);
      })();
      await system.untilCheckpoint(uid);
      const pods = system.pods(uid);

      const bringBack = keepAway();
      process.kill(system.postmaster, 'SIGKILL');
      await untilStatus('/readyz', 503);
      expect((await get('/healthz')).status).toBe(200);
      const refused = await get('/v1/workloads');
      expect(refused.status).toBe(503);
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
      expect(system.pods(uid)).toEqual(pods);

      bringBack();
      await untilStatus('/readyz', 200);
      expect((await get('/healthz')).status).toBe(200);
      const { status } = await system.untilState(uid, 'succeeded');
      expect(status).toMatchObject({ incarnation: 1, retries: 0 });
      await watch;
      expect(seen.at(-1)?.status.state).toBe('succeeded');
      await until('rest', () => isAtRest(system));
      await checkLedger(system);
      watching.abort();
    },
    TEST_MS_MAX,
  );

  it(
    'again and again, a workload that is submitted in between ends well',
    async () => {
      for (let kill = 0; kill < 3; kill += 1) {
        const uid = await system.submit(aTraining(`short-${kill}`, data.job(4)));
        process.kill(system.postmaster, 'SIGKILL');
        await untilStatus('/readyz', 200);
        await system.untilState(uid, 'succeeded');
      }
      await until('rest', () => isAtRest(system));
      await checkLedger(system);
    },
    TEST_MS_MAX,
  );
});
