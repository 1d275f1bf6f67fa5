import { OPEN } from './cluster.js';
import type { Rows } from './row.js';
import { affinity, asks, container, init, label, where } from './row.js';

const except = (...names: readonly string[]): readonly string[] => OPEN.filter((name) => !names.includes(name));
const also = (...names: readonly string[]): readonly string[] => [...OPEN, ...names].sort();
/** a2 and a3 have 2 CPUs free. */
const LARGE = except('a2', 'a3');
const ssd = label('disk', 'In', 'ssd');
const HDD_OR_NONE = except('a1', 'a3');

export const RESOURCES: Rows = {
  'asks for nothing': { want: OPEN },
  'CPU that is free': { spec: asks({ cpu: '2' }), want: OPEN },
  'CPU that is not free everywhere': { spec: asks({ cpu: '2001m' }), want: LARGE },
  'more CPU than any node has': { spec: asks({ cpu: '9' }), want: [] },
  'memory that is free': { spec: asks({ memory: '4Gi' }), want: OPEN },
  'memory that is not free everywhere': { spec: asks({ memory: '4097Mi' }), want: except('a3') },
  'the sum of its containers': {
    spec: { containers: [container({ cpu: '1500m' }), container({ cpu: '1500m' }, { name: 'other' })] },
    want: LARGE,
  },
  'an init container that asks for more': {
    spec: { ...asks({ cpu: '1' }), initContainers: [init('first', { cpu: '3' })] },
    want: LARGE,
  },
  'init containers run one by one': {
    spec: { ...asks({ cpu: '1' }), initContainers: [init('first', { cpu: '2' }), init('second', { cpu: '2' })] },
    want: OPEN,
  },
  'a sidecar runs beside the container': {
    spec: { ...asks({ cpu: '1' }), initContainers: [init('side', { cpu: '2' }, { restartPolicy: 'Always' })] },
    want: LARGE,
  },
  'a sidecar starts after the init container before it': {
    spec: {
      ...asks({ cpu: '1' }),
      initContainers: [init('first', { cpu: '2' }), init('side', { cpu: '1' }, { restartPolicy: 'Always' })],
    },
    want: OPEN,
  },
  'a sidecar runs beside the init container after it': {
    spec: {
      ...asks({ cpu: '1' }),
      initContainers: [init('side', { cpu: '1' }, { restartPolicy: 'Always' }), init('second', { cpu: '2' })],
    },
    want: LARGE,
  },
  'what the pod asks for as a whole': {
    spec: { ...asks({ cpu: '1' }), resources: { requests: { cpu: '3' } } },
    want: LARGE,
  },
  'overhead of its runtime class': {
    spec: { ...asks({ cpu: '2' }), runtimeClassName: 'sandbox', overhead: { cpu: '1' } },
    want: LARGE,
  },
  GPUs: { spec: asks({ 'nvidia.com/gpu': '1' }), want: ['b2'] },
  'GPUs of a node that is for them': {
    spec: { ...asks({ 'nvidia.com/gpu': '1' }), tolerations: [{ key: 'dedicated', operator: 'Exists' }] },
    want: ['b1', 'b2'],
  },
  'more GPUs than one node has left': {
    spec: { ...asks({ 'nvidia.com/gpu': '2' }), tolerations: [{ key: 'dedicated', operator: 'Exists' }] },
    want: ['b2'],
  },
  'more GPUs than any node has left': {
    spec: { ...asks({ 'nvidia.com/gpu': '3' }), tolerations: [{ key: 'dedicated', operator: 'Exists' }] },
    want: [],
  },
  'GPUs of one model': {
    spec: {
      ...asks({ 'nvidia.com/gpu': '1' }),
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      nodeSelector: { 'nvidia.com/gpu.product': 'h100' },
    },
    want: ['b1'],
  },
  TPUs: { spec: asks({ 'google.com/tpu': '4' }), want: ['c2'] },
  'GPUs of another maker': { spec: asks({ 'amd.com/gpu': '1' }), want: ['d1'] },
  'devices of two kinds': {
    spec: asks({ 'nvidia.com/gpu': '1', 'google.com/tpu': '1' }),
    want: [],
    refused: 'spec.resources.requests[google.com/tpu]',
  },
  'a resource that Berth does not count': {
    spec: asks({ 'example.com/dongle': '1' }),
    want: ['d1'],
    refused: 'spec.resources.requests[example.com/dongle]',
  },
  'ephemeral storage': {
    spec: asks({ 'ephemeral-storage': '1Gi' }),
    want: OPEN,
    refused: 'spec.resources.requests[ephemeral-storage]',
  },
  'huge pages': {
    spec: {
      containers: [
        {
          name: 'main',
          image: 'none',
          resources: {
            requests: { cpu: '1', 'hugepages-2Mi': '4Mi' },
            limits: { 'hugepages-2Mi': '4Mi' },
          },
        },
      ],
    },
    want: [],
    refused: 'spec.resources.requests[hugepages-2Mi]',
  },
};

