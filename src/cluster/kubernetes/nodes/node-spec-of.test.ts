import { describe, expect, it } from '@jest/globals';
import type { KubeNode, Quantities, Texts } from '../kube-types.js';
import { DEFAULT_NODE_MAPPING, NodeMappingSchema } from './node-mapping.js';
import { nodeSpecOf } from './node-spec-of.js';

const H100 = {
  'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
  'nvidia.com/gpu.memory': '81559',
  'nvidia.com/gpu.replicas': '1',
};

function aKubeNode(allocatable: Quantities, labels: Texts = {}, spec: KubeNode['spec'] = {}): KubeNode {
  return { metadata: { name: 'a', uid: 'uid-a', labels }, spec, status: { allocatable } };
}

const devices: Record<string, { allocatable: Quantities; labels?: Texts; want: unknown[]; resources: unknown[] }> = {
  'whole GPUs, by the label of the model': {
    allocatable: { 'nvidia.com/gpu': '8' },
    labels: H100,
    want: [{ model: 'nvidia-h100-80gb-hbm3', count: 8, memoryMib: 81_559 }],
    resources: [{ resource: 'nvidia.com/gpu', firstSlot: 0, slots: 8, replicas: 1 }],
  },
  'by the name of the resource, without a label': {
    allocatable: { 'amd.com/gpu': '4' },
    want: [{ model: 'amd.com-gpu', count: 4 }],
    resources: [{ resource: 'amd.com/gpu', firstSlot: 0, slots: 4, replicas: 1 }],
  },
  'a memory with its unit': {
    allocatable: { 'amd.com/gpu': '4' },
    labels: { 'amd.com/gpu.product-name': 'AMD_Instinct_MI300X_OAM', 'amd.com/gpu.vram': '191Gi' },
    want: [{ model: 'amd-instinct-mi300x-oam', count: 4, memoryMib: 191 * 1024 }],
    resources: [{ resource: 'amd.com/gpu', firstSlot: 0, slots: 4, replicas: 1 }],
  },
  'the chips of a TPU host': {
    allocatable: { 'google.com/tpu': '4' },
    labels: { 'cloud.google.com/gke-tpu-accelerator': 'tpu-v5p-slice' },
    want: [{ model: 'tpu-v5p-slice', count: 4 }],
    resources: [{ resource: 'google.com/tpu', firstSlot: 0, slots: 4, replicas: 1 }],
  },
  'MIG instances of two profiles, each as a device of its own': {
    allocatable: { 'nvidia.com/mig-3g.40gb': '1', 'nvidia.com/mig-1g.10gb': '4', 'nvidia.com/gpu': '0' },
    labels: {
      ...H100,
      'nvidia.com/mig-1g.10gb.product': 'NVIDIA-H100-80GB-HBM3-MIG-1g.10gb',
      'nvidia.com/mig-1g.10gb.memory': '9856',
      'nvidia.com/mig-3g.40gb.product': 'NVIDIA-H100-80GB-HBM3-MIG-3g.40gb',
    },
    want: [
      { model: 'nvidia-h100-80gb-hbm3-mig-1g.10gb', count: 4, memoryMib: 9856 },
      { model: 'nvidia-h100-80gb-hbm3-mig-3g.40gb', count: 1 },
    ],
    resources: [
      { resource: 'nvidia.com/mig-1g.10gb', firstSlot: 0, slots: 4, replicas: 1 },
      { resource: 'nvidia.com/mig-3g.40gb', firstSlot: 4, slots: 1, replicas: 1 },
    ],
  },
  'shared GPUs as a model of their own': {
    allocatable: { 'nvidia.com/gpu.shared': '8' },
    labels: { ...H100, 'nvidia.com/gpu.replicas': '4' },
    want: [{ model: 'nvidia-h100-80gb-hbm3-shared', count: 2, memoryMib: 81_559 }],
    resources: [{ resource: 'nvidia.com/gpu.shared', firstSlot: 0, slots: 2, replicas: 4 }],
  },
  'shared GPUs that are still called nvidia.com/gpu': {
    allocatable: { 'nvidia.com/gpu': '20' },
    labels: { 'nvidia.com/gpu.product': 'NVIDIA-A10-SHARED', 'nvidia.com/gpu.replicas': '10' },
    want: [{ model: 'nvidia-a10-shared', count: 2 }],
    resources: [{ resource: 'nvidia.com/gpu', firstSlot: 0, slots: 2, replicas: 10 }],
  },
  'no devices of a resource that nothing is known of': {
    allocatable: { 'example.com/dongle': '2', 'hugepages-2Mi': '1Gi' },
    want: [],
    resources: [],
  },
};

