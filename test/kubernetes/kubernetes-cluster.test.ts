/**
 * The sentences of the cluster contract that KWOK can show. It runs no program, so it cannot show output, environment,
 * folders, or what a program does with SIGTERM: exit codes are those that an annotation asks for. The full contract needs
 * real kubelets.
 */
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { PodOrder } from '../../src/cluster/cluster.js';
import { ApiServer } from '../../src/cluster/kubernetes/api/api-server.js';
import { Connection } from '../../src/cluster/kubernetes/api/connection.js';
import { KubernetesCluster } from '../../src/cluster/kubernetes/kubernetes-cluster.js';
import { podManifests } from '../../src/cluster/kubernetes/pods/pod-manifest.js';
import { DEFAULT_POD_SETTINGS } from '../../src/cluster/kubernetes/pods/pod-settings.js';
import { readServerAccess } from '../../src/cluster/kubernetes/api/server-access.js';
import { systemTimers } from '../../src/cluster/kubernetes/timers.js';
import { ObservationLog, readAll, until } from '../support/observation-log.js';
import { aNode, anOrder, type OrderWishes } from '../support/pod-orders.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { createNodes, fakeNodes, reviveNode, silenceNode } from './rig/fake-nodes.js';
import { createNamespace } from './rig/namespaces.js';

const TEAM = 'research';
const PODS = `/api/v1/namespaces/${TEAM}/pods`;
const [NODE_A, NODE_B] = ['gpu-0-0', 'gpu-1-0'];
/** Two missed renewals are 2.2 s, six are 6 s. */
const LEASE_SECONDS = 4;

interface StoredPod {
  readonly metadata: { readonly annotations: Record<string, string> };
  readonly spec: { readonly nodeName?: string; readonly subdomain?: string };
  readonly status?: { readonly phase?: string };
}

/** Nodes, leases, pods, namespaces, claims, volumes. */
const WATCHES = 6;
const LIFE = ['pod-bound', 'pod-started', 'pod-ended', 'pod-gone'];

/** A watch that nothing comes from. */
async function* saysNothing(...[, , options]: Parameters<ApiServer['watch']>): AsyncGenerator<never, void, undefined> {
  if (options?.signal !== undefined) await once(options.signal, 'abort');
  yield* [];
}

/** The names of all calls, in order; `watch`: instead of its own. */
function recording(api: ApiServer, watch?: ApiServer['watch']): { readonly api: ApiServer; readonly calls: string[] } {
  const calls: string[] = [];
  const handler: ProxyHandler<ApiServer> = {
    get: (target, key) => {
      const own: unknown = key === 'watch' && watch !== undefined ? watch : Reflect.get(target, key);
      if (typeof own !== 'function') return own;
      return (...asked: unknown[]): unknown => {
        calls.push(String(key));
        return Reflect.apply(own, target, asked);
      };
    },
  };
  return { api: new Proxy(api, handler), calls };
}

