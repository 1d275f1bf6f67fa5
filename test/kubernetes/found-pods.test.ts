/** Pods that others made, bound and evicted by the driver on a real API server; which of them to bind is not its affair here. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { BindOrder, FoundPod, LedgerView } from '../../src/cluster/cluster.js';
import { ApiServer } from '../../src/cluster/kubernetes/api/api-server.js';
import { Connection } from '../../src/cluster/kubernetes/api/connection.js';
import { KubernetesCluster } from '../../src/cluster/kubernetes/kubernetes-cluster.js';
import { readServerAccess } from '../../src/cluster/kubernetes/api/server-access.js';
import { systemTimers } from '../../src/cluster/kubernetes/timers.js';
import { ObservationLog, until } from '../support/observation-log.js';
import { aBindOrder, anOrder } from '../support/pod-orders.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { createNodes, fakeNodes, silenceNode } from './rig/fake-nodes.js';
import { createNamespace } from './rig/namespaces.js';

const TEAM = 'shop';
const PODS = `/api/v1/namespaces/${TEAM}/pods`;
const BUDGETS = `/apis/policy/v1/namespaces/${TEAM}/poddisruptionbudgets`;
const [NODE_A, NODE_B] = ['gpu-0-0', 'gpu-1-0'];
const LEASE_SECONDS = 4;
const LIFE = ['pod-bound', 'pod-started', 'pod-ended', 'pod-gone'];

interface StoredPod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Record<string, string>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

describeWithRig('pods that others made, on Kubernetes', () => {
  let plane: ControlPlane;
  let connection: Connection;
  let api: ApiServer;
  let cluster: KubernetesCluster;
  let log: ObservationLog;
  let pods = 0;

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
  beforeEach(async () => {
    [cluster, log] = await start();
  });
  afterEach(async () => {
    await cluster.stop();
  });

  function create({ found = [], placed = [] }: Partial<LedgerView> = {}): KubernetesCluster {
    const made = new KubernetesCluster({ api, timers: systemTimers, random: Math.random, report: () => undefined });
    made.know({ flavors: [], queues: [], teams: [], found, placed });
    return made;
  }

  async function start(view: Partial<LedgerView> = {}): Promise<[KubernetesCluster, ObservationLog]> {
    const started = create(view);
    const heard = new ObservationLog();
    await started.start(heard.observe);
    return [started, heard];
  }

  /** As a Deployment makes them: two containers, which are started again. */
  async function make({ name = `web-${(pods += 1)}`, annotations = {}, labels = {} } = {}): Promise<FoundPod> {
    const containers = ['web', 'mesh'].map((each) => ({ name: each, image: 'none' }));
    const body = {
      metadata: { name, annotations, labels: { app: name, ...labels } },
      spec: { schedulerName: 'berth', restartPolicy: 'Always', containers },
    };
    const { metadata } = await plane.api.ask<StoredPod>({ method: 'POST', path: PODS, body });
    return { namespace: TEAM, name, uid: metadata.uid };
  }

  function order(found: FoundPod, node = NODE_A): BindOrder {
    const pod = { workload: found.uid, incarnation: 1, podSet: 'pods', index: 0 };
    return aBindOrder(found, { pod, node, epoch: 7, slots: [{ slot: 3, milli: 1000 }] });
  }

  /** Made and bound, and seen to be. */
  async function bound(node = NODE_A, labels: Readonly<Record<string, string>> = {}): Promise<BindOrder> {
    const ask = order(await make({ labels }), node);
    expect(await cluster.bindPod(ask)).toEqual({ kind: 'created' });
    await log.kind(ask.pod.workload, 'pod-started');
    return ask;
  }

  const stored = ({ name }: FoundPod): Promise<StoredPod> => plane.api.ask({ method: 'GET', path: `${PODS}/${name}` });

  async function remove({ name }: FoundPod, gracePeriodSeconds?: number): Promise<void> {
    await plane.api.ask({ method: 'DELETE', path: `${PODS}/${name}`, body: { gracePeriodSeconds } });
  }

  async function isThere({ name }: FoundPod): Promise<boolean> {
    return (await plane.api.call({ method: 'GET', path: `${PODS}/${name}` })).status === 200;
  }

  async function annotate({ name }: FoundPod, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await plane.api.ask({ method: 'PATCH', path: `${PODS}/${name}`, body: { metadata: { annotations } } });
  }

  const complete = (pod: FoundPod): Promise<void> =>
    annotate(pod, { 'rig.berth.dev/runs-for': '10ms', 'rig.berth.dev/exit-code': '0' });

  /** Waits until its controller has counted the pods of it. */
  async function guard({ name }: FoundPod, budget = name): Promise<void> {
    const spec = { minAvailable: 1, selector: { matchLabels: { app: name } } };
    await plane.api.ask({ method: 'POST', path: BUDGETS, body: { metadata: { name: budget }, spec } });
    await until('the budget to be counted', async () => {
      const path = `${BUDGETS}/${budget}`;
      const { status } = await plane.api.ask<{ readonly status: { readonly currentHealthy?: number } }>({
        method: 'GET',
        path,
      });
      return status.currentHealthy === 1;
    });
  }

  /** On node B, as it was told last. */
  const foreignPods = (): number =>
    log.all.flatMap((one) => (one.kind === 'foreign-use-seen' && one.node === NODE_B ? [one.use.pods] : [])).at(-1) ??
    NaN;

  const toldOf = ({ pod }: BindOrder, heard = log): readonly string[] =>
    heard.ofPod(pod.workload).map(({ kind }) => kind);

  it('is bound with one write that says which pod it is, and tells its life by that', async () => {
    const ask = order(await make({ annotations: { owner: 'of the shop' } }));
    expect(await cluster.bindPod(ask)).toEqual({ kind: 'created' });
    expect(await log.kind(ask.pod.workload, 'pod-started')).toMatchObject({ pod: ask.pod });
    expect(toldOf(ask)).toEqual(['pod-bound', 'pod-started']);
    const { metadata, spec, status } = await stored(ask.found);
    expect(spec.nodeName).toBe(NODE_A);
    expect(metadata.annotations).toMatchObject({
      owner: 'of the shop',
      'berth.dev/placed': `${ask.found.uid}/${ask.found.uid}/1/pods/0`,
      'berth.dev/epoch': '7',
      'berth.dev/slots': '3',
    });
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'PodScheduled', status: 'True' }));
  });

  it('is bound once, however often and by however many servers it is ordered', async () => {
    const [other] = await start();
    const ask = order(await make());
    const answers = [
      ...(await Promise.all([cluster.bindPod(ask), other.bindPod(ask), cluster.bindPod(ask)])),
      await cluster.bindPod({ ...ask, epoch: 8 }),
      await other.bindPod(ask),
    ];
    await other.stop();
    expect(answers).toEqual(Array(5).fill({ kind: 'created' }));
    await log.kind(ask.pod.workload, 'pod-started');
    expect(toldOf(ask)).toEqual(['pod-bound', 'pod-started']);
  });

  it('is not Berth’s when somebody else has bound it', async () => {
    const ask = order(await make());
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE_B };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: ask.found.name }, target };
    await plane.api.ask({ method: 'POST', path: `${PODS}/${ask.found.name}/binding`, body });
    const why = `pod ${ask.found.name} of namespace ${TEAM} was bound to node ${NODE_B} by somebody else`;
    expect(await cluster.bindPod(ask)).toEqual({ kind: 'refused', why, retry: 'never' });
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeUndefined();
    expect(toldOf(ask)).toEqual([]);
  });

  it('is refused when it was deleted, and when another has its name', async () => {
    const ask = order(await make());
    const refusal = { kind: 'refused', why: `pod ${ask.found.name} of namespace ${TEAM} was deleted`, retry: 'never' };
    await remove(ask.found, 0);
    expect(await cluster.bindPod(ask)).toEqual(refusal);
    const another = await make({ name: ask.found.name });
    expect(await cluster.bindPod(ask)).toEqual(refusal);
    expect((await stored(another)).spec.nodeName).toBeUndefined();
  });

  it('is refused for a node that is not there, and may go elsewhere', async () => {
    const ask = order(await make(), 'node-z');
    expect(await cluster.bindPod(ask)).toEqual({
      kind: 'refused',
      why: 'there is no node node-z',
      retry: 'elsewhere',
    });
    expect((await stored(ask.found)).spec.nodeName).toBeUndefined();
  });

  it('has ended and is gone when it has done its work, and its object is left to whoever made it', async () => {
    const ask = await bound();
    await complete(ask.found);
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'succeeded', blame: 'workload', exitCode: 0 });
    expect(toldOf(ask)).toEqual(LIFE);
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeUndefined();
    await annotate(ask.found, { seen: 'by its controller' });
    const next = await bound(); // whatever the watch had to say of the first one came before
    expect(toldOf(ask)).toEqual(LIFE);
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
    await cluster.deletePod(next.name);
  });

  it('has ended and is gone when somebody deletes it', async () => {
    const ask = await bound();
    await remove(ask.found);
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'deleted' });
    expect(toldOf(ask)).toEqual(LIFE);
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
  });

  it('is evicted, and stops in its own time', async () => {
    const ask = await bound();
    await annotate(ask.found, { 'rig.berth.dev/stops-in': '300ms' });
    expect(await cluster.deletePod(ask.name)).toBe('stopping');
    expect(await cluster.deletePod(ask.name)).toBe('stopping');
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'evicted', blame: 'scheduler' });
    await until('its object to be removed', async () => !(await isThere(ask.found)));
    expect(toldOf(ask)).toEqual(LIFE);
  });

  it('runs on while its disruption budget holds it', async () => {
    const ask = await bound();
    await guard(ask.found);
    const refusal = `pod ${ask.found.name} of namespace ${TEAM} is not evicted: The disruption budget ${ask.found.name} needs 1`;
    await expect(cluster.deletePod(ask.name)).rejects.toThrow(refusal);
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeUndefined();
    await plane.api.ask({ method: 'DELETE', path: `${BUDGETS}/${ask.found.name}` });
    await until('the budget to be forgotten', () => cluster.deletePod(ask.name).catch(() => undefined));
    await log.end(ask.pod.workload);
  });

  it('is not taken for evicted when it has two budgets, which nobody can evict', async () => {
    const ask = await bound();
    await guard(ask.found, `${ask.found.name}-1`);
    await guard(ask.found, `${ask.found.name}-2`);
    await expect(cluster.deletePod(ask.name)).rejects.toThrow('more than one PodDisruptionBudget');
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeUndefined();
    await remove(ask.found);
    await log.end(ask.pod.workload);
  });

  it('is unknown as long as it was not bound', async () => {
    const ask = order(await make());
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeUndefined();
  });

  it('is evicted also before its binding was seen', async () => {
    const ask = order(await make());
    await cluster.bindPod(ask);
    expect(await cluster.deletePod(ask.name)).toBe('stopping');
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'evicted' });
  });

  it('is not taken for another whose annotations it has', async () => {
    const ask = await bound();
    const { metadata } = await stored(ask.found);
    const copy = await make({ annotations: metadata.annotations ?? {} });
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: copy.name },
      target: { apiVersion: 'v1', kind: 'Node', name: NODE_A },
    };
    await plane.api.ask({ method: 'POST', path: `${PODS}/${copy.name}/binding`, body });
    await complete(copy);
    await until('the copy to end', async () => (await stored(copy)).status.phase === 'Succeeded');
    const next = await bound();
    expect(toldOf(ask)).toEqual(['pod-bound', 'pod-started']);
    await Promise.all([ask, next].map(({ name }) => cluster.deletePod(name)));
  });

  it('is listed after a restart as long as it lives, and its end is told if it was missed', async () => {
    const [lives, ended, missed] = [await bound(), await bound(), await bound()];
    await complete(ended.found);
    await log.end(ended.pod.workload);
    await cluster.stop();
    await complete(missed.found);
    await until('its end', async () => (await stored(missed.found)).status.phase === 'Succeeded');

    const workload = missed.pod.workload;
    const restarted = create({ found: [{ workload, pods: { pods: [missed.found] } }] });
    const after = new ObservationLog();
    const seen = await restarted.start(after.observe);
    const names = seen.map(({ name }) => name);
    expect(seen).toContainEqual({ name: lives.name, pod: lives.pod, node: NODE_A, state: 'started' });
    expect(names).toContain(missed.name);
    expect(names).not.toContain(ended.name);
    expect(await after.end(workload)).toMatchObject({ outcome: 'succeeded' });
    expect(toldOf(missed, after)).toEqual(LIFE);
    expect(toldOf(lives, after)).toEqual(['pod-bound', 'pod-started']);
    expect(toldOf(ended, after)).toEqual([]);
    await restarted.deletePod(lives.name);
    await after.end(lives.pod.workload);
    await restarted.stop();
  });

  it('is known by its uid, when somebody takes off it what Berth has written', async () => {
    const [ask, other] = [await bound(NODE_B), await bound(NODE_B)];
    const before = foreignPods();
    for (const { found } of [ask, other]) await annotate(found, { 'berth.dev/placed': null, 'berth.dev/slots': null });
    await complete(ask.found);
    expect(await log.end(ask.pod.workload)).toMatchObject({ outcome: 'succeeded' });
    await cluster.stop();
    const { pod, node, found } = other;
    [cluster, log] = await start({ found: [], placed: [{ uid: found.uid, pod, node, slots: [3] }] });
    expect(foreignPods()).toBe(before);
    expect(await cluster.deletePod(other.name)).toBe('stopping');
    await log.end(pod.workload);
    expect(toldOf(other)).toEqual(LIFE);
  });

  it('is left to whoever made it, as a pod of others, when the ledger holds nothing for it', async () => {
    const ask = await bound(NODE_B);
    const before = foreignPods();
    await cluster.disown([ask.name]);
    await until('it to be counted', () => foreignPods() === before + 1, { state: foreignPods });
    expect(await cluster.deletePod(ask.name)).toBe('unknown');
    await complete(ask.found);
    await until('it to be counted no more', () => foreignPods() === before, { state: foreignPods });
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeUndefined();
    expect(toldOf(ask)).toEqual(['pod-bound', 'pod-started']);
  });

  it('counts as one of others from its list on, when the ledger holds nothing for it and its budget holds it', async () => {
    const ask = await bound(NODE_B, { 'berth.dev/gang': 'ring', 'berth.dev/gang-size': '2' });
    const before = foreignPods();
    await guard(ask.found);
    await cluster.stop();
    [cluster, log] = await start();
    expect(foreignPods()).toBe(before);
    await cluster.disown([ask.name]);
    expect(foreignPods()).toBe(before + 1);
    await expect(cluster.deletePod(ask.name)).rejects.toThrow('is not evicted');
    await plane.api.ask({ method: 'DELETE', path: `${BUDGETS}/${ask.found.name}` });
    await until('the budget to be forgotten', () => cluster.deletePod(ask.name).catch(() => undefined));
    await log.end(ask.pod.workload);
    await until('it to be counted no more', () => foreignPods() === before, { state: foreignPods });
  });

  it('is a tenant of Berth’s on its node, and an own pod says the term of office, too', async () => {
    const before = foreignPods();
    const program = { kind: 'command', image: 'none', command: ['true'], env: {} } as const;
    const own = anOrder([], { workload: 'own', team: TEAM, node: NODE_B, epoch: 9, program });
    await cluster.createPod(own);
    const ask = await bound(NODE_B);
    await log.kind('own', 'pod-started');
    expect((await stored({ namespace: TEAM, name: own.name, uid: '' })).metadata.annotations).toMatchObject({
      'berth.dev/epoch': '9',
    });
    await cluster.stop();
    [cluster, log] = await start();
    expect(foreignPods()).toBe(before);
    await Promise.all([ask.name, own.name].map((name) => cluster.deletePod(name)));
    await log.end(ask.pod.workload);
  });

  it('on a node that is lost is asked to stop and not forced, and none is bound there', async () => {
    const ask = await bound(NODE_B);
    const states = (): string[] =>
      log.all.flatMap((one) => (one.kind === 'node-state-changed' && one.node === NODE_B ? [one.state] : []));
    await until('its first sign of life', () => states().includes('healthy'), { state: states });
    await silenceNode(plane.api, NODE_B);
    await until('the loss', () => states().at(-1) === 'lost', { state: states });
    expect(await cluster.bindPod(order(await make(), NODE_B))).toMatchObject({ kind: 'refused', retry: 'elsewhere' });
    expect(await cluster.bindPod(ask)).toEqual({ kind: 'created' });
    expect(await cluster.deletePod(ask.name)).toBe('stopping');
    expect((await stored(ask.found)).metadata.deletionTimestamp).toBeDefined();
    expect(toldOf(ask)).toEqual(['pod-bound', 'pod-started']);
  });
});