describe(nodeSpecOf.name, () => {
  it.each(Object.entries(devices))('reads %s', (_title, { allocatable, labels, want, resources }) => {
    const mapped = nodeSpecOf(aKubeNode(allocatable, labels), DEFAULT_NODE_MAPPING);
    expect(mapped.spec.accelerators).toEqual(want);
    expect(mapped.devices).toEqual(resources);
  });

  it('offers what pods may use, rounded down', () => {
    const node = aKubeNode({ cpu: '7910500u', memory: '64G', pods: '110', 'ephemeral-storage': '1Ti' });
    const status = { ...node.status, capacity: { cpu: '8' } };
    const { spec } = nodeSpecOf({ ...node, status }, DEFAULT_NODE_MAPPING);
    expect(spec.capacity).toEqual({ cpuMilli: 7910, memoryMib: 61_035, pods: 110 });
  });

  it('offers nothing of a node whose kubelet has not said what there is', () => {
    const { spec } = nodeSpecOf({ metadata: { name: 'a', uid: 'uid-a' } }, DEFAULT_NODE_MAPPING);
    expect(spec).toEqual({
      name: 'a',
      capacity: { cpuMilli: 0, memoryMib: 0, pods: 0 },
      accelerators: [],
      labels: {},
      taints: [],
      topology: {},
      unschedulable: false,
    });
  });

  it('knows a cordon as the taint of it, once, that pods may tolerate', () => {
    const { spec } = nodeSpecOf(
      aKubeNode(
        {},
        {},
        {
          unschedulable: true,
          taints: [
            { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
            { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' },
            { key: 'spot', effect: 'NoExecute' },
            { key: 'new', effect: 'SomethingOfTheFuture' },
          ],
        },
      ),
      DEFAULT_NODE_MAPPING,
    );
    expect(spec.unschedulable).toBe(false);
    expect(spec.taints).toEqual([
      { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' },
      { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' },
      { key: 'spot', value: '', effect: 'NoExecute' },
    ]);
  });

  it('finds the domains of a node in its labels, and none where a label is missing', () => {
    const labels = { 'topology.kubernetes.io/zone': 'eu-1a', 'example.com/block': 'b7', 'example.com/empty': '' };
    const mapping = NodeMappingSchema.parse({
      topology: [
        { level: 'zone', label: 'topology.kubernetes.io/zone' },
        { level: 'block', label: 'example.com/block' },
        { level: 'rack', label: 'example.com/rack' },
        { level: 'island', label: 'example.com/empty' },
      ],
    });
    expect(nodeSpecOf(aKubeNode({}, labels), mapping).spec.topology).toEqual({ zone: 'eu-1a', block: 'b7' });
    expect(nodeSpecOf(aKubeNode({}, labels), DEFAULT_NODE_MAPPING).spec.topology).toEqual({ zone: 'eu-1a' });
  });
});

describe('the mapping of nodes', () => {
  it.each([
    ['a level twice', { topology: [aLevel('rack'), aLevel('rack')] }],
    ['the level host', { topology: [aLevel('host')] }],
    ['a resource that is none', { accelerators: [{ resource: 'gpu' }] }],
    ['a field that there is not', { levels: [] }],
  ])('refuses %s', (_title, mapping) => {
    expect(NodeMappingSchema.safeParse(mapping).success).toBe(false);
  });
});

function aLevel(level: string): object {
  return { level, label: `example.com/${level}` };
}
