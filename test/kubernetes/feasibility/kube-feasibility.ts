import type { V1NodeSpec, V1PodSpec } from '@kubernetes/client-node';
import type { KubeNode } from '../../../src/cluster/kubernetes/kube-types.js';
import type {
  ClaimObject,
  ObjectMetadata,
  PodObject,
  VolumeObject,
} from '../../../src/cluster/kubernetes/reading/pod-object.js';
import { until } from '../../support/observation-log.js';
import type { ApiServer } from '../rig/api-server.js';
import { createNodes, fakeNodes } from '../rig/fake-nodes.js';
import { createNamespace } from '../rig/namespaces.js';
import type { ClusterObjects } from './berth-feasibility.js';
import { CLAIMS, NAMESPACE, NODE_NAMES, NODES, OTHER_NAMESPACE, STANDING, VOLUMES } from './cluster.js';
import { pinnedSpec } from './pinned-pod.js';
import type { Row } from './row.js';

const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const CLAIM_PATH = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`;
const SIZE = { storage: '1Gi' };

/** Makes the cluster of the table on an API server. */
export async function createCluster(api: ApiServer): Promise<void> {
  for (const name of [NAMESPACE, OTHER_NAMESPACE]) await createNamespace(api, name);
  await createNodes(api, NODES.map(completed));
  const runtimeClass = { metadata: { name: 'sandbox' }, handler: 'none', overhead: { podFixed: { cpu: '1' } } };
  await api.ask({ method: 'POST', path: '/apis/node.k8s.io/v1/runtimeclasses', body: runtimeClass });
  // Each pod gets a claim of its own: one that they share is not free for the next until the last is known to be gone.
  const claims = { metadata: { name: 'no-devices' }, spec: { spec: {} } };
  await api.ask({
    method: 'POST',
    path: `/apis/resource.k8s.io/v1/namespaces/${NAMESPACE}/resourceclaimtemplates`,
    body: claims,
  });
  for (const { metadata, spec } of VOLUMES) {
    const body = {
      metadata: { name: metadata.name, labels: metadata.labels },
      spec: { ...spec, capacity: SIZE, accessModes: accessModesOf(metadata.name), hostPath: { path: '/none' } },
    };
    await api.ask({ method: 'POST', path: '/api/v1/persistentvolumes', body });
  }
  for (const { metadata, spec } of CLAIMS) {
    const body = {
      metadata: { name: metadata.name },
      // Without a class nobody makes a volume for it.
      spec: { ...spec, storageClassName: '', resources: { requests: SIZE }, volumeName: spec.volumeName ?? 'nowhere' },
    };
    await api.ask({ method: 'POST', path: CLAIM_PATH, body });
  }
  await until('bound claims', async () => {
    const bound = (await list<ClaimObject>(api, CLAIM_PATH)).filter(({ status }) => status?.phase === 'Bound');
    return bound.length === VOLUMES.length;
  });
  for (const { metadata, spec } of STANDING) {
    const { name, namespace, labels } = metadata;
    const body = { metadata: { name, labels }, spec };
    await api.ask({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body });
  }
}

/** The node as the fake kubelet wants it. */
function completed({ metadata, spec, status }: (typeof NODES)[number]): ReturnType<typeof fakeNodes>[number] {
  const [fake] = fakeNodes({ racks: 1, nodesPerRack: 1, gpusPerNode: 0 });
  if (fake === undefined) throw new Error('there is a fake node');
  const { name, labels } = metadata;
  const kubelet = Object.entries(fake.metadata.labels).filter(([key]) => key.startsWith('rig.berth.dev/'));
  return {
    ...fake,
    metadata: { name, labels: { ...Object.fromEntries(kubelet), ...labels } },
    spec: spec as {
      readonly taints: readonly (NonNullable<V1NodeSpec['taints']>[number] & { effect: 'NoSchedule' })[];
    },
    status: { ...fake.status, allocatable: status.allocatable, capacity: status.allocatable },
  };
}

function accessModesOf(name: string): readonly string[] {
  return CLAIMS.find(({ metadata }) => metadata.name === name)?.spec.accessModes ?? [];
}

/** The same cluster as the API server stores it, for Berth to read. */
export async function storedCluster(api: ApiServer): Promise<ClusterObjects> {
  const pods = await Promise.all(
    [NAMESPACE, OTHER_NAMESPACE].map((name) => list<PodObject>(api, `/api/v1/namespaces/${name}/pods`)),
  );
  return {
    nodes: await list<KubeNode>(api, '/api/v1/nodes'),
    standing: pods.flat(),
    claims: await list<ClaimObject>(api, CLAIM_PATH),
    volumes: await list<VolumeObject>(api, '/api/v1/persistentvolumes'),
  };
}

async function list<T>(api: ApiServer, path: string): Promise<readonly T[]> {
  return (await api.ask<{ readonly items: readonly T[] }>({ method: 'GET', path })).items;
}

/** Where a pod was let run, and the pod as it was stored, by the node to which it was pinned. */
export interface Asked {
  readonly allowed: readonly string[];
  readonly stored: ReadonlyMap<string, PodObject>;
}

/** What kube-scheduler says to the pod of a row, pinned to each node in turn; nothing is left of it afterwards. */
export async function askKubeScheduler(api: ApiServer, row: Row): Promise<Asked> {
  const stored = new Map<string, PodObject>();
  const allowed: string[] = [];
  const turns = row.seesItself === true ? NODE_NAMES.map((name) => [name]) : [NODE_NAMES];
  for (const names of turns) {
    try {
      const pods = await Promise.all(names.map(async (name) => [name, await create(api, row, name)] as const));
      for (const [name, pod] of pods) stored.set(name, pod);
      const answers = await Promise.all(pods.map(async ([name, pod]) => [name, await verdict(api, pod)] as const));
      allowed.push(...answers.filter(([, answer]) => answer === 'bound').map(([name]) => name));
    } finally {
      await removeAsked(api);
    }
  }
  return { allowed, stored };
}

/** Each has a name of its own: kube-scheduler knows the pods in its queue by name, and may forget the second of one. */
function create(api: ApiServer, row: Row, node: string): Promise<PodObject> {
  const spec: V1PodSpec = { ...pinnedSpec(row, node), schedulerName: 'default-scheduler' };
  const body = { metadata: { generateName: `asked-${node}-`, labels: row.labels ?? {} }, spec };
  return api.ask<PodObject>({ method: 'POST', path: PODS, body });
}

interface Scheduled {
  readonly metadata: ObjectMetadata;
  readonly spec: V1PodSpec;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

/** Of a pod that is refused; with any other the scheduler has failed, e.g. in a race for a claim, and tries again. */
const REFUSALS = ['Unschedulable', 'SchedulingGated'];

/** The scheduler's first word about it. */
function verdict(api: ApiServer, { metadata: { name } }: PodObject): Promise<'bound' | 'refused'> {
  return until(`a word about the pod ${name}`, async () => {
    const { spec, status } = await api.ask<Scheduled>({ method: 'GET', path: `${PODS}/${name}` });
    if (spec.nodeName !== undefined) return 'bound';
    const isRefused = status?.conditions?.some(
      ({ type, status: is, reason = '' }) => type === 'PodScheduled' && is === 'False' && REFUSALS.includes(reason),
    );
    return isRefused === true && 'refused';
  });
}

/** Gone at once, so that the scheduler learns of them before it learns of the next; also after a row that fails. */
async function removeAsked(api: ApiServer): Promise<void> {
  const names = (await list<PodObject>(api, PODS)).map(({ metadata: { name } }) => name);
  const asked = names.filter((name) => name.startsWith('asked-'));
  await Promise.all(
    asked.map((name) => api.ask({ method: 'DELETE', path: `${PODS}/${name}`, body: { gracePeriodSeconds: 0 } })),
  );
}
