import { describe, expect, it } from '@jest/globals';
import { aNode, anOrder, type OrderWishes } from '../../../../test/support/pod-orders.js';
import { PodEnvironmentSchema, type Job } from '../../../trainer/contract.js';
import type { PodProgram } from '../../cluster.js';
import type { KubePod } from '../kube-types.js';
import type { MappedNode } from '../nodes/node-spec-of.js';
import { podRefOf, slotsOf } from './pod-labels.js';
import { podManifests, type PodManifests } from './pod-manifest.js';
import { DEFAULT_POD_SETTINGS, PodSettingsSchema } from './pod-settings.js';

const NODE: MappedNode = {
  spec: aNode('node-a'),
  devices: [{ resource: 'nvidia.com/gpu', firstSlot: 0, slots: 8, replicas: 1 }],
};
const WHOLE = [
  { slot: 2, milli: 1000 },
  { slot: 5, milli: 1000 },
];
const PROGRAM: PodProgram = { kind: 'command', image: 'busybox', command: ['sleep', '1'], env: { GREETING: 'a $(X)' } };
const TRAINER: PodProgram = { kind: 'trainer', job: { name: 'adult' } as unknown as Job };
const SETTINGS = PodSettingsSchema.parse({ trainerImage: 'registry/trainer:1' });

interface ReadPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: {
    readonly containers: readonly [
      {
        readonly image: string;
        readonly env: readonly { readonly name: string; readonly value: string }[];
        readonly resources: object;
        readonly args?: readonly string[];
      },
    ];
    readonly volumes: readonly object[];
    readonly tolerations: readonly object[];
    readonly subdomain?: string;
  };
}

function manifests(wishes: OrderWishes = {}, node = NODE, settings = SETTINGS): PodManifests & { pod: ReadPod } {
  const made = podManifests(anOrder([], { program: PROGRAM, ...wishes }), node, settings);
  if (made.kind === 'refused') throw new Error(made.why);
  return made as PodManifests & { pod: ReadPod };
}