describeWithRig('the Kubernetes driver', () => {
  let plane: ControlPlane;
  let connection: Connection;
  let api: ApiServer;
  let cluster: KubernetesCluster;
  let log: ObservationLog;
  let workloads = 0;

  beforeAll(async () => {
    plane = await ControlPlane.start({ nodeLeaseSeconds: LEASE_SECONDS });
    await createNodes(plane.api, fakeNodes({ racks: 2, nodesPerRack: 1 }));
    await createNamespace(plane.api, TEAM);
    const access = await readServerAccess({ kubeconfig: plane.kubeconfig });
    connection = await Connection.open(access, { timers: systemTimers, connectionsMax: 48, report: () => undefined });
    api = new ApiServer({ connection, timers: systemTimers, random: Math.random });
  });
  afterAll(async () => {
    await connection.close();
    await plane.stop();
  });
  beforeEach(() => {
    cluster = create();
    log = new ObservationLog();
  });
  afterEach(async () => {
    await cluster.stop();
  });

  function create(by = api): KubernetesCluster {
    return new KubernetesCluster({ api: by, timers: systemTimers, random: Math.random, report: () => undefined });
  }

  /** Each of a workload of its own. */
  function order(wishes: OrderWishes = {}): PodOrder {
    workloads += 1;
    const program = { kind: 'command', image: 'none', command: ['true'], env: {} } as const;
    return anOrder([], { workload: `wl-${workloads}`, node: NODE_A, graceSeconds: 30, program, ...wishes });
  }

  const stored = (name: string): Promise<StoredPod> => plane.api.ask({ method: 'GET', path: `${PODS}/${name}` });

  /** What its program is to do, told to the fake kubelet. */
  async function play(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    const body = { metadata: { annotations } };
    await plane.api.ask({ method: 'PATCH', path: `${PODS}/${name}`, body });
  }

  const isGone = (name: string): Promise<boolean> =>
    stored(name).then(
      () => false,
      () => true,
    );

  it('observes all nodes before it lists its pods', async () => {
    expect(await cluster.start(log.observe)).toEqual([]);
    const nodes = log.all.flatMap((one) => (one.kind === 'node-seen' ? [one.node] : []));
    expect(nodes.map(({ name }) => name)).toEqual([NODE_A, NODE_B]);
    expect(nodes[0]).toMatchObject({
      capacity: { cpuMilli: 96_000, memoryMib: 1_048_576, pods: 110 },
      accelerators: [{ model: 'nvidia-h100-80gb-hbm3', count: 8 }],
      topology: { zone: 'zone-a', rack: 'gpu-0' },
    });
  });

  it('tells the life of a pod in order, once, with its exit code, and removes it when that is noted', async () => {
    await cluster.start(log.observe);
    const ask = order({ slots: [{ slot: 3, milli: 1000 }] });
    expect(await cluster.createPod(ask)).toEqual({ kind: 'created' });
    const { workload } = ask.pod;
    await log.kind(workload, 'pod-started');
    expect((await stored(ask.name)).spec.nodeName).toBe(NODE_A);
    await play(ask.name, { 'rig.berth.dev/runs-for': '10ms', 'rig.berth.dev/exit-code': '65' });
    expect(await log.end(workload)).toMatchObject({ outcome: 'failed', blame: 'workload', exitCode: 65 });
    expect(log.ofPod(workload).map(({ kind }) => kind)).toEqual(['pod-bound', 'pod-started', 'pod-ended', 'pod-gone']);
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
    await until('the pod to be removed', () => isGone(ask.name));
    const secret = `/api/v1/namespaces/${TEAM}/secrets/${ask.name}`;
    await until(
      'its secret to go with it',
      async () => (await plane.api.call({ method: 'GET', path: secret })).status === 404,
    );
  });

  it('runs a pod once, however often it is ordered', async () => {
    await cluster.start(log.observe);
    const ask = order();
    const answers = [
      ...(await Promise.all([cluster.createPod(ask), cluster.createPod(ask)])),
      await cluster.createPod(ask),
    ];
    await log.kind(ask.pod.workload, 'pod-started');
    expect([...answers, await cluster.createPod(ask)]).toEqual(Array(4).fill({ kind: 'created' }));
    await cluster.deletePod(ask.name);
    await log.end(ask.pod.workload);
  });

  it('creates one pod when two servers carry out the same order', async () => {
    await cluster.start(log.observe);
    const other = create();
    await other.start(new ObservationLog().observe);
    const ask = order();
    const answers = await Promise.all([other.createPod(ask), cluster.createPod(ask)]);
    expect(answers).toEqual([{ kind: 'created' }, { kind: 'created' }]);
    await other.stop();
    await log.kind(ask.pod.workload, 'pod-started');
    await cluster.deletePod(ask.name);
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'deleted', blame: 'scheduler' });
  });

  it('goes on with a pod that an earlier server created and did not bind', async () => {
    await cluster.start(log.observe);
    const ask = order();
    const node = { spec: aNode(NODE_A), devices: [] };
    const manifests = podManifests(ask, node, DEFAULT_POD_SETTINGS);
    if (manifests.kind === 'refused') throw new Error(manifests.why);
    await plane.api.ask({ method: 'POST', path: PODS, body: manifests.pod });
    expect(await cluster.createPod(ask)).toEqual({ kind: 'created' });
    await log.kind(ask.pod.workload, 'pod-started');
    await cluster.deletePod(ask.name);
    await log.end(ask.pod.workload);
  });

  it('lets a pod that is deleted stop by itself', async () => {
    await cluster.start(log.observe);
    const ask = order();
    await cluster.createPod(ask);
    await play(ask.name, { 'rig.berth.dev/stops-in': '300ms', 'rig.berth.dev/stop-exit-code': '75' });
    await log.kind(ask.pod.workload, 'pod-started');
    expect(await cluster.deletePod(ask.name)).toBe('stopping');
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'deleted', blame: 'scheduler', exitCode: 75 });
  });

  it('does not know a pod that was never created', async () => {
    await cluster.start(log.observe);
    expect(await cluster.deletePod('wl-0-1-worker-0')).toBe('unknown');
    expect(await readAll(cluster.readLogs('wl-0-1-worker-0', { follow: true }))).toBe('');
  });

  it('refuses a pod for a node that it does not have, for a team without a namespace, and beside a stranger', async () => {
    await cluster.start(log.observe);
    const elsewhere = await cluster.createPod(order({ node: 'node-z' }));
    expect(elsewhere).toMatchObject({ kind: 'refused', retry: 'elsewhere' });
    const homeless = await cluster.createPod(order({ team: 'nobody' }));
    expect(homeless).toEqual({
      kind: 'refused',
      why: 'there is no namespace nobody for this team: create it',
      retry: 'never',
    });
    const ask = order();
    const spec = { schedulerName: 'none', containers: [{ name: 'main', image: 'none' }] };
    await plane.api.ask({ method: 'POST', path: PODS, body: { metadata: { name: ask.name }, spec } });
    expect(await cluster.createPod(ask)).toMatchObject({ kind: 'refused', retry: 'never' });
  });

  it('tells what pods of others take of a node, and when they have left it', async () => {
    await cluster.start(log.observe);
    const told = (node: string): unknown =>
      log.all.flatMap((one) => (one.kind === 'foreign-use-seen' && one.node === node ? [one] : [])).at(-1);
    const nothing = { use: { cpuMilli: 0, memoryMib: 0, pods: 0 }, slots: [] };
    expect([NODE_A, NODE_B].map(told)).toMatchObject([nothing, nothing]);
    const own = order({ node: NODE_B, slots: [{ slot: 7, milli: 1000 }] });
    await cluster.createPod(own);
    await log.kind(own.pod.workload, 'pod-started');
    const requests = { cpu: '1500m', memory: '1500Ki', 'nvidia.com/gpu': '2' };
    const containers = [{ name: 'main', image: 'none', resources: { requests, limits: { 'nvidia.com/gpu': '2' } } }];
    const boundByHand = { metadata: { name: 'stranger' }, spec: { nodeName: NODE_B, containers } };
    await plane.api.ask({ method: 'POST', path: PODS, body: boundByHand });
    const taken = { use: { cpuMilli: 1500, memoryMib: 2, pods: 1 }, slots: [5, 6] };
    await until(
      'its use',
      () => isDeepStrictEqual(told(NODE_B), { kind: 'foreign-use-seen', node: NODE_B, ...taken }),
      {
        deadlineMs: 5000,
        state: () => told(NODE_B),
      },
    );
    const restarted = create();
    const after = new ObservationLog();
    await restarted.start(after.observe);
    await restarted.stop();
    expect(after.all.filter(({ kind }) => kind === 'foreign-use-seen')).toMatchObject([nothing, taken]);
    await play('stranger', { 'rig.berth.dev/runs-for': '10ms', 'rig.berth.dev/exit-code': '0' });
    await until(
      'its end',
      () => isDeepStrictEqual(told(NODE_B), { kind: 'foreign-use-seen', node: NODE_B, ...nothing }),
      {
        state: () => told(NODE_B),
      },
    );
    expect(told(NODE_A)).toMatchObject(nothing);
    await cluster.deletePod(own.name);
    await log.end(own.pod.workload);
  });

  it('gives a gang one name to meet at', async () => {
    await cluster.start(log.observe);
    const both = [0, 1].map((rank) => ({ ...order(), rank, worldSize: 2 }));
    const [first, second] = both.map((one, index) => ({
      ...one,
      name: `gang-1-worker-${index}`,
      pod: { workload: 'gang', incarnation: 1, podSet: 'worker', index },
    }));
    if (first === undefined || second === undefined) throw new Error('there are two');
    await Promise.all([cluster.createPod(first), cluster.createPod(second)]);
    const { subdomain } = (await stored(second.name)).spec;
    const service = await plane.api.call({ method: 'GET', path: `/api/v1/namespaces/${TEAM}/services/${subdomain}` });
    expect(service.status).toBe(200);
    await Promise.all([cluster.deletePod(first.name), cluster.deletePod(second.name)]);
    await until('both to be gone', () => log.ofPod('gang').filter(({ kind }) => kind === 'pod-gone').length === 2);
  });

  it('finds its pods again after a restart, and still tells their end', async () => {
    await cluster.start(log.observe);
    const ask = order();
    await cluster.createPod(ask);
    await log.kind(ask.pod.workload, 'pod-started');
    await cluster.stop();
    await play(ask.name, { 'rig.berth.dev/runs-for': '10ms', 'rig.berth.dev/exit-code': '3' });
    const restarted = create();
    const after = new ObservationLog();
    const { name, pod, node } = ask;
    const seen = await restarted.start(after.observe);
    expect(seen).toContainEqual(expect.objectContaining({ name, pod, node }));
    expect(await after.end(pod.workload)).toMatchObject({ outcome: 'failed', exitCode: 3 });
    await restarted.deletePod(name);
    await restarted.stop();
  });

  it('keeps in step while another leads, writes nothing, and then needs no list to tell what has happened', async () => {
    await cluster.start(log.observe);
    const { api: recorded, calls } = recording(api);
    const standby = create(recorded);
    await standby.follow();
    await until('its watches', () => calls.filter((call) => call === 'watch').length >= WATCHES, {
      state: () => calls,
    });
    const ask = order();
    await cluster.createPod(ask);
    await log.kind(ask.pod.workload, 'pod-started');
    await cluster.follow();
    const toldBefore = log.all.length;
    await play(ask.name, { 'rig.berth.dev/runs-for': '10ms', 'rig.berth.dev/exit-code': '3' });
    await until('its end', async () => (await stored(ask.name)).status?.phase === 'Failed');
    const reading = new Set(calls.splice(0));

    const after = new ObservationLog();
    const { name, pod, node } = ask;
    const seen = await standby.start(after.observe, { nodes: [NODE_A, NODE_B], pods: [name] });
    const startedBy = [...calls];
    expect(reading).toEqual(new Set(['get', 'listPage', 'watch']));
    expect(startedBy).toEqual([]);
    expect(seen).toContainEqual(expect.objectContaining({ name, pod, node }));
    expect(await after.end(pod.workload)).toMatchObject({ outcome: 'failed', exitCode: 3 });
    await until('the last of it', () => after.ofPod(pod.workload).some(({ kind }) => kind === 'pod-gone'));
    expect(after.ofPod(pod.workload).map(({ kind }) => kind)).toEqual(LIFE);
    expect(log.all).toHaveLength(toldBefore); // who leads no more tells nothing

    await standby.follow();
    const again = new ObservationLog();
    await cluster.start(again.observe);
    await until('its life once more', () => again.ofPod(pod.workload).some(({ kind }) => kind === 'pod-gone'));
    await cluster.deletePod(name);
    await standby.stop();
  });

  it('misses nothing that is expected before it has listed anew, though its watch is behind', async () => {
    await cluster.start(log.observe);
    const behind = recording(api, saysNothing);
    const standby = create(behind.api);
    await standby.follow();
    await until('its watches', () => behind.calls.filter((call) => call === 'watch').length >= WATCHES);
    const ask = order();
    await cluster.createPod(ask);
    await log.kind(ask.pod.workload, 'pod-started');
    const seen = await standby.start(() => undefined, { nodes: [NODE_A], pods: [ask.name] });
    expect(seen.map(({ name }) => name)).toContain(ask.name);
    await standby.stop();
    await cluster.deletePod(ask.name);
    await log.end(ask.pod.workload);
  });

  it('sees a node fall silent, and come back', async () => {
    await cluster.start(log.observe);
    const states = (): string[] =>
      log.all.flatMap((one) => (one.kind === 'node-state-changed' && one.node === NODE_B ? [one.state] : []));
    await until('its first sign of life', () => states().includes('healthy'), { state: states });
    await silenceNode(plane.api, NODE_B);
    await until('the loss', () => states().at(-1) === 'lost', { state: states });
    expect(states().slice(-3)).toEqual(['healthy', 'suspect', 'lost']);
    expect(await cluster.createPod(order({ node: NODE_B }))).toMatchObject({ kind: 'refused', retry: 'elsewhere' });
    await reviveNode(plane.api, NODE_B);
    await until('its return', () => states().at(-1) === 'healthy', { state: states });
    expect(log.all.some(({ kind }) => kind === 'node-fenced')).toBe(false);
  });
});