export const NODE_AFFINITY: Rows = {
  'a node selector': { spec: { nodeSelector: { disk: 'ssd' } }, want: ['a1', 'a3'] },
  'a node selector of two labels': { spec: { nodeSelector: { disk: 'ssd', tier: 'gold' } }, want: ['a3'] },
  'a node selector that no node fits': { spec: { nodeSelector: { disk: 'tape' } }, want: [] },
  In: { spec: where(label('disk', 'In', 'ssd', 'nvme')), want: ['a1', 'a3', 'd1'] },
  'NotIn, also where the label is missing': { spec: where(label('disk', 'NotIn', 'ssd')), want: HDD_OR_NONE },
  Exists: { spec: where(label('disk', 'Exists')), want: ['a1', 'a2', 'a3', 'd1'] },
  DoesNotExist: { spec: where(label('disk', 'DoesNotExist')), want: ['b2', 'c2', 'c3'] },
  'Gt, for whole numbers only': { spec: where(label('cores', 'Gt', '4')), want: ['a2', 'c2'] },
  'Lt, for whole numbers only': { spec: where(label('cores', 'Lt', '8')), want: ['a1'] },
  'either of two terms': {
    spec: affinity([{ matchExpressions: [ssd] }, { matchExpressions: [label('cores', 'Gt', '8')] }]),
    want: ['a1', 'a3', 'c2'],
  },
  'both requirements of a term': { spec: where(label('disk', 'Exists'), label('cores', 'Gt', '4')), want: ['a2'] },
  'an empty term fits no node': { spec: affinity([{}]), want: [], pinnedBy: 'taint' },
  'an empty term beside another': {
    spec: affinity([{}, { matchExpressions: [ssd] }]),
    want: ['a1', 'a3'],
    pinnedBy: 'taint',
  },
  'any node but one': {
    spec: affinity([{ matchFields: [label('metadata.name', 'NotIn', 'a1')] }]),
    want: except('a1'),
    pinnedBy: 'taint',
  },
  'a label of a node with a name': {
    spec: affinity([{ matchExpressions: [ssd], matchFields: [label('metadata.name', 'In', 'a3')] }]),
    want: ['a3'],
    pinnedBy: 'taint',
  },
  'a node selector and affinity': {
    spec: { nodeSelector: { disk: 'ssd' }, ...where(label('tier', 'Exists')) },
    want: ['a3'],
  },
  'preferred affinity keeps it from no node': {
    spec: {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, preference: { matchExpressions: [label('disk', 'In', 'tape')] } },
          ],
        },
      },
    },
    want: OPEN,
  },
};

export const TAINTS: Rows = {
  'tolerates a taint by its value': {
    spec: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }] },
    want: also('b1'),
  },
  'tolerates another value': {
    spec: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'cpu', effect: 'NoSchedule' }] },
    want: OPEN,
  },
  'tolerates any value': { spec: { tolerations: [{ key: 'dedicated', operator: 'Exists' }] }, want: also('b1') },
  'tolerates a NoExecute taint': {
    spec: { tolerations: [{ key: 'maintenance', operator: 'Exists', effect: 'NoExecute' }] },
    want: also('c1'),
  },
  'tolerates a NoExecute taint for a while': {
    spec: { tolerations: [{ key: 'maintenance', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }] },
    want: also('c1'),
  },
  'tolerates another effect of the same key': {
    spec: { tolerations: [{ key: 'maintenance', operator: 'Exists', effect: 'NoSchedule' }] },
    want: OPEN,
  },
  'tolerates a cordon': {
    spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }] },
    want: also('b3'),
  },
  'tolerates everything': { spec: { tolerations: [{ operator: 'Exists' }] }, want: also('b1', 'b3', 'c1') },
  'tolerates everything of one effect': {
    spec: { tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }] },
    want: also('b1', 'b3'),
  },
};