function environment(wishes: OrderWishes = {}): Record<string, string> {
  const [{ env }] = manifests(wishes).pod.spec.containers;
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('the manifest of a pod', () => {
  it('names it, its namespace and its place in its workload, so that it is found again', () => {
    const { pod } = manifests({ slots: WHOLE, incarnation: 3, index: 1, rank: 1, worldSize: 2, epoch: 4 });
    expect(pod.metadata).toMatchObject({ name: 'wl-1-3-worker-1', namespace: 'research' });
    expect(podRefOf(pod as unknown as KubePod)).toEqual({
      workload: 'wl-1',
      incarnation: 3,
      podSet: 'worker',
      index: 1,
    });
    expect(slotsOf(pod as unknown as KubePod)).toEqual([2, 5]);
    expect(pod.metadata.annotations).toMatchObject({ 'berth.dev/epoch': '4', 'berth.dev/slots': '2,5' });
    expect(pod.metadata.labels['berth.dev/rank']).toBe('1');
  });

  it('leaves the node to the binding', () => {
    expect(manifests().pod.spec).not.toHaveProperty('nodeName');
    expect(manifests().pod.spec).toMatchObject({ schedulerName: 'berth', restartPolicy: 'Never' });
  });

  it('is what the restricted profile allows', () => {
    expect(manifests().pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
    });
  });

  it('asks for what the ledger counts, and for devices by their resource', () => {
    expect(manifests({ slots: WHOLE }).pod.spec.containers[0].resources).toEqual({
      requests: { cpu: '1000m', memory: '512Mi', 'nvidia.com/gpu': '2' },
      limits: { memory: '512Mi', 'nvidia.com/gpu': '2' },
    });
  });

  it('tells it who it is, as the contract of pods says, whatever its own variables are', () => {
    const program = { ...PROGRAM, env: { GREETING: 'a $(X)', RANK: '7' } };
    const found = environment({ slots: WHOLE, incarnation: 3, rank: 1, worldSize: 2, program });
    expect(PodEnvironmentSchema.parse(found)).toEqual({
      BERTH_WORKLOAD: 'wl-1',
      BERTH_POD: 'wl-1-3-worker-0',
      BERTH_INCARNATION: 3,
      BERTH_WORKLOAD_DIR: '/var/lib/berth/workload',
      BERTH_DEVICES: '2,5',
      BERTH_VIRTUAL_DEVICES: '0',
      BERTH_STATUS_URL: 'http://127.0.0.1:9/status',
      BERTH_STATUS_TOKEN_FILE: '/var/run/berth/token',
      BERTH_GRACE_SECONDS: 2,
      RANK: 1,
      WORLD_SIZE: 2,
      MASTER_ADDR: 'rank-0.w-wl-1-3',
      MASTER_PORT: 29_500,
    });
    expect(found['GREETING']).toBe('a $$(X)');
  });

  it('keeps the token out of the pod, in a secret that goes with it', () => {
    const { pod, secret } = manifests();
    expect(JSON.stringify(pod)).not.toContain('secret-of-the-pod');
    expect(secret('uid-1')).toMatchObject({
      metadata: { name: 'wl-1-1-worker-0', ownerReferences: [{ kind: 'Pod', uid: 'uid-1' }] },
      data: { token: base64('secret-of-the-pod') },
    });
  });

  it('gives a trainer its image and its job', () => {
    const { pod, secret } = manifests({ program: TRAINER });
    expect(pod.spec.containers[0]).toMatchObject({
      image: 'registry/trainer:1',
      args: ['--file', '/var/run/berth/job.json'],
    });
    expect(secret('uid-1')).toMatchObject({ data: { 'job.json': base64('{"name":"adult"}') } });
  });

  it('keeps the folder of a workload where it is told to', () => {
    expect(manifests().pod.spec.volumes).toContainEqual({ name: 'workload', emptyDir: {} });
    const settings = PodSettingsSchema.parse({ workloadClaim: 'berth' });
    expect(manifests({}, NODE, settings).pod.spec.volumes).toContainEqual({
      name: 'workload',
      persistentVolumeClaim: { claimName: 'berth' },
    });
  });

  it('tolerates the taints that end pods and that the core knew of', () => {
    const taints = [
      { key: 'spot', value: '', effect: 'NoExecute' },
      { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
    ] as const;
    const { pod } = manifests({}, { ...NODE, spec: { ...NODE.spec, taints } });
    expect(pod.spec.tolerations).toEqual([{ key: 'spot', operator: 'Equal', value: '', effect: 'NoExecute' }]);
  });
});

describe('the service of a gang', () => {
  it('comes with rank 0, for the pods of its incarnation alone', () => {
    const { pod, service } = manifests({ worldSize: 2, incarnation: 4 });
    expect(pod.spec.subdomain).toBe('w-wl-1-4');
    expect(service?.('uid-1')).toMatchObject({
      metadata: { name: 'w-wl-1-4', ownerReferences: [{ uid: 'uid-1' }] },
      spec: { clusterIP: 'None', selector: { 'berth.dev/workload': 'wl-1', 'berth.dev/incarnation': '4' } },
    });
    expect(manifests({ worldSize: 2, rank: 1 }).service).toBeUndefined();
  });

  it('is not needed by a pod that is alone', () => {
    expect(manifests().service).toBeUndefined();
    expect(environment()['MASTER_ADDR']).toBe('127.0.0.1');
  });
});

const share = (milli: number) => [{ slot: 0, milli }];
const sharing = (replicas: number): MappedNode => ({
  ...NODE,
  devices: [{ resource: 'nvidia.com/gpu.shared', firstSlot: 0, slots: 2, replicas }],
});

describe('a share of a device', () => {
  it('is so many of the parts that its node gives away', () => {
    expect(manifests({ slots: share(500) }, sharing(4)).pod.spec.containers[0].resources).toMatchObject({
      limits: { 'nvidia.com/gpu.shared': '2' },
    });
  });
});

const refusals: Record<string, { wishes: OrderWishes; node?: MappedNode; want: [string, string] }> = {
  'a trainer without an image': {
    wishes: { program: TRAINER },
    want: ['no image is set for the trainer: set trainerImage of the Kubernetes driver', 'never'],
  },
  'a container without an image': {
    wishes: { program: { kind: 'command', command: ['true'], env: {} } },
    want: ['its container has no image: add image to the container of the pod set', 'never'],
  },
  'a device that is not there any more': {
    wishes: { slots: [{ slot: 8, milli: 1000 }] },
    want: ['node node-a cannot run it: it has no device 8 now', 'elsewhere'],
  },
  'devices of two kinds': {
    wishes: { slots: WHOLE },
    node: {
      ...NODE,
      devices: [3, 5].map((slots, index) => ({ resource: `r${index}`, firstSlot: index * 3, slots, replicas: 1 })),
    },
    want: ['node node-a cannot run it: its devices 2 and 5 are not of one kind', 'elsewhere'],
  },
  'a partition': {
    wishes: { slots: [{ slot: 0, milli: 125, profile: '1g.10gb', position: 0 }] },
    want: ['node node-a cannot run it: it cuts no partitions for a pod', 'elsewhere'],
  },
  'a share where nothing is shared': {
    wishes: { slots: share(500) },
    want: ['node node-a cannot run it: it does not share its devices', 'elsewhere'],
  },
  'a share between two parts': {
    wishes: { slots: share(300) },
    node: sharing(4),
    want: ['node node-a cannot run it: it gives away its devices in parts of 250', 'elsewhere'],
  },
  'a whole device where they are shared': {
    wishes: { slots: share(1000) },
    node: sharing(4),
    want: ['node node-a cannot run it: it shares its devices, and gives away no whole ones', 'elsewhere'],
  },
};

describe('an order that cannot be carried out', () => {
  it.each(Object.entries(refusals))('says so: %s', (_title, { wishes, node = NODE, want: [why, retry] }) => {
    const order = anOrder([], { program: PROGRAM, ...wishes });
    expect(podManifests(order, node, DEFAULT_POD_SETTINGS)).toEqual({ kind: 'refused', why, retry });
  });
});
