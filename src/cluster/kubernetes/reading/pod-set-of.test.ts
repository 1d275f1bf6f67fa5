import { describe, expect, it } from '@jest/globals';
import type { PodSetSpec } from '../../../core/index.js';
import { aClaim, aPod, aVolume } from '../../../../test/support/kube-pods.js';
import type { ClaimObject, PodObject, VolumeObject } from './pod-object.js';
import { podSetOf } from './pod-set-of.js';

const FLAVORS: Readonly<Record<string, readonly string[]>> = {
  'nvidia.com/gpu': ['h100', 'a100'],
  'google.com/tpu': ['v5e'],
  'amd.com/gpu': [],
};
const NODES = [
  { name: 'a', labels: { 'topology.kubernetes.io/zone': 'z1' } },
  { name: 'b', labels: { 'topology.kubernetes.io/zone': 'z2' } },
  { name: 'c', labels: {} },
];

interface Case {
  readonly pod: Parameters<typeof aPod>[0];
  readonly claims?: readonly ClaimObject[];
  readonly volumes?: readonly VolumeObject[];
  readonly want?: Partial<PodSetSpec>;
  /** What is refused: field, then why. */
  readonly refused?: readonly string[];
}

function readingOf({ pod, claims = [], volumes = [] }: Case) {
  return podSetOf(aPod(pod), {
    flavors: { ofResource: (resource) => FLAVORS[resource], ofCpu: ['cpu'] },
    storage: {
      claim: (_namespace, name) => claims.find(({ metadata }) => metadata.name === name),
      volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
      nodes: NODES,
    },
  });
}

