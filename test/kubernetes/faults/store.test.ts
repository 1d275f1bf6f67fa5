/**
 * The death of the API server and of the store behind it, with the real programs, while pods come and are bound. Rows 6, 7
 * and 34 of the fault plan.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { isAtRest } from '../../support/ledger-invariants.js';
import { until } from '../../support/observation-log.js';
import { describeWithRig } from '../rig/describe-with-rig.js';
import { fakeNodes } from '../rig/fake-nodes.js';
import { RunningCluster } from '../running-cluster.js';
import { Trial } from './trial.js';

const TEST_MS_MAX = 600_000;
const PATIENCE_MS = 120_000;
const NODES = fakeNodes({ racks: 2, nodesPerRack: 5 });
const GPUS = 80;
const PODS = 150;
const SOME = 30;
/** After the end of a fault, with the pods that could not be created until then. */
const BOUND_MS = 60_000;

describeWithRig('Berth binds each pod once', () => {
  let cluster: RunningCluster;
  let trial: Trial;
  let count = 0;

  beforeAll(async () => {
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS });
  }, TEST_MS_MAX);
  afterAll(() => cluster.stop(), TEST_MS_MAX);
  beforeEach(async () => {
    trial = await Trial.begin(cluster, `store-${++count}`);
  }, TEST_MS_MAX);
  afterEach(() => trial.end(BOUND_MS), TEST_MS_MAX);

  it.each([5, 30])(
    'when the store is frozen for %i s in the middle, and evicts nobody',
    async (seconds) => {
      await duringCreation(async () => {
        cluster.plane.signal('etcd', 'SIGSTOP');
        await delay(seconds * 1000);
        cluster.plane.signal('etcd', 'SIGCONT');
      });
    },
    TEST_MS_MAX,
  );

  it.each(['kube-apiserver', 'etcd'] as const)(
    'when %s is killed in the middle, and started on what it left',
    async (program) => {
      await duringCreation(async () => {
        await cluster.plane.kill(program);
        await cluster.plane.restart(program);
      });
    },
    TEST_MS_MAX,
  );

  it(
    'and lets go of all pods of a namespace that is deleted, those that run and those that wait',
    async () => {
      await trial.createPods(SOME);
      await trial.untilBound(SOME);
      await trial.createPods(10, { prefix: 'never', nodeSelector: { nowhere: 'true' } });
      const waiting = (): Promise<number> => trial.workloads('pending', 'never');
      await until('those to wait', async () => (await waiting()) === 10, { deadlineMs: PATIENCE_MS });
      await cluster.plane.kubectl.run(['delete', 'namespace', trial.namespace, '--wait=false']);
      await until('the ledger to let everything go', () => isAtRest(cluster.system), { deadlineMs: PATIENCE_MS });
      await until('nobody to wait', async () => (await waiting()) === 0, { deadlineMs: PATIENCE_MS });
    },
    TEST_MS_MAX,
  );

  async function duringCreation(fault: () => Promise<void>): Promise<void> {
    const creating = trial.createPods(PODS);
    await trial.untilBound(SOME);
    await fault();
    await creating;
    await trial.untilBound(PODS, BOUND_MS);
    expect(trial.history.boundPods).toBe(PODS);
    expect(await trial.evictions()).toEqual([]);
  }
});
