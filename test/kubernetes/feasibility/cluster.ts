import type { V1Container, V1NodeSpec, V1PodSpec } from '@kubernetes/client-node';
import type { ClaimObject, PodObject, VolumeObject } from '../../../src/cluster/kubernetes/reading/pod-object.js';
import { aClaim, aPod, aVolume } from '../../support/kube-pods.js';

/**
 * The cluster in which it is asked where pods may run: nodes that differ in labels, taints, sizes and devices, pods that
 * stand on some of them, and volumes that some reach. Zones z1 (a1 a2 a3), z2 (b1 b2), z3 (c2 c3), z4 (c1), z5 (b3);
 * d1 and d2 are in none.
 */

export const NAMESPACE = 'oracle';
export const OTHER_NAMESPACE = 'shop';
export const HOST = 'kubernetes.io/hostname';
export const ZONE = 'topology.kubernetes.io/zone';
/** Each node has a taint of its own name, so that a toleration can pin a pod without touching its affinity. */
export const PIN = 'oracle.berth.dev/node';

type Taint = NonNullable<V1NodeSpec['taints']>[number];

export interface NodeManifest {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly unschedulable?: boolean; readonly taints: readonly Taint[] };
  readonly status: { readonly allocatable: Readonly<Record<string, string>> };
}

interface NodeWish {
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taint?: Taint;
  readonly cordoned?: boolean;
  readonly resources?: Readonly<Record<string, string>>;
}

const nodes: Readonly<Record<string, NodeWish>> = {
  a1: { zone: 'z1', labels: { disk: 'ssd', cores: '4' }, resources: { cpu: '4' } },
  a2: { zone: 'z1', labels: { disk: 'hdd', cores: '8' } },
  a3: { zone: 'z1', labels: { disk: 'ssd', tier: 'gold' }, resources: { cpu: '2', memory: '4Gi' } },
  b1: {
    zone: 'z2',
    labels: { 'nvidia.com/gpu.product': 'h100' },
    taint: { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
    resources: { 'nvidia.com/gpu': '4' },
  },
  b2: { zone: 'z2', labels: { 'nvidia.com/gpu.product': 'a100' }, resources: { 'nvidia.com/gpu': '2' } },
  b3: { zone: 'z5', cordoned: true },
  c1: { zone: 'z4', taint: { key: 'maintenance', value: 'now', effect: 'NoExecute' } },
  c2: {
    zone: 'z3',
    labels: { cores: '32', 'cloud.google.com/gke-tpu-accelerator': 'v5e' },
    resources: { 'google.com/tpu': '4' },
  },
  c3: {
    zone: 'z3',
    labels: { cores: 'many' },
    taint: { key: 'old', value: 'yes', effect: 'PreferNoSchedule' },
  },
  d1: {
    labels: { disk: 'nvme', 'amd.com/gpu.product-name': 'mi300x' },
    resources: { 'amd.com/gpu': '1', 'example.com/dongle': '1' },
  },
  d2: { resources: { pods: '1' } },
};

export const NODE_NAMES = Object.keys(nodes);
/** Where a pod may run that asks for nothing: not on a node that is tainted, cordoned, or full. */
export const OPEN = ['a1', 'a2', 'a3', 'b2', 'c2', 'c3', 'd1'];

export const NODES: readonly NodeManifest[] = Object.entries(nodes).map(([name, wish]) => {
  const { zone, labels = {}, taint, cordoned = false, resources = {} } = wish;
  const pin: Taint = { key: PIN, value: name, effect: 'NoSchedule' };
  return {
    metadata: {
      name,
      uid: `uid-${name}`,
      labels: { [HOST]: name, ...(zone === undefined ? {} : { [ZONE]: zone }), ...labels },
    },
    spec: { taints: taint === undefined ? [pin] : [pin, taint], ...(cordoned ? { unschedulable: true } : {}) },
    status: { allocatable: { cpu: '8', memory: '16Gi', pods: '20', 'ephemeral-storage': '100Gi', ...resources } },
  };
});

interface StandingWish {
  readonly on: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly requests?: Record<string, string>;
  readonly ports?: NonNullable<V1Container['ports']>;
  readonly spec?: Partial<V1PodSpec>;
}

const avoids = (app: string, topologyKey: string): Partial<V1PodSpec> => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app } } }],
    },
  },
});

