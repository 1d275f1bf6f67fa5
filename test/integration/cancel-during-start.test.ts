import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomFor } from '../../src/trainer/random.js';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { smallFleet } from '../support/small-fleet.js';
import { aScript } from '../support/workload-documents.js';

const TEST_MS_MAX = 300_000;
const RACES = 30;
const AT_ONCE = 5;
const SEED = 20_261_125;
/** Where a race begins; the cancellation comes a little later, and so in this stage, the next, or between them. */
const STAGES = ['pending', 'starting', 'running'] as const;
const JITTER_MS_MAX = 100;
const ENDLESS = 'exec sleep 600';
/** Ends when it is asked to, and notes that it was asked. */
const POLITE = `trap 'echo asked > "$BERTH_WORKLOAD_DIR/farewell"; exit 0' TERM; touch "$BERTH_WORKLOAD_DIR/ready"; while :; do sleep 0.05; done`;
/** The first pod fails as soon as the other one is there, which takes a while to leave. */
const FAILS_SLOWLY = `
if [ "$RANK" = 0 ]; then
  while [ ! -e "$BERTH_WORKLOAD_DIR/ready" ]; do sleep 0.05; done
  exit 1
fi
trap 'sleep 3; exit 0' TERM
touch "$BERTH_WORKLOAD_DIR/ready"
while :; do sleep 0.05; done`;

describe('a cancelled workload leaves nothing behind, whatever it was doing:', () => {
  let system: RunningSystem;

  beforeAll(async () => {
    system = await RunningSystem.start(smallFleet(1));
  }, TEST_MS_MAX);

  afterEach(async () => {
    await until('rest', () => isAtRest(system), { deadlineMs: TEST_MS_MAX });
    await checkLedger(system);
  }, TEST_MS_MAX);

  afterAll(() => system.server.remove());

  async function cancel(uid: string): Promise<void> {
    await system.server.client.cancelWorkload(uid);
  }

  async function untilCancelled(uid: string): Promise<void> {
    const { status } = await system.untilState(uid, 'cancelled');
    expect(status).toMatchObject({ cancelRequested: true, charged: {} });
  }

  async function untilStage(uid: string, stage: number): Promise<void> {
    const isThere = async (): Promise<boolean> => {
      const { state } = (await system.workload(uid)).status;
      return STAGES.slice(stage).some((wanted) => wanted === state);
    };
    await until(`stage ${STAGES[stage]}`, isThere, { deadlineMs: TEST_MS_MAX });
  }

  it(
    'while it waits for room',
    async () => {
      const holder = await system.submit(aScript('holder', ENDLESS, { devices: 8 }));
      await system.untilState(holder, 'running');
      const waiting = await system.submit(aScript('waiting', ENDLESS));
      await system.untilWorkload(waiting, 'told why it waits', ({ status }) => status.reason !== '');
      await cancel(waiting);
      await untilCancelled(waiting);
      expect((await system.workload(waiting)).status).toMatchObject({ incarnation: 0, pods: [] });
      await cancel(holder);
      await untilCancelled(holder);
    },
    TEST_MS_MAX,
  );

  it(
    'while it runs, and its pod is asked before it is killed',
    async () => {
      const uid = await system.submit(aScript('polite', POLITE));
      await system.untilState(uid, 'running');
      const file = (name: string): string => join(system.workloadFolder(uid), name);
      await until('the pod', () => existsSync(file('ready')));
      await cancel(uid);
      await untilCancelled(uid);
      expect(readFileSync(file('farewell'), 'utf8')).toBe('asked\n');
    },
    TEST_MS_MAX,
  );

  it(
    'while its pods are stopped because one of them failed, and it does not try again',
    async () => {
      const uid = await system.submit(aScript('failing', FAILS_SLOWLY, { pods: 2, graceSeconds: 30 }));
      await system.untilState(uid, 'evicting');
      await cancel(uid);
      await untilCancelled(uid);
      expect((await system.workload(uid)).status.incarnation).toBe(1);
    },
    TEST_MS_MAX,
  );

  it(
    `at ${RACES} random moments of its start (seed ${SEED}), which fall into all of its stages`,
    async () => {
      const random = randomFor(SEED, 'cancellations');
      // Half of them at once, because the stages are short.
      const moments = Array.from({ length: RACES }, () => random.below(2) * random.below(JITTER_MS_MAX));
      const race = async (moment: number, index: number): Promise<void> => {
        const uid = await system.submit(aScript(`race-${index}`, ENDLESS, { pods: 2 }));
        await untilStage(uid, index % STAGES.length);
        await delay(moment);
        await cancel(uid);
        await untilCancelled(uid);
      };
      for (let first = 0; first < RACES; first += AT_ONCE) {
        await Promise.all(moments.slice(first, first + AT_ONCE).map((moment, index) => race(moment, first + index)));
      }
      const stages = await system.query<{ state: string }>(
        `SELECT DISTINCT coalesce(before ->> 'state', 'pending') AS state FROM audit
         WHERE action IN ('workload.evict', 'workload.finish') AND subject LIKE 'workload/race-%' ORDER BY 1`,
      );
      expect(stages.map(({ state }) => state)).toEqual(expect.arrayContaining(['pending', 'starting', 'running']));
    },
    TEST_MS_MAX,
  );
});
