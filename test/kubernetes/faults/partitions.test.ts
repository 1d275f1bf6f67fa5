/**
 * Ways that are cut without a sign, with the real programs: between Berth and the API server, and between the leading
 * scheduler and its database. Row 4 of the fault plan, and what follows from rule 10 of its design: silence is no evidence.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION, type WorkloadDocumentInput } from '../../../src/server/workloads/workload.schema.js';
import { until } from '../../support/observation-log.js';
import { ServerProcess } from '../../support/server-process.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import type { ControlPlane } from '../rig/control-plane.js';
import { describeWithRig } from '../rig/describe-with-rig.js';
import { fakeNodes } from '../rig/fake-nodes.js';
import { kubeconfigThrough } from '../rig/kubeconfig.js';
import { RunningCluster } from '../running-cluster.js';
import { FaultProxy } from './fault-proxy.js';
import { Trial } from './trial.js';

const TEST_MS_MAX = 300_000;
const PATIENCE_MS = 120_000;
const GPUS = 32;
const NODES = fakeNodes({ racks: 1, nodesPerRack: 4 });
/** A node whose lease is not renewed for 60 s is lost, and its gang is started elsewhere. */
const CUT_MS = 75_000;
/** The lease of the leader is 10 s, contested twice a second; the next one reads ledger and cluster. */
const TAKE_OVER_MS_MAX = 30_000;
const MANY = 100;

describeWithRig('Berth, when a way is cut without a sign,', () => {
  let cluster: RunningCluster;
  let wayToApiServer: TcpProxy;
  let trial: Trial;
  let count = 0;

  beforeAll(async () => {
    const access = async (plane: ControlPlane): Promise<string> => {
      wayToApiServer = await TcpProxy.start({ port: Number(new URL(plane.api.url).port), host: '127.0.0.1' });
      return kubeconfigThrough(plane.kubeconfig, `https://127.0.0.1:${wayToApiServer.port}`);
    };
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS, access });
    await cluster.createNamespace('research');
  }, TEST_MS_MAX);
  afterAll(async () => {
    await cluster.stop();
    await wayToApiServer.stop();
  }, TEST_MS_MAX);
  beforeEach(async () => {
    trial = await Trial.begin(cluster, `cut-${++count}`);
  }, TEST_MS_MAX);
  afterEach(() => trial.end(), TEST_MS_MAX);

  it(
    'evicts nobody and starts nobody elsewhere while it hears nothing of the cluster, and goes on afterwards',
    async () => {
      const { system } = cluster;
      const uid = await system.submit(aGang('ring', 2));
      await system.untilState(uid, 'running');
      await trial.createPods(8, { gpus: 1 });
      await trial.untilBound(8);
      const before = await placesInLedger();
      wayToApiServer.cut();
      await trial.createPods(4, { prefix: 'later', gpus: 1 });
      await delay(CUT_MS);
      expect(await placesInLedger()).toEqual(before);
      wayToApiServer.mend();
      await trial.untilBound(12);
      expect(await trial.evictions()).toEqual([]);
      expect(await placesInLedger()).toEqual(expect.arrayContaining([...before]));
      expect((await system.workload(uid)).status).toMatchObject({ state: 'running', incarnation: 1, retries: 0 });
      await system.server.client.cancelWorkload(uid);
    },
    TEST_MS_MAX,
  );

  it(
    'follows the next scheduler when the leader does not reach the ledger any more, and that one binds nothing from then on',
    async () => {
      const { plane, system } = cluster;
      const { postgres } = system;
      const wayToLedger = await TcpProxy.start({ path: join(postgres.socketFolder, '.s.PGSQL.5432') });
      const proxy = await FaultProxy.start(plane);
      const leader = await ServerProcess.start({
        database: `postgres://app@127.0.0.1:${wayToLedger.port}/postgres`,
        options: ['--driver', 'kubernetes', '--kubeconfig', proxy.kubeconfig],
      });
      try {
        await system.server.kill();
        const own = await cluster.epoch();
        await until('it to lead', async () => (await cluster.epoch()) > own, { deadlineMs: PATIENCE_MS });
        await system.server.start();
        // Work in hand: each binding takes its time, and more are to come.
        proxy.decide(({ method }) => (method === 'GET' ? undefined : { kind: 'waits', until: delay(500) }));
        const creating = trial.createPods(MANY);
        await trial.untilBound(10);
        const before = await cluster.epoch();
        wayToLedger.cut();
        await until('the next one to lead', async () => (await cluster.epoch()) > before, {
          deadlineMs: TAKE_OVER_MS_MAX,
        });
        proxy.mend();
        await creating;
        await trial.untilBound(MANY);
        // What it has bound it may still say so in an event.
        const orders = proxy.calls.filter(
          ({ method, path }) => method === 'POST' && /\/(binding|eviction)$/.test(path),
        );
        expect(orders.map(({ path }) => path)).toEqual([]);
        expect(await trial.evictions()).toEqual([]);
        wayToLedger.mend();
        const hasNoticed = (): boolean => leader.logLines.some((line) => /leadership lost|term ended/.test(line));
        await until('the former leader to notice', hasNoticed, { deadlineMs: PATIENCE_MS });
      } finally {
        wayToLedger.mend();
        await leader.remove();
        await proxy.stop();
        await wayToLedger.stop();
      }
    },
    TEST_MS_MAX,
  );

  async function placesInLedger(): Promise<readonly string[]> {
    const sql = `SELECT name || ' on ' || node AS pod FROM pods WHERE claimed OR occupied ORDER BY 1`;
    return (await cluster.system.query<{ pod: string }>(sql)).map(({ pod }) => pod);
  }
});

function aGang(name: string, pods: number): WorkloadDocumentInput {
  const template = { spec: { containers: [{ name: 'main', image: 'none', command: ['train'] }] } };
  return {
    apiVersion: API_VERSION,
    kind: 'Workload',
    metadata: { name },
    spec: { queue: 'research', podSets: [{ count: pods, accelerators: { flavors: ['h100'], count: 8 }, template }] },
  };
}