const standing: Readonly<Record<string, StandingWish>> = {
  'web-a1': { on: 'a1', labels: { app: 'web' }, requests: { cpu: '1' } },
  'web-a2': { on: 'a2', labels: { app: 'web', version: '1' }, requests: { cpu: '1' } },
  'web-b2': { on: 'b2', labels: { app: 'web', version: '2' } },
  'db-a2': { on: 'a2', labels: { app: 'db' }, requests: { cpu: '5' } },
  'db-b2': { on: 'b2', namespace: OTHER_NAMESPACE, labels: { app: 'db' } },
  'port-a1': { on: 'a1', ports: [{ containerPort: 8080, hostPort: 8080, protocol: 'TCP' }] },
  'port-b2': { on: 'b2', ports: [{ containerPort: 9000, hostPort: 9000, hostIP: '10.0.0.1', protocol: 'TCP' }] },
  'dns-c2': {
    on: 'c2',
    spec: {
      initContainers: [
        {
          name: 'dns',
          image: 'none',
          restartPolicy: 'Always',
          ports: [{ containerPort: 53, hostPort: 53, protocol: 'UDP' }],
        },
      ],
    },
  },
  'loner-c2': { on: 'c2', labels: { app: 'loner' }, spec: avoids('guest', ZONE) },
  'loner-d1': { on: 'd1', labels: { app: 'loner' }, spec: avoids('hermit', HOST) },
  'gpu-b1': { on: 'b1', requests: { 'nvidia.com/gpu': '3' }, spec: { tolerations: [{ operator: 'Exists' }] } },
  'full-d2': { on: 'd2' },
  'even-a1': { on: 'a1', labels: { app: 'even' } },
  'even-a2': { on: 'a2', labels: { app: 'even' } },
  'even-b2': { on: 'b2', labels: { app: 'even' } },
  'flat-a1': { on: 'a1', labels: { app: 'flat' } },
  'flat-b2': { on: 'b2', labels: { app: 'flat' } },
  'flat-c2': { on: 'c2', labels: { app: 'flat' } },
  'owner-a1': { on: 'a1', spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'one-pod' } }] } },
};

/** Bound by whoever made them. */
export const STANDING: readonly PodObject[] = Object.entries(standing).map(([name, wish]) => {
  const { on, namespace = NAMESPACE, labels = {}, requests, ports, spec = {} } = wish;
  const container: V1Container = {
    name: 'main',
    image: 'none',
    // Kubernetes sets the limits of extended resources nowhere by itself.
    ...(requests === undefined ? {} : { resources: { requests, limits: devicesOf(requests) } }),
    ...(ports === undefined ? {} : { ports }),
  };
  return aPod({ metadata: { name, namespace, labels }, spec: { nodeName: on, containers: [container], ...spec } });
});

/** The API server wants limits equal to requests for them. */
export function devicesOf(requests: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(requests).filter(([resource]) => resource.includes('/')));
}

export const VOLUMES: readonly VolumeObject[] = [
  aVolume('in-z1', { zones: ['z1'] }),
  aVolume('on-a3', { hosts: ['a3'] }),
  aVolume('labelled', { labels: { [ZONE]: 'z2__z3' } }),
  aVolume('anywhere'),
  aVolume('one-pod'),
];

/** Each is bound to the volume of its name, but one. */
export const CLAIMS: readonly ClaimObject[] = [
  ...['in-z1', 'on-a3', 'labelled', 'anywhere'].map((name) => aClaim(name, name)),
  aClaim('one-pod', 'one-pod', { spec: { accessModes: ['ReadWriteOncePod'] } }),
  aClaim('unbound', undefined),
];
