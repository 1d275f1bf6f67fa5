import { until } from '../../support/observation-log.js';
import type { ApiServer } from './api-server.js';
import { FAKE_KUBELET } from './programs.js';

export interface FakeNodeOptions {
  readonly racks?: number;
  readonly nodesPerRack?: number;
  readonly gpusPerNode?: number;
  readonly gpuProduct?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly zone?: string;
  /** Names are `<prefix>-<rack>-<number>`, both from 0. */
  readonly prefix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoExecute' | 'NoSchedule' | 'PreferNoSchedule';
}

export interface NodeManifest {
  readonly apiVersion: 'v1';
  readonly kind: 'Node';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly taints: readonly Taint[] };
  readonly status: {
    readonly allocatable: Readonly<Record<string, string>>;
    readonly capacity: Readonly<Record<string, string>>;
    readonly nodeInfo: Readonly<Record<string, string>>;
  };
}

export const RACK_LABEL = 'topology.berth.dev/rack';
export const GPU_RESOURCE = 'nvidia.com/gpu';

/** Two racks of four nodes with eight GPUs, unless said otherwise. */
export function fakeNodes(options: FakeNodeOptions = {}): readonly NodeManifest[] {
  const { racks = 2, nodesPerRack = 4 } = options;
  return Array.from({ length: racks * nodesPerRack }, (_, i) =>
    fakeNode(options, Math.floor(i / nodesPerRack), i % nodesPerRack),
  );
}

function fakeNode(options: FakeNodeOptions, rack: number, number: number): NodeManifest {
  const { gpusPerNode = 8, gpuProduct = 'NVIDIA-H100-80GB-HBM3', cpu = '96', memory = '1Ti', prefix = 'gpu' } = options;
  const { zone = 'zone-a', labels = {}, taints = [] } = options;
  const name = `${prefix}-${rack}-${number}`;
  const gpus: Readonly<Record<string, string>> = gpusPerNode > 0 ? { [GPU_RESOURCE]: String(gpusPerNode) } : {};
  const resources = { cpu, memory, 'ephemeral-storage': '1Ti', pods: '110', ...gpus };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': zone,
        [RACK_LABEL]: `${prefix}-${rack}`,
        ...(gpusPerNode > 0 ? { 'nvidia.com/gpu.product': gpuProduct } : {}),
        [FAKE_KUBELET.key]: FAKE_KUBELET.value,
        ...labels,
      },
    },
    spec: { taints },
    status: { allocatable: resources, capacity: resources, nodeInfo: NODE_INFO },
  };
}

/** The server wants all of them. */
const NODE_INFO = {
  architecture: 'amd64',
  bootID: '',
  containerRuntimeVersion: 'fake',
  kernelVersion: 'fake',
  kubeProxyVersion: 'fake',
  kubeletVersion: 'fake',
  machineID: '',
  operatingSystem: 'linux',
  osImage: '',
  systemUUID: '',
};

/** Returns when all are ready and may be scheduled to. */
export async function createNodes(api: ApiServer, nodes: readonly NodeManifest[]): Promise<void> {
  await Promise.all(nodes.map((body) => api.ask({ method: 'POST', path: '/api/v1/nodes', body })));
  const wanted = nodes.map(({ metadata }) => metadata.name);
  await until(`nodes ${wanted.join(', ')}`, async () => {
    const { items } = await api.ask<{ readonly items: readonly StoredNode[] }>({
      method: 'GET',
      path: '/api/v1/nodes',
    });
    const usable = new Set(items.filter(isUsable).map(({ metadata }) => metadata.name));
    return wanted.every((name) => usable.has(name));
  });
}

interface StoredNode {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly taints?: readonly Taint[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function isUsable({ spec, status }: StoredNode): boolean {
  const isReady = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  // Set at its creation, and taken away by the control loop for nodes.
  const isTainted = spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready');
  return isReady === true && isTainted !== true;
}

/**
 * Its kubelet falls silent, as when the power or the network fails: no heartbeat, and its pods stay as they were last
 * reported. What was to end by itself (`rig.berth.dev/runs-for`) still reports that.
 */
export async function silenceNode(api: ApiServer, name: string): Promise<void> {
  await labelKubelet(api, name, null);
}

/** It reports again, and learns what happened to its pods. */
export async function reviveNode(api: ApiServer, name: string): Promise<void> {
  await labelKubelet(api, name, FAKE_KUBELET.value);
}

async function labelKubelet(api: ApiServer, name: string, value: string | null): Promise<void> {
  const body = { metadata: { labels: { [FAKE_KUBELET.key]: value } } };
  await api.ask({ method: 'PATCH', path: `/api/v1/nodes/${name}`, body });
}