const asks = (requests: Readonly<Record<string, string>>) => ({ name: 'c', resources: { requests } });
const sidecar = (requests: Readonly<Record<string, string>>) => ({ ...asks(requests), restartPolicy: 'Always' });
const mounts = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] });
const dbs = { matchLabels: { app: 'db' } };
const isDb = [{ key: 'app', operator: 'In', values: ['db'] }] as const;
const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' };
const hardSpread = { topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' } as const;
const NOBODY = [{ key: '', operator: 'In', values: [] }] as const;

const cases: Record<string, Case> = {
  'requests of all containers': {
    pod: { spec: { containers: [asks({ cpu: '100m', memory: '100Mi' }), asks({ cpu: '1', memory: '1536Ki' })] } },
    want: { cpuMilli: 1100, memoryMib: 102, flavors: ['cpu'] },
  },
  'no request is none': { pod: {}, want: { cpuMilli: 0, memoryMib: 0 } },
  'an init container that asks for more than what runs later': {
    pod: {
      spec: {
        containers: [asks({ cpu: '1' })],
        initContainers: [asks({ cpu: '3', memory: '1Gi' }), asks({ cpu: '2' })],
      },
    },
    want: { cpuMilli: 3000, memoryMib: 1024 },
  },
  'a sidecar runs beside the containers': {
    pod: { spec: { containers: [asks({ cpu: '1' })], initContainers: [sidecar({ cpu: '500m' })] } },
    want: { cpuMilli: 1500 },
  },
  'a sidecar runs beside the init containers after it, and not before it': {
    pod: {
      spec: {
        containers: [asks({ cpu: '1' })],
        initContainers: [asks({ cpu: '4' }), sidecar({ cpu: '2' }), asks({ cpu: '3' })],
      },
    },
    want: { cpuMilli: 5000 },
  },
  'what the pod asks for as a whole': {
    pod: {
      spec: {
        containers: [asks({ cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '1' })],
        resources: { requests: { cpu: '3' } },
      },
    },
    want: { cpuMilli: 3000, memoryMib: 1024, devices: { count: 1, milli: 1000 } },
  },
  'overhead, rounded up only with the rest': {
    pod: { spec: { containers: [asks({ memory: '1536Ki' })], overhead: { cpu: '250m', memory: '512Ki' } } },
    want: { cpuMilli: 0, memoryMib: 2, overhead: { cpuMilli: 250, memoryMib: 0 } },
  },
  'devices, in the flavors that have them': {
    pod: { spec: { containers: [asks({ 'nvidia.com/gpu': '2' }), asks({ 'nvidia.com/gpu': '2' })] } },
    want: { devices: { count: 4, milli: 1000 }, flavors: ['h100', 'a100'] },
  },
  'devices of two kinds': {
    pod: { spec: { containers: [asks({ 'nvidia.com/gpu': '1', 'google.com/tpu': '4' })] } },
    refused: [
      'spec.resources.requests[google.com/tpu]: a pod has devices of one kind, and this one has nvidia.com/gpu already',
    ],
  },
  'devices of which there is no flavor': {
    pod: { spec: { containers: [asks({ 'amd.com/gpu': '1' })] } },
    refused: ['spec.resources.requests[amd.com/gpu]: no flavor has nodes with this resource'],
  },
  'resources that are not counted': {
    pod: { spec: { containers: [asks({ 'ephemeral-storage': '1Gi', 'rdma/hca': '1', 'hugepages-2Mi': '0' })] } },
    refused: [
      'spec.resources.requests[ephemeral-storage]: Berth does not count this resource',
      'spec.resources.requests[rdma/hca]: Berth does not count this resource',
    ],
  },
  'claims of devices': {
    pod: { spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] } },
    refused: ['spec.resourceClaims: Berth does not allocate claims of devices'],
  },
  'its labels and namespace, by which others see it': {
    pod: { metadata: { labels: { app: 'db' }, namespace: 'shop' } },
    want: { labels: { app: 'db' }, namespace: 'shop' },
  },
  'a node selector': { pod: { spec: { nodeSelector: { disk: 'ssd' } } }, want: { nodeSelector: { disk: 'ssd' } } },
  'required node affinity by labels and name': {
    pod: {
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['8'] }],
                  matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['a'] }],
                },
                { matchExpressions: [{ key: 'disk', operator: 'Exists' }] },
                {},
              ],
            },
          },
        },
      },
    },
    want: {
      nodeAffinity: [
        {
          matchLabels: [{ key: 'cores', operator: 'Gt', values: ['8'] }],
          matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['a'] }],
        },
        { matchLabels: [{ key: 'disk', operator: 'Exists' }] },
        { matchLabels: [] },
      ],
    },
  },
  'preferred node affinity': {
    pod: {
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 5, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
            ],
          },
        },
      },
    },
    want: { preferredNodeAffinity: [{ weight: 5, term: { matchLabels: [{ key: 'disk', operator: 'Exists' }] } }] },
  },
  'an operator of the future': {
    pod: {
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'os', operator: 'Like', values: ['l%'] }] }],
            },
          },
        },
      },
    },
    refused: [
      'spec.affinity.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].operator: Berth does not know Like here',
    ],
  },
  'pod affinity and anti-affinity': {
    pod: {
      spec: {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'zone', labelSelector: dbs, namespaces: ['x'] },
            ],
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: {} }],
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 7, podAffinityTerm: { topologyKey: 'zone' } }],
          },
        },
      },
    },
    want: {
      podAffinity: { required: [{ topologyKey: 'zone', selector: isDb, namespaces: ['x'] }] },
      podAntiAffinity: {
        required: [{ topologyKey: 'zone', selector: [] }],
        preferred: [{ weight: 7, term: { topologyKey: 'zone', selector: NOBODY } }],
      },
    },
  },
  'namespaces by their labels': {
    pod: {
      spec: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'zone', labelSelector: dbs, namespaceSelector: {} },
            ],
          },
        },
      },
    },
    refused: [
      'spec.affinity.podAntiAffinity.required[0].namespaceSelector: Berth knows namespaces by their names only; list them in namespaces',
    ],
  },
  'topology spread': {
    pod: {
      metadata: { labels: { app: 'db', version: '2' } },
      spec: {
        topologySpreadConstraints: [
          { ...spread, labelSelector: dbs, minDomains: 2, nodeTaintsPolicy: 'Honor', nodeAffinityPolicy: 'Ignore' },
          { ...spread, labelSelector: dbs, matchLabelKeys: ['version', 'none'], whenUnsatisfiable: 'ScheduleAnyway' },
        ],
      },
    },
    want: {
      topologySpread: [
        { ...hardSpread, selector: isDb, minDomains: 2, nodeTaintsPolicy: 'Honor', nodeAffinityPolicy: 'Ignore' },
        {
          ...hardSpread,
          selector: [...isDb, { key: 'version', operator: 'In', values: ['2'] }],
          whenUnsatisfiable: 'ScheduleAnyway',
        },
      ],
    },
  },
  'topology spread whose selector is empty counts nobody': {
    pod: { spec: { topologySpreadConstraints: [{ ...spread, labelSelector: {} }, spread] } },
    want: {
      topologySpread: [
        { ...hardSpread, selector: NOBODY },
        { ...hardSpread, selector: NOBODY },
      ],
    },
  },
  'tolerations, also those that admission adds': {
    pod: {
      spec: {
        tolerations: [
          { operator: 'Exists' },
          { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
          { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
        ],
      },
    },
    want: {
      tolerations: [
        { operator: 'Exists' },
        { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' },
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
      ],
    },
  },
  'tolerations that compare numbers': {
    pod: { spec: { tolerations: [{ key: 'sla', operator: 'Gt', value: '900' }] } },
    refused: ['spec.tolerations[0].operator: Berth does not know Gt'],
  },
  'host ports of containers and sidecars': {
    pod: {
      spec: {
        containers: [
          { name: 'c', ports: [{ containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' }, { containerPort: 81 }] },
        ],
        initContainers: [
          { name: 'i', ports: [{ containerPort: 82, hostPort: 82 }] },
          { name: 's', restartPolicy: 'Always', ports: [{ containerPort: 83, hostPort: 83, protocol: 'UDP' }] },
        ],
      },
    },
    want: {
      hostPorts: [
        { port: 83, protocol: 'UDP' },
        { port: 80, ip: '10.0.0.1' },
      ],
    },
  },
  'a claim whose volume is in some zones': {
    pod: { spec: mounts('data') },
    claims: [aClaim('data', 'pv')],
    volumes: [aVolume('pv', { labels: { 'topology.kubernetes.io/zone': 'z2__z3' } })],
    want: { volumeNodes: ['b', 'c'] },
  },
  'a claim whose volume is on one node': {
    pod: { spec: mounts('data') },
    claims: [aClaim('data', 'pv')],
    volumes: [aVolume('pv', { zones: ['z1'] })],
    want: { volumeNodes: ['a'] },
  },
  'two claims that no node reaches together': {
    pod: {
      spec: {
        volumes: [
          { name: 'v', persistentVolumeClaim: { claimName: 'data' } },
          { name: 'w', persistentVolumeClaim: { claimName: 'log' } },
        ],
      },
    },
    claims: [aClaim('data', 'pv'), aClaim('log', 'pw')],
    volumes: [aVolume('pv', { zones: ['z1'] }), aVolume('pw', { zones: ['z2'] })],
    want: { volumeNodes: [] },
  },
  'a claim that is bound to a volume which is anywhere': {
    pod: { spec: mounts('data') },
    claims: [aClaim('data', 'pv')],
    volumes: [aVolume('pv')],
  },
  'a claim that is not there': {
    pod: { spec: mounts('data') },
    refused: ['spec.volumes[0].persistentVolumeClaim: there is no claim data'],
  },
  'a claim that is not bound': {
    pod: { spec: mounts('data') },
    claims: [aClaim('data', undefined)],
    refused: ['spec.volumes[0].persistentVolumeClaim: claim data is not bound, and Berth binds none'],
  },
  'a claim whose volume is gone': {
    pod: { spec: mounts('data') },
    claims: [aClaim('data', 'pv')],
    refused: ['spec.volumes[0].persistentVolumeClaim: the volume pv of claim data is not there'],
  },
  'a claim for one pod alone': {
    pod: { spec: mounts('data') },
    claims: [aClaim('data', 'pv', { spec: { accessModes: ['ReadWriteOncePod'] } })],
    volumes: [aVolume('pv')],
    refused: [
      'spec.volumes[0].persistentVolumeClaim: Berth does not keep other pods from claim data, which is ReadWriteOncePod',
    ],
  },
  'a claim of its own that another made': {
    pod: { metadata: { name: 'p' }, spec: { volumes: [{ name: 'tmp', ephemeral: {} }] } },
    claims: [aClaim('p-tmp', 'pv')],
    volumes: [aVolume('pv')],
    refused: ['spec.volumes[0].ephemeral: claim p-tmp was not made for this pod'],
  },
  'a claim of its own': {
    pod: { metadata: { name: 'p', uid: 'u1' }, spec: { volumes: [{ name: 'tmp', ephemeral: {} }] } },
    claims: [aClaim('p-tmp', 'pv', { owner: 'u1' })],
    volumes: [aVolume('pv', { zones: ['z1'] })],
    want: { volumeNodes: ['a'] },
  },
  'a disk that is written into the pod': {
    pod: {
      spec: {
        volumes: [
          { name: 'v', rbd: { image: 'i', monitors: ['m'] } },
          { name: 'w', emptyDir: {} },
        ],
      },
    },
    refused: ['spec.volumes[0].rbd: Berth does not keep pods apart that share such a disk; use a claim'],
  },
};

describe(podSetOf.name, () => {
  it.each(Object.entries(cases))('reads %s', (_title, one) => {
    const { podSet, unsupported } = readingOf(one);
    expect(unsupported.map(({ field, why }) => `${field}: ${why}`)).toEqual(one.refused ?? []);
    const want = one.want ?? {};
    expect({ ...podSet, ...want }).toEqual(podSet);
    expect(podSet.volumeNodes).toEqual(want.volumeNodes);
  });

  it('says nothing that the pod does not say', () => {
    const pod: PodObject = aPod({ metadata: { labels: {} } });
    expect(readingOf({ pod }).podSet).toEqual({
      name: 'pods',
      count: 1,
      minCount: 1,
      cpuMilli: 0,
      memoryMib: 0,
      flavors: ['cpu'],
      nodeSelector: {},
      namespace: 'default',
      labels: {},
      tolerations: [],
      start: 'together',
      onLoss: 'restart-all',
    });
  });
});
