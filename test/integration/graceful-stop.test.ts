import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { processesBelow } from '../support/running-processes.js';
import { RunningSystem } from '../support/running-system.js';
import { smallFleet } from '../support/small-fleet.js';
import { TrainingData } from '../support/training-data.js';
import { aScript, aTraining } from '../support/workload-documents.js';

const TEST_MS_MAX = 180_000;
/** The promise for Ctrl-C and SIGTERM. */
const STOP_MS_MAX = 10_000;
const EPOCHS = 120;
const STUBBORN = `trap '' TERM; while :; do sleep 0.1; done`;

describe('when the server is stopped', () => {
  const data = new TrainingData();
  let system: RunningSystem;

  beforeAll(async () => {
    system = await RunningSystem.start(smallFleet(2));
  }, TEST_MS_MAX);

  afterAll(async () => {
    await system.server.remove();
    data.remove();
  }, TEST_MS_MAX);

  async function stop(): Promise<void> {
    const start = performance.now();
    expect(await system.server.stop()).toBe(0);
    expect(performance.now() - start).toBeLessThan(STOP_MS_MAX);
    expect(processesBelow(system.server.dataDirectory)).toEqual([]);
  }

  it(
    'all its pods and its database end with it, and a training goes on from its checkpoint under the next one',
    async () => {
      const training = await system.submit(aTraining('training', data.job(EPOCHS)));
      const stubborn = await system.submit(aScript('stubborn', STUBBORN, { graceSeconds: 60 }));
      await system.untilState(stubborn, 'running');
      await system.untilCheckpoint(training);
      await stop();
      await system.server.start();
      const { status } = await system.untilState(training, 'succeeded');
      expect(status).toMatchObject({ incarnation: 2, retries: 0 });
      expect((await system.server.client.report(training)).resumedFromStep).toBeGreaterThan(0);
      const ends = await system.query(
        'SELECT p.outcome, p.exit_code FROM pods p WHERE p.incarnation = 1 ORDER BY p.exit_code',
      );
      expect(ends).toEqual([
        { outcome: 'evicted', exit_code: 75 },
        { outcome: 'evicted', exit_code: 137 },
      ]);
      await system.untilWorkload(stubborn, 'running again', ({ status: { state, incarnation } }) => {
        return state === 'running' && incarnation === 2;
      });
    },
    TEST_MS_MAX,
  );

  it(
    'it takes along the database and the pods that it has from a server that was killed',
    async () => {
      await system.server.kill();
      await system.server.start();
      await stop();
    },
    TEST_MS_MAX,
  );
});
