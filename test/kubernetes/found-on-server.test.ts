/**
 * What users of kubectl see when Berth schedules what they make: Deployments, Jobs, bare pods and gangs, on a real API
 * server, with the whole server.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import type { RunningSystem } from '../support/running-system.js';
import { untilAgreed } from './cluster-laws.js';
import type { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { GPU_RESOURCE, RACK_LABEL, fakeNodes } from './rig/fake-nodes.js';
import { RunningCluster } from './running-cluster.js';

const TEST_MS_MAX = 300_000;
const PATIENCE_MS = 120_000;
const NAMESPACE = 'shop';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
/** 32 GPUs in two racks; the quota has 24 of them. */
const NODES = fakeNodes({ racks: 2, nodesPerRack: 2 });
const QUOTA_GPUS = 24;

interface StoredPod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

describeWithRig('what others make, scheduled by the server', () => {
  let cluster: RunningCluster;
  let plane: ControlPlane;
  let system: RunningSystem;

  beforeAll(async () => {
    cluster = await RunningCluster.start({ nodes: NODES, gpus: QUOTA_GPUS });
    ({ plane, system } = cluster);
    await cluster.createNamespace(NAMESPACE);
  }, TEST_MS_MAX);
  afterAll(() => cluster.stop(), TEST_MS_MAX);
  /** Everything that a test made goes, and the ledger lets go of it. */
  afterEach(async () => {
    await untilAgreed(cluster);
    await kubectl('delete', 'deployments,jobs,podgroups,pods', '--all', '--wait=false');
    await until('the last pod to be removed', async () => (await podsOf()).length === 0, { deadlineMs: PATIENCE_MS });
    await until('the ledger to let everything go', () => isAtRest(system), { deadlineMs: PATIENCE_MS });
    await checkLedger(system);
  }, TEST_MS_MAX);

  function kubectl(...args: readonly string[]): Promise<string> {
    return plane.kubectl.run(['-n', NAMESPACE, ...args], { timeoutMs: PATIENCE_MS });
  }

  function apply(...manifests: readonly object[]): Promise<string> {
    const input = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
    return plane.kubectl.run(['-n', NAMESPACE, 'create', '-f', '-'], { input });
  }

  async function podsOf(selector = ''): Promise<readonly StoredPod[]> {
    const path = `${PODS}?labelSelector=${encodeURIComponent(selector)}`;
    return (await plane.api.ask<{ readonly items: readonly StoredPod[] }>({ method: 'GET', path })).items;
  }

  async function untilRunning(count: number, selector = ''): Promise<readonly StoredPod[]> {
    const running = async (): Promise<readonly StoredPod[]> =>
      (await podsOf(selector)).filter(({ status }) => status.phase === 'Running');
    await until(`${count} running pods`, async () => (await running()).length === count, {
      deadlineMs: PATIENCE_MS,
      state: () => podsOf(selector),
    });
    return running();
  }

  async function untilSaid(pod: string, words: string | RegExp): Promise<string> {
    let said = '';
    await until(
      `kubectl describe pod ${pod} to say ${String(words)}`,
      async () => {
        said = await kubectl('describe', 'pod', pod);
        return typeof words === 'string' ? said.includes(words) : words.test(said);
      },
      { deadlineMs: PATIENCE_MS, state: () => said },
    );
    return said;
  }

  async function reasonOf(pod: string): Promise<string | undefined> {
    const found = (await podsOf()).find(({ metadata }) => metadata.name === pod);
    return found?.status.conditions?.find(({ type }) => type === 'PodScheduled')?.reason;
  }

  describe('one by one', () => {
    it(
      'runs a Deployment, makes up for a pod that is deleted, and says where each went',
      async () => {
        await apply(aDeployment('web', 3));
        await kubectl('rollout', 'status', 'deployment/web', '--timeout=100s');
        const [first] = await untilRunning(3, 'app=web');
        const name = first?.metadata.name ?? '';
        await untilSaid(name, `Successfully assigned ${NAMESPACE}/${name} to ${first?.spec.nodeName ?? ''}`);
        await kubectl('delete', 'pod', name);
        const after = await untilRunning(3, 'app=web');
        expect(after.map(({ metadata }) => metadata.name)).not.toContain(name);
      },
      TEST_MS_MAX,
    );

    it(
      'runs a Job to its completion, and tells it so',
      async () => {
        const template = { spec: { ...aPodSpec(1), restartPolicy: 'Never' } };
        const spec = { completions: 4, parallelism: 2, template };
        await apply({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'batch' }, spec });
        await kubectl('wait', '--for=condition=complete', 'job/batch', '--timeout=100s');
        await until('four that have succeeded', async () => (await statesOf('batch')).length === 4, {
          deadlineMs: PATIENCE_MS,
          state: () => statesOf('batch'),
        });
      },
      TEST_MS_MAX,
    );

    it(
      'goes on after the server was killed, with what it finds',
      async () => {
        await apply(aDeployment('web', 2));
        const before = await untilRunning(2);
        await system.server.kill();
        await apply(aPod('later', 1));
        await system.server.start();
        await untilRunning(3);
        const names = (await podsOf('app=web')).map(({ metadata }) => metadata.name);
        expect(names).toEqual(before.map(({ metadata }) => metadata.name));
      },
      TEST_MS_MAX,
    );
  });

  describe('that waits, a pod says why', () => {
    it(
      'with new nodes in sight for a cluster that grows by itself',
      async () => {
        await apply(aPod('huge', 16));
        await untilSaid('huge', /FailedScheduling/);
        expect(await reasonOf('huge')).toBe('Unschedulable');
      },
      TEST_MS_MAX,
    );

    it(
      'without, when it is the quota that keeps it, until that is free',
      async () => {
        await apply(...Array.from({ length: 4 }, (_, i) => aPod(`p-${i}`, 8)));
        const running = await untilRunning(3);
        const names = running.map(({ metadata }) => metadata.name);
        const waiting = [0, 1, 2, 3].map((i) => `p-${i}`).find((name) => !names.includes(name)) ?? '';
        await untilSaid(waiting, 'Queue research lacks quota');
        expect(await reasonOf(waiting)).toBe('WaitingForQuota');
        await kubectl('delete', 'pod', names[0] ?? '');
        await untilRunning(3);
        expect((await podsOf()).map(({ status }) => status.phase)).toEqual(['Running', 'Running', 'Running']);
      },
      TEST_MS_MAX,
    );

    it(
      'when its queue does not exist, and when Berth cannot honour a field',
      async () => {
        const { metadata, ...rest } = aPod('lost', 1);
        await apply({ ...rest, metadata: { ...metadata, labels: { 'berth.dev/queue': 'nowhere' } } });
        await untilSaid('lost', 'there is no queue nowhere');
        const resources = { requests: { 'example.com/thing': '1' }, limits: { 'example.com/thing': '1' } };
        await apply(aPod('odd', 0, { containers: [{ name: 'main', image: 'none', resources }] }));
        await untilSaid('odd', 'spec.resources.requests[example.com/thing]');
      },
      TEST_MS_MAX,
    );
  });

  describe('a gang', () => {
    it(
      'by labels starts whole or not at all',
      async () => {
        const member = (i: number) => inGang(aPod(`ring-${i}`, 8), 'ring', 3);
        await apply(member(0), member(1));
        await untilSaid('ring-0', 'waits for 1 of 3 pods');
        await apply(member(2));
        await untilRunning(3);
      },
      TEST_MS_MAX,
    );

    it(
      'by PodGroup starts in one rack when its group asks for that',
      async () => {
        const schedulingConstraints = { topology: [{ key: RACK_LABEL }] };
        const spec = { schedulingPolicy: { gang: { minCount: 2 } }, schedulingConstraints };
        await apply({ apiVersion: 'scheduling.k8s.io/v1beta1', kind: 'PodGroup', metadata: { name: 'ring' }, spec });
        const member = (i: number) => aPod(`ring-${i}`, 8, { schedulingGroup: { podGroupName: 'ring' } });
        await apply(member(0));
        await untilSaid('ring-0', 'waits for 1 of 2 pods');
        await apply(member(1));
        const nodes = (await untilRunning(2)).map(({ spec: { nodeName } }) => nodeName);
        const racks = NODES.filter(({ metadata }) => nodes.includes(metadata.name));
        expect(new Set(racks.map(({ metadata }) => metadata.labels[RACK_LABEL])).size).toBe(1);
      },
      TEST_MS_MAX,
    );

    it(
      'ends whole when one of its pods is taken back',
      async () => {
        await apply(...[0, 1].map((i) => inGang(aPod(`ring-${i}`, 8), 'ring', 2)));
        await untilRunning(2);
        await kubectl('delete', 'pod', 'ring-0', '--wait=false');
        await until('both to go', async () => (await podsOf()).length === 0, { deadlineMs: PATIENCE_MS });
      },
      TEST_MS_MAX,
    );
  });

  it(
    'makes room for who has priority by an eviction that the owner of the pods makes up for',
    async () => {
      await plane.kubectl.run(['create', 'priorityclass', 'urgent', '--value=1000']);
      await apply(aDeployment('web', 3, 8));
      await untilRunning(3);
      const protectionIsOver = `UPDATE workloads SET incarnation_at = incarnation_at - interval '1 day'`;
      await system.query(protectionIsOver);
      await system.server.kill();
      await system.server.start();
      await apply(aPod('now', 8, { priorityClassName: 'urgent' }));
      await until(
        'the urgent one to run',
        async () => (await podsOf()).some((pod) => pod.metadata.name === 'now' && pod.status.phase === 'Running'),
        { deadlineMs: PATIENCE_MS, state: () => podsOf() },
      );
      const web = await podsOf('app=web');
      expect(web.filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toHaveLength(3);
      await untilRunning(2, 'app=web');
    },
    TEST_MS_MAX,
  );

  async function statesOf(owner: string): Promise<readonly unknown[]> {
    const sql = `SELECT state FROM workloads WHERE name LIKE $1 AND state = 'succeeded'`;
    return system.query(sql, [`${NAMESPACE}/${owner}-%`]);
  }
});

function aPodSpec(gpus: number): object {
  const amount = gpus === 0 ? {} : { [GPU_RESOURCE]: String(gpus) };
  const resources = { requests: { cpu: '1', ...amount }, limits: amount };
  return { schedulerName: 'berth', containers: [{ name: 'main', image: 'none', resources }] };
}

interface PodManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: object;
}

function aPod(name: string, gpus: number, spec: object = {}): PodManifest {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { ...aPodSpec(gpus), ...spec } };
}

function inGang({ metadata, ...pod }: PodManifest, gang: string, size: number): PodManifest {
  const labels = { 'berth.dev/gang': gang, 'berth.dev/gang-size': String(size) };
  return { ...pod, metadata: { ...metadata, labels } };
}

function aDeployment(name: string, replicas: number, gpus = 1): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: aPodSpec(gpus) };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
}
