import type { Accelerators, NodeSpec, Taint } from '../../../core/index.js';
import { countOf, cpuMilliOf, isQuantity, memoryMibOf, type Quantity } from '../../../documents/quantity.js';
import type { KubeNode, Texts } from '../kube-types.js';
import type { AcceleratorSource, NodeMapping } from './node-mapping.js';

/** A node, and by which resource pods ask for the devices of each entry of `spec.accelerators`. */
export interface MappedNode {
  readonly spec: NodeSpec;
  readonly devices: readonly DeviceResource[];
}

export interface DeviceResource {
  readonly resource: string;
  /** The first of its slots, and how many there are. */
  readonly firstSlot: number;
  readonly slots: number;
  /** As how many of the resource one slot counts: more than 1 where devices are shared. */
  readonly replicas: number;
}

/** A slot is a row of the ledger; no machine has more devices than this. */
const SLOTS_MAX = 1024;
/** Kubernetes' own echo of `spec.unschedulable`, which follows it. */
const CORDON: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/**
 * What the core may know of a Kubernetes node: what pods may use of it (never its capacity), rounded down.
 *
 * A cordon is the taint that Kubernetes itself makes of it: a pod may tolerate it, and others spread by it.
 *
 * A MIG instance that was cut already (`nvidia.com/mig-1g.10gb`) is a device of its own, with the model that its label
 * names: the device plugin cuts nothing for a pod, so no node offers partitions that the core could place.
 */
export function nodeSpecOf(node: KubeNode, mapping: NodeMapping): MappedNode {
  const { name, labels = {} } = node.metadata;
  const { unschedulable = false, taints = [] } = node.spec ?? {};
  const { cpu = 0, memory = 0, pods = 0 } = node.status?.allocatable ?? {};
  const found = devicesOf(node, mapping.accelerators);
  return {
    spec: {
      name,
      capacity: {
        cpuMilli: cpuMilliOf(cpu, 'down'),
        memoryMib: memoryMibOf(memory, 'down'),
        pods: countOf(pods, 'down'),
      },
      accelerators: found.map(({ accelerators }) => accelerators),
      labels,
      taints: [
        ...(unschedulable ? [CORDON] : []),
        ...taints.flatMap(({ key, value = '', effect }) =>
          key !== CORDON.key && isEffect(effect) ? [{ key, value, effect }] : [],
        ),
      ],
      topology: Object.fromEntries(
        mapping.topology.flatMap(({ level, label }) => {
          const domain = labels[label] ?? '';
          return domain === '' ? [] : [[level, domain]];
        }),
      ),
      unschedulable: false,
    },
    devices: found.map(({ device }) => device),
  };
}

interface Found {
  readonly accelerators: Accelerators;
  readonly device: DeviceResource;
}

function devicesOf(node: KubeNode, sources: readonly AcceleratorSource[]): readonly Found[] {
  const { labels = {} } = node.metadata;
  const found: Found[] = [];
  let firstSlot = 0;
  // By name, so that the number of a slot does not hang on the order of a map.
  const offered = Object.entries(node.status?.allocatable ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [resource, quantity] of offered) {
    const source = sources.find((one) => fits(one.resource, resource));
    if (source === undefined) continue;
    const replicas = replicasOf(labelOf(source.replicas, resource, labels));
    const slots = Math.min(Math.floor(countOf(quantity, 'down') / replicas), SLOTS_MAX - firstSlot);
    if (slots <= 0) continue;
    const memoryMib = memoryOf(labelOf(source.memory, resource, labels));
    const model = modelOf(labelOf(source.model, resource, labels) ?? resource, replicas);
    found.push({
      accelerators: { model, count: slots, ...(memoryMib !== undefined && { memoryMib }) },
      device: { resource, firstSlot, slots, replicas },
    });
    firstSlot += slots;
  }
  return found;
}

/** Whether an entry of the node mapping means the resource. */
export function fits(pattern: string, resource: string): boolean {
  return pattern.endsWith('*') ? resource.startsWith(pattern.slice(0, -1)) : resource === pattern;
}

function labelOf(pattern: string | undefined, resource: string, labels: Texts): string | undefined {
  const value = pattern === undefined ? undefined : labels[pattern.replaceAll('{resource}', resource)];
  return value === '' ? undefined : value;
}

const SHARED = '-shared';

/** Shared devices are a model of their own: whoever asks for whole ones must not come to stand there. */
function modelOf(product: string, replicas: number): string {
  const model = product.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '-');
  return replicas > 1 && !model.endsWith(SHARED) ? `${model}${SHARED}` : model;
}

function replicasOf(label: string | undefined): number {
  const replicas = Number(label);
  return Number.isSafeInteger(replicas) && replicas > 1 ? replicas : 1;
}

function memoryOf(label: Quantity | undefined): number | undefined {
  if (label === undefined || !isQuantity(label)) return undefined;
  const memoryMib = /^\d+$/.test(String(label)) ? Number(label) : memoryMibOf(label, 'down');
  return memoryMib > 0 ? memoryMib : undefined;
}

function isEffect(effect: string): effect is Taint['effect'] {
  return effect === 'NoSchedule' || effect === 'PreferNoSchedule' || effect === 'NoExecute';
}
