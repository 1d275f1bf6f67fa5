/**
 * What may go wrong between Berth, the API server and the store behind it, with the real programs. After each fault the
 * API server and the ledger are held against each other; what Berth believes is not asked.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { ServerProcess } from '../support/server-process.js';
import { PodHistory } from './pod-history.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { createNodes, fakeNodes } from './rig/fake-nodes.js';
import { createNamespace } from './rig/namespaces.js';

const TEST_MS_MAX = 600_000;
const PATIENCE_MS = 120_000;
const NODE = { gpus: 8, cpuMilli: 96_000 };
const NODES = fakeNodes({ racks: 2, nodesPerRack: 5 });
const PODS = 500;
const MANY = 100;
const CREATORS = 16;
/** The lease of the leader is 10 s. */
const PAST_THE_LEASE_MS = 13_000;

const QUOTAS = `
teams:
  - { name: research, title: Research }
flavors:
  - { name: h100, model: nvidia-h100-80gb-hbm3 }
queues:
  - { name: research, team: research, quotas: { h100: { nominal: 80 } } }
`;

describeWithRig('Berth, the API server and its store', () => {
  let plane: ControlPlane;
  let system: RunningSystem;
  let history: PodHistory;
  let namespace = '';
  let count = 0;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    await createNodes(plane.api, NODES);
    const options = ['--driver', 'kubernetes', '--kubeconfig', plane.kubeconfig];
    system = await RunningSystem.start({ quotas: QUOTAS, options });
  }, TEST_MS_MAX);
  afterAll(async () => {
    await system.server.remove();
    await plane.stop();
  }, TEST_MS_MAX);
  beforeEach(async () => {
    namespace = `faults-${++count}`;
    await createNamespace(plane.api, namespace, { 'berth.dev/queue': 'research', 'berth.dev/team': 'research' });
    history = await PodHistory.begin(plane.api, namespace);
  }, TEST_MS_MAX);
  /** The same pods, on the same nodes, in both; and everything that goes lets go. */
  afterEach(async () => {
    await until('the ledger to agree with the API server', async () => same(await inLedger(), await inApiServer()), {
      deadlineMs: PATIENCE_MS,
      state: async () => ({ ledger: (await inLedger()).length, apiServer: (await inApiServer()).length }),
    });
    await checkLedger(system);
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
      const options = ['--driver', 'kubernetes', '--kubeconfig', plane.kubeconfig];
      const other = await ServerProcess.start({ database: system.postgres.url, options });
      try {
        await createPods(PODS);
        await untilBound(MANY);
        const before = await epoch();
        system.server.signal('SIGSTOP');
        await delay(PAST_THE_LEASE_MS);
        await until('the other to lead', async () => (await epoch()) > before, { deadlineMs: PATIENCE_MS });
        system.server.signal('SIGCONT');
        await untilBound(PODS);
        expect(await evictions()).toEqual([]);
        const hasNoticed = (): boolean => system.server.logLines.some((line) => line.includes('leadership lost'));
        await until('the first to notice', hasNoticed, { deadlineMs: PATIENCE_MS });
        // With the other gone the first leads again.
        const present = await epoch();
        await other.kill();
        await createPods(10, 'last');
        await untilBound(PODS + 10);
        expect(await epoch()).toBeGreaterThan(present);
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

  /** Pods with their nodes, as the ledger has them; by uid. */
  async function inLedger(): Promise<readonly string[]> {
    const rows = await system.query<{ pod: string }>(
      `SELECT w.found #>> ARRAY['pods', p.pod_set, p.index::text, 'uid'] || ' on ' || p.node AS pod
       FROM pods p JOIN workloads w ON w.uid = p.workload WHERE p.occupied ORDER BY 1`,
    );
    return rows.map(({ pod }) => pod);
  }

  async function inApiServer(): Promise<readonly string[]> {
    const path = '/api/v1/pods?fieldSelector=spec.schedulerName%3Dberth';
    const { items } = await plane.api.ask<{ readonly items: readonly StoredPod[] }>({ method: 'GET', path });
    const standing = items.filter(
      ({ spec, status }) => spec.nodeName !== undefined && status.phase !== 'Succeeded' && status.phase !== 'Failed',
    );
    return standing.map(({ metadata, spec }) => `${metadata.uid} on ${spec.nodeName ?? ''}`).sort();
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

  async function epoch(): Promise<number> {
    const rows = await system.query<{ epoch: string }>('SELECT epoch FROM leadership');
    return Number(rows[0]?.epoch);
  }
});

interface StoredPod {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string };
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
