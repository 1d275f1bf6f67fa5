/**
 * What may go wrong between Berth, the API server and the store behind it, with the real programs. After each fault the
 * API server and the ledger are held against each other; what Berth believes is not asked.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import type { RunningSystem } from '../support/running-system.js';
import { untilAgreed } from './cluster-laws.js';
import { PodHistory } from './pod-history.js';
import type { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { fakeNodes } from './rig/fake-nodes.js';
import { RunningCluster } from './running-cluster.js';

const TEST_MS_MAX = 600_000;
const PATIENCE_MS = 120_000;
const NODE = { gpus: 8, cpuMilli: 96_000 };
const NODES = fakeNodes({ racks: 2, nodesPerRack: 5 });
const GPUS = 80;
const PODS = 500;
const MANY = 100;
const CREATORS = 16;
/** The lease of the leader is 10 s. */
const PAST_THE_LEASE_MS = 13_000;

describeWithRig('Berth, the API server and its store', () => {
  let cluster: RunningCluster;
  let plane: ControlPlane;
  let system: RunningSystem;
  let history: PodHistory;
  let namespace = '';
  let count = 0;

  beforeAll(async () => {
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS });
    ({ plane, system } = cluster);
  }, TEST_MS_MAX);
  afterAll(() => cluster.stop(), TEST_MS_MAX);
  beforeEach(async () => {
    namespace = `faults-${++count}`;
    await cluster.createNamespace(namespace);
    history = await PodHistory.begin(plane.api, namespace);
  }, TEST_MS_MAX);
  /** The same pods, on the same nodes, in both; and everything that goes lets go. */
  afterEach(async () => {
    await untilAgreed(cluster);
    expect(history.overfull(NODE)).toEqual([]);
    await history.end();
    await plane.kubectl.run(['delete', 'namespace', namespace, '--wait=false']);
    await until('the ledger to let everything go', () => isAtRest(system), { deadlineMs: PATIENCE_MS });
    await checkLedger(system);
  }, TEST_MS_MAX);

  it(
    'bind 500 pods once each, though the API server dies in the middle',
    async () => {
      await createPods(PODS);
      await untilBound(MANY);
      await plane.kill('kube-apiserver');
      await plane.restart('kube-apiserver');
      await untilBound(PODS);
      expect(await evictions()).toEqual([]);
    },
    TEST_MS_MAX,
  );

  it.each([5, 30])(
    'go on where they were when the store was frozen for %i s in the middle, and evict nobody',
    async (seconds) => {
      await createPods(PODS);
      await untilBound(MANY);
      plane.signal('etcd', 'SIGSTOP');
      await delay(seconds * 1000);
      plane.signal('etcd', 'SIGCONT');
      await untilBound(PODS);
      expect(await evictions()).toEqual([]);
    },
    TEST_MS_MAX,
  );

  it(
    'let go of all pods of a namespace that is deleted, those that run and those that wait',
    async () => {
      await createPods(MANY);
      await untilBound(MANY);
      await createPods(10, 'never');
      await until('those to wait', async () => (await waiting()) === 10, { deadlineMs: PATIENCE_MS });
      await plane.kubectl.run(['delete', 'namespace', namespace, '--wait=false']);
      await until('the ledger to let everything go', () => isAtRest(system), { deadlineMs: PATIENCE_MS });
      await until('nobody to wait', async () => (await waiting()) === 0, { deadlineMs: PATIENCE_MS });
    },
    TEST_MS_MAX,
  );

  it(
    'follow one scheduler at a time: another leads when the first is frozen past its lease, and that one stops when it wakes',
    async () => {
      const other = await cluster.startStandby();
      try {
        await createPods(PODS);
        await untilBound(MANY);
        const before = await cluster.epoch();
        system.server.signal('SIGSTOP');
        await delay(PAST_THE_LEASE_MS);
        await until('the other to lead', async () => (await cluster.epoch()) > before, { deadlineMs: PATIENCE_MS });
        system.server.signal('SIGCONT');
        await untilBound(PODS);
        expect(await evictions()).toEqual([]);
        const hasNoticed = (): boolean => system.server.logLines.some((line) => line.includes('leadership lost'));
        await until('the first to notice', hasNoticed, { deadlineMs: PATIENCE_MS });
        // With the other gone the first leads again.
        const present = await cluster.epoch();
        await other.kill();
        await createPods(10, 'last');
        await untilBound(PODS + 10);
        expect(await cluster.epoch()).toBeGreaterThan(present);
      } finally {
        await other.remove();
      }
    },
    TEST_MS_MAX,
  );

  async function createPods(amount: number, prefix: 'pod' | 'last' | 'never' = 'pod'): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const nodeSelector = prefix === 'never' ? { nodeSelector: { nowhere: 'true' } } : {};
    let next = 0;
    const creator = async (): Promise<void> => {
      for (let index = next++; index < amount; index = next++) {
        const containers = [{ name: 'main', image: 'none', resources: { requests: { cpu: '1' } } }];
        const body = {
          metadata: { name: `${prefix}-${index}` },
          spec: { schedulerName: 'berth', ...nodeSelector, containers },
        };
        await plane.api.ask({ method: 'POST', path, body, timeoutMs: PATIENCE_MS });
      }
    };
    await Promise.all(Array.from({ length: CREATORS }, creator));
  }

  async function untilBound(amount: number): Promise<void> {
    await until(`${amount} bound pods`, () => history.boundPods >= amount, {
      deadlineMs: PATIENCE_MS,
      state: () => history.boundPods,
    });
  }

  async function evictions(): Promise<readonly unknown[]> {
    const sql = `SELECT d.body FROM decisions d JOIN workloads w ON w.uid = d.workload
      WHERE d.kind = 'evict' AND w.name LIKE $1`;
    return system.query(sql, [`${namespace}/%`]);
  }

  async function waiting(): Promise<number> {
    const rows = await system.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM workloads WHERE state = 'pending' AND name LIKE $1`,
      [`${namespace}/never-%`],
    );
    return rows[0]?.count ?? 0;
  }
});
