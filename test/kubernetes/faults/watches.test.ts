/**
 * What may go wrong with what Berth sees of the cluster, with the real programs: watches that are cut, stall, expire,
 * lose events and come late. Rows 13 to 16 of the fault plan.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/observation-log.js';
import type { ControlPlane } from '../rig/control-plane.js';
import { describeWithRig } from '../rig/describe-with-rig.js';
import { fakeNodes } from '../rig/fake-nodes.js';
import { RunningCluster } from '../running-cluster.js';
import { FaultProxy } from './fault-proxy.js';
import { Trial } from './trial.js';

const TEST_MS_MAX = 300_000;
const GPUS = 32;
const NODES = fakeNodes({ racks: 1, nodesPerRack: 4 });
const PODS_PATH = '/api/v1/pods';
/** The API server says something once a minute at least; a silence of 65 s is one too many. */
const STALL_MS_MAX = 80_000;
const OLD_VIEW_MS = 10_000;

describeWithRig('what Berth sees of the cluster', () => {
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
    trial = await Trial.begin(cluster, `seen-${++count}`);
  }, TEST_MS_MAX);
  afterEach(async () => {
    proxy.mend();
    await trial.end();
  }, TEST_MS_MAX);

  it(
    'is seen again when all watches are cut, five times, and none of the deletes between is missed',
    async () => {
      await trial.createPods(20, { gpus: 1 });
      await trial.untilBound(20);
      const creating = trial.createPods(GPUS, { prefix: 'more', gpus: 1 });
      for (let cut = 0; cut < 5; cut += 1) {
        proxy.cutWatches();
        await trial.deletePods([0, 1, 2, 3].map((i) => `pod-${cut * 4 + i}`));
      }
      await creating;
      await trial.untilBound(20 + GPUS);
      expect(await trial.evictions()).toEqual([]);
    },
    TEST_MS_MAX,
  );

  it(
    'is listed once when the store has forgotten what was between, and what went meanwhile is gone',
    async () => {
      await trial.createPods(GPUS, { gpus: 1 });
      await trial.untilBound(GPUS);
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      proxy.decide(({ isWatch }) => (isWatch ? { kind: 'waits', until: released } : undefined));
      proxy.cutWatches();
      await trial.deletePods(podNames('pod', 10));
      await trial.createPods(10, { prefix: 'next', gpus: 1 });
      await cluster.plane.compact();
      // Its own memory of what was is gone too.
      await cluster.plane.restart('kube-apiserver');
      proxy.mend();
      release();
      await trial.untilBound(GPUS + 10);
      // One pod is asked for by its name.
      const lists = proxy.calls.filter(
        ({ method, path, query, isWatch }) =>
          method === 'GET' && path === PODS_PATH && !isWatch && !query.has('fieldSelector'),
      );
      expect(lists).toHaveLength(1);
      expect(troubles('expired').length).toBeGreaterThan(0);
    },
    TEST_MS_MAX,
  );

  it(
    'is put right by the next list after the watch has lost deletes, and nothing is given twice until then',
    async () => {
      await trial.createPods(GPUS, { gpus: 1 });
      await trial.untilBound(GPUS);
      let lost = 0;
      proxy.decideEvents(({ type, object }) => {
        if (type !== 'DELETED' || object.kind !== 'Pod') return 'passes';
        lost += 1;
        return 'lost';
      });
      await trial.deletePods(podNames('pod', 8));
      await until('the deletes to be lost', () => lost === 8);
      await trial.createPods(8, { prefix: 'next', gpus: 1 });
      proxy.mend();
      proxy.expireWatches();
      await trial.untilBound(GPUS + 8);
    },
    TEST_MS_MAX,
  );

  it(
    'may be 10 s old, and what has changed meanwhile is not bound by it',
    async () => {
      await trial.createPods(GPUS, { gpus: 1 });
      await trial.createPods(10, { prefix: 'again', gpus: 1 });
      await trial.untilBound(GPUS);
      const { standing } = trial.history;
      const all = [...podNames('pod', GPUS), ...podNames('again', 10)];
      const waiting = all.filter((name) => !standing.includes(name));
      proxy.decideEvents(() => delay(OLD_VIEW_MS));
      // Berth hears that there is room, and gives it to pods that have been deleted since, some under the same names.
      await trial.deletePods(standing.slice(0, 10));
      await trial.deletePods(waiting);
      await trial.createPods(10, { prefix: 'again', gpus: 1 });
      await trial.createPods(10, { prefix: 'new', gpus: 1 });
      await trial.untilBound(GPUS + 10);
    },
    TEST_MS_MAX,
  );

  it(
    'is asked for anew when its watches have said nothing for 65 s',
    async () => {
      await trial.createPods(4, { gpus: 1 });
      await trial.untilBound(4);
      const before = troubles('silent').length;
      proxy.stallWatches();
      await trial.createPods(4, { prefix: 'unseen', gpus: 1 });
      await trial.deletePods(['pod-0']);
      await trial.untilBound(8, STALL_MS_MAX);
      expect(troubles('silent').length).toBeGreaterThan(before);
    },
    TEST_MS_MAX,
  );

  function troubles(what: string): readonly string[] {
    return cluster.system.server.logLines.filter((line) => line.includes(`"what":"${what}"`));
  }
});

function podNames(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
