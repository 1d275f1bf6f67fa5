import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_LOCAL_LIMITS } from '../../src/cluster/local/local-limits.js';
import { EXIT } from '../../src/trainer/contract.js';
import { randomFor } from '../../src/trainer/random.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { smallFleet } from '../support/small-fleet.js';
import { TrainingData, resultOf, type TrainingResult } from '../support/training-data.js';
import { aScript, aTraining } from '../support/workload-documents.js';

/** Several lives of a server, each with up to ten seconds until the lease of its predecessor has run out. */
const SUITE_MS_MAX = 300_000;
/** The promise: so long after its server died, no pod runs, unless another server has come. */
const PODS_END_MS_MAX = 10_000;
const EPOCHS = 100;
const LOOK_MS = 25;
const KILLS = 3;
const SEED = 20_261_125;
/** A life of a server that leads: within this time something of the job happens. */
const LIFE_MS_MAX = 3_000;

describe('when the server is killed with -9', () => {
  const data = new TrainingData();
  let system: RunningSystem;
  let undisturbed: Promise<TrainingResult>;

  beforeAll(async () => {
    system = await RunningSystem.start(smallFleet(2));
    undisturbed = data.undisturbed(EPOCHS);
    undisturbed.catch(() => undefined); // whoever compares with it hears of it
  }, SUITE_MS_MAX);

  afterAll(async () => {
    await system.server.remove();
    data.remove();
  }, SUITE_MS_MAX);

  async function expectSameResult(uid: string): Promise<void> {
    const report = await system.server.client.report(uid);
    expect(resultOf(report, system.checkpoints(uid))).toEqual(await undisturbed);
  }

  it(
    'a training goes on under the next one as if nothing had happened',
    async () => {
      const uid = await system.submit(aTraining('killed', data.job(EPOCHS)));
      await system.untilCheckpoint(uid);
      const killedAt = performance.now();
      await system.server.kill();
      await system.server.start();
      const isBackInTime = performance.now() - killedAt < DEFAULT_LOCAL_LIMITS.adoptWithinMs;
      const { status } = await system.untilState(uid, 'succeeded');
      expect(status.retries).toBe(0);
      // On a machine where a server takes longer to start, it resumes from a checkpoint.
      expect(status.incarnation === 1 || !isBackInTime).toBe(true);
      await expectSameResult(uid);
    },
    SUITE_MS_MAX,
  );

  it(
    'for so long that its pods have saved and ended, a training resumes from its checkpoint',
    async () => {
      const uid = await system.submit(aTraining('orphaned', data.job(EPOCHS)));
      await system.untilCheckpoint(uid);
      await system.server.kill();
      await system.untilNoPods(PODS_END_MS_MAX);
      await system.server.start();
      const { status } = await system.untilState(uid, 'succeeded');
      expect(status).toMatchObject({ incarnation: 2, retries: 0 });
      const ends = await system.query<{ exit_code: number }>(
        'SELECT outcome, exit_code FROM pods WHERE workload = $1 ORDER BY incarnation',
        [uid],
      );
      // On a machine too slow to save within the grace, the pod was killed, and goes on from an earlier checkpoint.
      expect(ends).toMatchObject([{ outcome: 'evicted' }, { outcome: 'succeeded', exit_code: 0 }]);
      expect([EXIT.preempted, EXIT.killed]).toContain(ends[0]?.exit_code);
      expect((await system.server.client.report(uid)).resumedFromStep).toBeGreaterThan(0);
      await expectSameResult(uid);
    },
    SUITE_MS_MAX,
  );

  it(
    'together with its database, whatever it had confirmed is there afterwards',
    async () => {
      const confirmed: string[] = [];
      const killed = new AbortController();
      const submitting = (async () => {
        while (!killed.signal.aborted) {
          const name = `confirmed-${confirmed.length}`;
          confirmed.push(await system.submit(aScript(name, 'exit 0', { devices: 0 })));
        }
      })().catch(() => undefined); // the one that the kill interrupts
      await until('some submissions', () => confirmed.length > 5);
      process.kill(system.postmaster, 'SIGKILL');
      await system.server.kill();
      killed.abort();
      await submitting;
      await system.server.start();
      for (const uid of confirmed) await system.untilState(uid, 'succeeded');
    },
    SUITE_MS_MAX,
  );

  it(
    `at ${KILLS} random moments of its life (seed ${SEED}), a job ends well, and no two of its pods ever run at once`,
    async () => {
      const random = randomFor(SEED, 'kills');
      const watch = new IncarnationWatch(system);
      const uid = await system.submit(aTraining('harassed', data.job(EPOCHS)));
      for (let kill = 0; kill < KILLS; kill += 1) {
        // Once in its first moments, before there is a leader, and then in the midst of work.
        await watch.during(random.below(LIFE_MS_MAX));
        await system.server.kill();
        if (kill % 2 === 1) await watch.during(random.below(PODS_END_MS_MAX));
        await system.server.start();
      }
      await watch.while(system.untilState(uid, 'succeeded'));
      await expectSameResult(uid);
      expect(watch.together).toEqual([]);
      const pods = await system.query<{ incarnation: number }>(
        'SELECT incarnation FROM pods WHERE workload = $1 ORDER BY 1',
        [uid],
      );
      const { incarnation } = (await system.workload(uid)).status;
      expect(pods.map((pod) => pod.incarnation)).toEqual(Array.from({ length: incarnation }, (_, index) => index + 1));
    },
    SUITE_MS_MAX,
  );
});

/** Looks again and again whether programs of two incarnations of one workload run. */
class IncarnationWatch {
  readonly together: string[] = [];

  constructor(private readonly system: RunningSystem) {}

  look(): void {
    const seen = new Map<string, number>();
    for (const { workload, incarnation } of this.system.pods()) {
      const other = seen.get(workload) ?? incarnation;
      if (other !== incarnation) this.together.push(`${workload}: ${other} and ${incarnation}`);
      seen.set(workload, incarnation);
    }
  }

  async during(ms: number): Promise<void> {
    await this.while(delay(ms));
  }

  async while(work: Promise<unknown>): Promise<void> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    work.then(end, end);
    await until(
      'the end of the watch',
      async () => {
        this.look();
        await delay(LOOK_MS);
        return isOver;
      },
      { deadlineMs: SUITE_MS_MAX },
    );
    await work;
  }
}
