/** Which workloads the pods of others make, on a real API server with the controllers that make pods. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { FoundWorkload, LedgerView, Observation } from '../../src/cluster/cluster.js';
import { ApiServer } from '../../src/cluster/kubernetes/api/api-server.js';
import { Connection } from '../../src/cluster/kubernetes/api/connection.js';
import { KubernetesCluster } from '../../src/cluster/kubernetes/kubernetes-cluster.js';
import { readServerAccess } from '../../src/cluster/kubernetes/api/server-access.js';
import { systemTimers } from '../../src/cluster/kubernetes/timers.js';
import { ObservationLog, until } from '../support/observation-log.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { createNodes, fakeNodes, RACK_LABEL } from './rig/fake-nodes.js';
import { createNamespace } from './rig/namespaces.js';

type Found = Extract<Observation, { readonly kind: 'workload-found' }>;
type Labels = Readonly<Record<string, string>>;

const TEAM = 'research';
const QUEUE: Labels = { 'berth.dev/queue': 'lab' };
const VIEW: LedgerView = {
  flavors: [
    { name: 'h100', model: 'nvidia-h100-80gb-hbm3', nodeLabels: {} },
    { name: 'b200', model: 'nvidia-b200', nodeLabels: {} },
  ],
  queues: [{ name: 'lab', isLeaf: true }],
  teams: [TEAM],
  found: [],
  placed: [],
};

describeWithRig('workloads that pods of others make', () => {
  let plane: ControlPlane;
  let connection: Connection;
  let api: ApiServer;
  let cluster: KubernetesCluster;
  let log: ObservationLog;
  /** Each test has its own, so that it finds no pods of another. */
  let namespace: string;
  let tests = 0;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    await createNodes(plane.api, fakeNodes({ racks: 1, nodesPerRack: 1 }));
    const access = await readServerAccess({ kubeconfig: plane.kubeconfig });
    connection = await Connection.open(access, { timers: systemTimers, connectionsMax: 48, report: () => undefined });
    api = new ApiServer({ connection, timers: systemTimers, random: Math.random });
  });
  afterAll(async () => {
    await connection.close();
    await plane.stop();
  });
  beforeEach(async () => {
    tests += 1;
    namespace = `ns-${tests}`;
    await createNamespace(plane.api, namespace);
    await label({ 'berth.dev/team': TEAM });
    cluster = create();
    log = new ObservationLog();
  });
  afterEach(async () => {
    await cluster.stop();
  });

  function create(): KubernetesCluster {
    return new KubernetesCluster({ api, timers: systemTimers, random: Math.random, report: () => undefined });
  }

  async function start(view: LedgerView = VIEW): Promise<void> {
    cluster.know(view);
    await cluster.start(log.observe);
  }

  async function label(labels: Labels): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}`;
    await plane.api.ask({ method: 'PATCH', path, body: { metadata: { labels } } });
  }

  const pathOf = (plural: string, group = 'api/v1'): string => `/${group}/namespaces/${namespace}/${plural}`;

  function aSpec(more: object = {}): object {
    return { schedulerName: 'berth', containers: [{ name: 'main', image: 'none' }], ...more };
  }

  async function createPod(name: string, { labels = QUEUE, spec = {} } = {}): Promise<string> {
    const body = { metadata: { name, labels }, spec: aSpec(spec) };
    const stored = await plane.api.ask<Stored>({ method: 'POST', path: pathOf('pods'), body });
    return stored.metadata.uid;
  }

  const bindPod = (name: string): Promise<unknown> => {
    const target = { apiVersion: 'v1', kind: 'Node', name: 'elsewhere' };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
    return plane.api.ask({ method: 'POST', path: `${pathOf('pods')}/${name}/binding`, body });
  };

  const deletePod = (name: string): Promise<unknown> =>
    plane.api.ask({ method: 'DELETE', path: `${pathOf('pods')}/${name}` });

  const found = (): readonly Found[] =>
    log.all.flatMap((one) => (one.kind === 'workload-found' && isHere(one) ? [one] : []));

  const isHere = ({ pods }: FoundWorkload): boolean =>
    Object.values(pods).some((set) => set.some((pod) => pod.namespace === namespace));

  async function untilFound(count: number): Promise<readonly Found[]> {
    return until(`${count} workloads`, () => found().length >= count && found(), { state: () => log.all });
  }

  const untilWithdrawn = (workload: string): Promise<string> =>
    until(
      `the withdrawal of ${workload}`,
      () =>
        log.all.flatMap((one) => (one.kind === 'workload-withdrawn' && one.workload === workload ? [one.why] : []))[0],
      { state: () => log.all },
    );

  /** What is not found while another is found that came later is not found at all. */
  async function untilALaterOneIsFound(): Promise<void> {
    const count = found().length;
    const uid = await createPod('later');
    await untilFound(count + 1);
    expect(found().at(-1)?.workload).toBe(uid);
  }

  const namesOf = (workload: Found | undefined): readonly string[] =>
    Object.values(workload?.pods ?? {}).flatMap((pods) => pods.map(({ name }) => name));

  it('is a pod alone, with what it asks for, in the flavors of its devices', async () => {
    await label(QUEUE);
    await start();
    const resources = { limits: { 'nvidia.com/gpu': '2', cpu: '4', memory: '8Gi' } };
    const containers = [{ name: 'main', image: 'none', resources }];
    const uid = await createPod('alone', { labels: {}, spec: { containers } });
    const [first] = await untilFound(1);
    expect(first).toMatchObject({
      workload: uid,
      team: TEAM,
      pods: { pods: [{ namespace, name: 'alone', uid }] },
      spec: {
        name: `${namespace}/alone`,
        queue: 'lab',
        podSets: [{ count: 1, flavors: ['h100'], cpuMilli: 4000, memoryMib: 8192, devices: { count: 2, milli: 1000 } }],
      },
    });
    expect(Date.now() - (first?.spec.submittedAtMs ?? 0)).toBeLessThan(120_000);
  });

  it('are the pods of a Deployment and of a Job, one by one', async () => {
    await start();
    const template = { metadata: { labels: { app: 'web', ...QUEUE } }, spec: aSpec() };
    const deployment = { replicas: 3, selector: { matchLabels: { app: 'web' } }, template };
    const body = { metadata: { name: 'web' }, spec: deployment };
    await plane.api.ask({ method: 'POST', path: pathOf('deployments', 'apis/apps/v1'), body });
    const replicas = await untilFound(3);
    expect(replicas.map(({ spec }) => spec.podSets.map(({ count }) => count))).toEqual([[1], [1], [1]]);
    const job = { completions: 2, parallelism: 2, template: { ...template, spec: aSpec({ restartPolicy: 'Never' }) } };
    const path = pathOf('jobs', 'apis/batch/v1');
    await plane.api.ask({ method: 'POST', path, body: { metadata: { name: 'job' }, spec: job } });
    await untilFound(5);
    // Its finalizer keeps the pod there for a while.
    const [victim] = found().filter((one) => namesOf(one)[0]?.startsWith('job-'));
    await deletePod(namesOf(victim)[0] ?? '');
    expect(await untilWithdrawn(victim?.workload ?? '')).toBe(`pod ${namespace}/${namesOf(victim)[0]} was deleted`);
    await untilFound(6);
  });

  it('are the pods of a gang by labels, when the last of them has come', async () => {
    await start();
    const labels = { ...QUEUE, 'berth.dev/gang': 'g', 'berth.dev/gang-size': '3' };
    await createPod('b', { labels });
    await createPod('a', { labels });
    await untilALaterOneIsFound();
    expect(found()).toHaveLength(1);
    await createPod('c', { labels });
    const [, gang] = await untilFound(2);
    expect(gang).toMatchObject({ spec: { name: `${namespace}/g`, podSets: [{ count: 3, minCount: 3 }] } });
    expect(namesOf(gang)).toEqual(['a', 'b', 'c']);
    expect(gang?.workload).toMatch(/^[0-9a-f-]{36}$/);
    // With a successor of one of them they are another workload.
    await deletePod('c');
    await untilWithdrawn(gang?.workload ?? '');
    await createPod('c', { labels });
    const next = (await untilFound(3)).at(-1);
    expect(namesOf(next)).toEqual(['a', 'b', 'c']);
    expect(next?.workload).not.toBe(gang?.workload);
  });

  it('are the pods of a pod group, which may come after them, and those beyond its minimum alone', async () => {
    await start();
    const spec = { schedulingGroup: { podGroupName: 'g' } };
    await createPod('a', { spec });
    await createPod('b', { spec });
    await untilALaterOneIsFound();
    const schedulingConstraints = { topology: [{ key: RACK_LABEL }] };
    const group = { schedulingPolicy: { gang: { minCount: 2 } } };
    const path = pathOf('podgroups', 'apis/scheduling.k8s.io/v1beta1');
    await plane.api.ask({ method: 'POST', path, body: { metadata: { name: 'g' }, spec: group } });
    const [, gang] = await untilFound(2);
    expect(namesOf(gang)).toEqual(['a', 'b']);
    const late = await createPod('late', { spec });
    await bindPod('a');
    expect((await untilFound(3)).at(-1)).toMatchObject({ workload: late, spec: { name: `${namespace}/late` } });

    const constrained = { ...group, schedulingConstraints };
    await plane.api.ask({ method: 'POST', path, body: { metadata: { name: 'near' }, spec: constrained } });
    const near = { schedulingGroup: { podGroupName: 'near' } };
    await Promise.all(['x', 'y'].map((name) => createPod(name, { spec: near })));
    const racked = (await untilFound(4)).at(-1);
    expect(racked?.spec.podSets).toMatchObject([{ topology: { kind: 'required', level: 'rack' } }]);
  });

  it('waits for its queue to be known, and for its gates to open', async () => {
    const spec = { schedulingGates: [{ name: 'example.org/later' }] };
    const labels = { 'berth.dev/queue': 'new' };
    const unknown = await createPod('unknown', { labels });
    const gated = await createPod('gated', { labels: QUEUE, spec });
    await start();
    await untilALaterOneIsFound();
    expect(found()).toHaveLength(1);
    const queues = [...VIEW.queues, { name: 'new', team: TEAM, isLeaf: true }];
    cluster.know({ ...VIEW, queues, found: found() });
    await untilFound(2);
    await plane.api.ask({
      method: 'PATCH',
      path: `${pathOf('pods')}/gated`,
      body: { spec: { schedulingGates: null } },
    });
    await untilFound(3);
    expect(
      found()
        .map(({ workload }) => workload)
        .slice(1),
    ).toEqual([unknown, gated]);
  });

  it('waits for its claim to be bound', async () => {
    await start();
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    const uid = await createPod('claiming', { spec: { volumes } });
    await untilALaterOneIsFound();
    const size = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const claim = { ...size, storageClassName: '', volumeName: `data-${namespace}` };
    const claims = pathOf('persistentvolumeclaims');
    await plane.api.ask({ method: 'POST', path: claims, body: { metadata: { name: 'data' }, spec: claim } });
    const nodeAffinity = {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: RACK_LABEL, operator: 'In', values: ['gpu-0'] }] }],
      },
    };
    const volume = {
      ...{ accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, storageClassName: '' },
      ...{ hostPath: { path: '/data' }, nodeAffinity, claimRef: { namespace, name: 'data' } },
    };
    const body = { metadata: { name: `data-${namespace}` }, spec: volume };
    await plane.api.ask({ method: 'POST', path: '/api/v1/persistentvolumes', body });
    await untilFound(2);
    expect(found().at(-1)).toMatchObject({ workload: uid, spec: { podSets: [{ volumeNodes: ['gpu-0-0'] }] } });
  });

  it('is withdrawn when its pod is deleted, and none when its pod has ended', async () => {
    await start();
    const [gone, ends] = [await createPod('gone'), await createPod('ends')];
    await untilFound(2);
    const target = { apiVersion: 'v1', kind: 'Node', name: 'gpu-0-0' };
    const annotations = { 'rig.berth.dev/runs-for': '10ms', 'rig.berth.dev/exit-code': '0' };
    const path = `${pathOf('pods')}/ends`;
    await plane.api.ask({
      method: 'POST',
      path: `${path}/binding`,
      body: { metadata: { name: 'ends', annotations }, target },
    });
    await until('its end', async () => {
      const { status } = await plane.api.ask<Stored>({ method: 'GET', path });
      return status.phase === 'Succeeded';
    });
    await deletePod('ends');
    await deletePod('gone');
    await untilWithdrawn(gone);
    expect(log.all.some((one) => one.kind === 'workload-withdrawn' && one.workload === ends)).toBe(false);
  });

  it('goes on after a restart with what it told before', async () => {
    const labels = { ...QUEUE, 'berth.dev/gang': 'g', 'berth.dev/gang-size': '2' };
    await start();
    await Promise.all(['a', 'b'].map((name) => createPod(name, { labels })));
    await createPod('deleted');
    const before = await untilFound(2);
    await cluster.stop();
    await deletePod('deleted');
    cluster = create();
    log = new ObservationLog();
    await start({ ...VIEW, found: before });
    const deleted = before.find((one) => namesOf(one)[0] === 'deleted');
    expect(await untilWithdrawn(deleted?.workload ?? '')).toBe(`pod ${namespace}/deleted was deleted`);
    await createPod('late', { labels });
    await bindPod('a');
    expect((await untilFound(1)).map(namesOf)).toEqual([['late']]);
  });

  it('finds no pods of another scheduler, and none of its own', async () => {
    await start();
    await createPod('stranger', { spec: { schedulerName: 'other' } });
    const own = {
      'app.kubernetes.io/managed-by': 'berth',
      'berth.dev/workload': 'w',
      'berth.dev/incarnation': '1',
      'berth.dev/pod-set': 'worker',
      'berth.dev/index': '0',
    };
    await createPod('own', { labels: { ...QUEUE, ...own } });
    await untilALaterOneIsFound();
    expect(found()).toHaveLength(1);
  });
});

interface Stored {
  readonly metadata: { readonly uid: string };
  readonly status: { readonly phase?: string };
}
