/**
 * What may go wrong with the answers of the API server, with the real programs: it is overloaded, fails before or after it
 * has done what was asked, does not get its answer through, or is slow. Rows 9 to 12 of the fault plan.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/observation-log.js';
import type { ControlPlane } from '../rig/control-plane.js';
import { describeWithRig } from '../rig/describe-with-rig.js';
import { fakeNodes } from '../rig/fake-nodes.js';
import { RunningCluster } from '../running-cluster.js';
import { FaultProxy, type Fate } from './fault-proxy.js';
import { Trial } from './trial.js';

const TEST_MS_MAX = 300_000;
const GPUS = 32;
const NODES = fakeNodes({ racks: 1, nodesPerRack: 4 });
const GANGS = 4;
const GANG_PODS = 4;
const SINGLES = 40;
const PODS = GANGS * GANG_PODS + SINGLES;
/** Of a gang that is bound in part, and of everything after the fault. */
const BOUND_MS = 30_000;

/** What becomes of each tenth write, by its last digit; all others pass. */
const faults: Readonly<Record<string, Readonly<Record<number, Fate>>>> = {
  'asks for a second of patience at each second write': Object.fromEntries(
    [0, 2, 4, 6, 8].map((digit) => [digit, { kind: 'answered', when: 'instead', status: 429, retryAfterSeconds: 1 }]),
  ),
  'fails at 30 % of writes, before or after it has done what was asked': {
    0: { kind: 'answered', when: 'instead', status: 500 },
    3: { kind: 'answered', when: 'after', status: 503 },
    6: { kind: 'answered', when: 'after', status: 504 },
  },
  'does what was asked at 30 % of writes, and nobody hears its answer': {
    0: { kind: 'cut', when: 'after' },
    3: { kind: 'cut', when: 'after' },
    6: { kind: 'cut', when: 'after' },
  },
};

describeWithRig('Berth starts and stops each pod once, though the API server', () => {
  let cluster: RunningCluster;
  let proxy: FaultProxy;
  let trial: Trial;
  let count = 0;

  beforeAll(async () => {
    const access = async (plane: ControlPlane): Promise<string> => {
      proxy = await FaultProxy.start(plane);
      return proxy.kubeconfig;
    };
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS, access });
  }, TEST_MS_MAX);
  afterAll(async () => {
    await cluster.stop();
    await proxy.stop();
  }, TEST_MS_MAX);
  beforeEach(async () => {
    trial = await Trial.begin(cluster, `answers-${++count}`);
  }, TEST_MS_MAX);
  afterEach(async () => {
    proxy.mend();
    await trial.end(BOUND_MS);
  }, TEST_MS_MAX);

  it.each(Object.entries(faults))(
    '%s',
    async (_title, fates) => {
      let writes = 0;
      proxy.decide(({ method }) => (method === 'GET' ? undefined : fates[writes++ % 10]));
      await startAll();
      await stopGangs();
      expect(callsOf('binding')).toBeLessThanOrEqual(3 * PODS);
    },
    TEST_MS_MAX,
  );

  it(
    'needs 2 s for each answer',
    async () => {
      const slow = (): Fate => ({ kind: 'waits', until: delay(2000) });
      proxy.decide(slow);
      await startAll();
      await stopGangs();
      expect(callsOf('binding')).toBe(PODS);
      expect(cluster.system.server.logLines.filter((line) => line.includes('no answer in time'))).toEqual([]);
    },
    TEST_MS_MAX,
  );

  async function startAll(): Promise<void> {
    for (let gang = 0; gang < GANGS; gang += 1) {
      const name = `gang-${gang}`;
      await trial.createPods(GANG_PODS, { prefix: name, gpus: 2, gang: { name, size: GANG_PODS } });
    }
    await trial.createPods(SINGLES);
    await trial.untilBound(PODS);
    expect(await trial.evictions()).toEqual([]);
  }

  /** Somebody takes a pod of each gang back, and Berth evicts the others. */
  async function stopGangs(): Promise<void> {
    await trial.deletePods(Array.from({ length: GANGS }, (_, gang) => `gang-${gang}-0`));
    const { history } = trial;
    await until('the gangs to go', () => history.standing.length === SINGLES, {
      deadlineMs: 120_000,
      state: () => history.standing,
    });
  }

  function callsOf(subresource: string): number {
    return proxy.calls.filter(({ method, path }) => method === 'POST' && path.endsWith(`/${subresource}`)).length;
  }
});
