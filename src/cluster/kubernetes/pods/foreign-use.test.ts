import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Observation } from '../../cluster.js';
import { ForeignUse, foreignUseOf, tenantOf, type Tenant } from './foreign-use.js';
import type { KubeContainer, KubePod, Quantities } from '../kube-types.js';
import { PlacedPods } from './placed-pods.js';
import type { DeviceResource } from '../nodes/node-spec-of.js';

const GPU = 'nvidia.com/gpu';
const OWN = {
  'app.kubernetes.io/managed-by': 'berth',
  'berth.dev/workload': 'wl',
  'berth.dev/incarnation': '1',
  'berth.dev/pod-set': 'worker',
  'berth.dev/index': '0',
};

interface Wish {
  readonly requests?: Quantities;
  readonly init?: readonly KubeContainer[];
  readonly overhead?: Quantities;
  readonly slots?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Berth has bound a pod of this uid. */
  readonly placed?: string;
}

let pods = 0;

function aPod({
  requests = {},
  init = [],
  overhead = {},
  slots,
  node = 'a',
  phase = 'Running',
  labels = {},
  placed,
}: Wish): KubePod {
  const uid = placed ?? `uid-${(pods += 1)}`;
  const annotations = {
    ...(slots !== undefined && { 'berth.dev/slots': slots }),
    ...(placed !== undefined && { 'berth.dev/placed': `${placed}/wl/1/worker/0` }),
  };
  return {
    metadata: { name: 'p', uid, labels, annotations },
    spec: {
      ...(node !== '' && { nodeName: node }),
      containers: [{ name: 'main', resources: { requests } }],
      initContainers: init,
      overhead,
    },
    status: { phase },
  };
}

const own = (slots: string): Wish => ({ labels: OWN, slots });
const gpus = (count: number, slots?: string): Wish => ({
  requests: { [GPU]: count },
  ...(slots !== undefined && { slots }),
});

const eight: DeviceResource = { resource: GPU, firstSlot: 0, slots: 8, replicas: 1 };

function placedTenantOf(pod: KubePod): Tenant | undefined {
  return tenantOf(pod, new PlacedPods().placingOf(pod));
}

function useOf(wishes: readonly Wish[], devices: readonly DeviceResource[] = [eight]): ReturnType<typeof foreignUseOf> {
  const tenants = wishes.flatMap((wish) => placedTenantOf(aPod(wish)) ?? []);
  const use = foreignUseOf(tenants, devices);
  expect(foreignUseOf([...tenants].reverse(), devices)).toEqual(use);
  return use;
}

describe('what pods of others take', () => {
  const rows: Record<string, { pods: readonly Wish[]; cpu: number; memory: number; count: number }> = {
    'is nothing without pods': { pods: [], cpu: 0, memory: 0, count: 0 },
    'is the sum of their requests, each rounded up': {
      pods: [{ requests: { cpu: '100.1m', memory: '1' } }, { requests: { cpu: 1, memory: '1Gi' } }],
      cpu: 1101,
      memory: 1025,
      count: 2,
    },
    'counts what starts, sidecars and the overhead': {
      pods: [
        {
          requests: { cpu: '1', memory: '1Gi' },
          init: [
            { name: 'mesh', restartPolicy: 'Always', resources: { requests: { cpu: '500m' } } },
            { name: 'load', resources: { requests: { memory: '3Gi' } } },
          ],
          overhead: { cpu: '250m', memory: '64Mi' },
        },
      ],
      cpu: 1750,
      memory: 3136,
      count: 1,
    },
    'counts a pod that asks for nothing as a pod': { pods: [{}], cpu: 0, memory: 0, count: 1 },
    'leaves out those of Berth, those that have ended, and those on no node': {
      pods: [
        { requests: { cpu: '1' }, labels: OWN },
        { requests: { cpu: '1' }, placed: 'uid-of-a-found-pod' },
        { requests: { cpu: '1' }, phase: 'Succeeded' },
        { requests: { cpu: '1' }, phase: 'Failed' },
        { requests: { cpu: '1' }, node: '' },
      ],
      cpu: 0,
      memory: 0,
      count: 0,
    },
    'counts one that only says it is of Berth': {
      pods: [{ requests: { cpu: '1' }, labels: { 'app.kubernetes.io/managed-by': 'berth' } }],
      cpu: 1000,
      memory: 0,
      count: 1,
    },
  };

  it.each(Object.entries(rows))('%s', (_title, { pods: wishes, cpu, memory, count }) => {
    expect(useOf(wishes)).toEqual({ use: { cpuMilli: cpu, memoryMib: memory, pods: count }, slots: [] });
  });
});

describe('the slots that pods of others have', () => {
  const mixed: readonly DeviceResource[] = [
    { resource: 'nvidia.com/mig-1g.10gb', firstSlot: 0, slots: 2, replicas: 1 },
    { resource: GPU, firstSlot: 2, slots: 4, replicas: 1 },
  ];
  const shared: DeviceResource = { resource: GPU, firstSlot: 0, slots: 4, replicas: 4 };
  const rows: Record<string, { pods: readonly Wish[]; devices?: readonly DeviceResource[]; want: readonly number[] }> =
    {
      'are the highest': { pods: [gpus(1), gpus(2)], want: [5, 6, 7] },
      'are not those of pods of Berth': { pods: [own('6,7'), own('4'), gpus(2)], want: [3, 5] },
      'are not those of a pod that Berth found and bound': {
        pods: [{ ...gpus(2, '6,7'), placed: 'uid-of-a-found-pod' }, gpus(1)],
        want: [5],
      },
      'are those of pods of Berth where no others are left': { pods: [own('0,1,6,7'), gpus(5)], want: [2, 3, 4, 5, 7] },
      'are those that the annotation names': { pods: [gpus(2, '0,3'), gpus(1)], want: [0, 3, 7] },
      'are not named by an annotation of too few': { pods: [gpus(2, '0')], want: [6, 7] },
      'are not named by an annotation of too many': { pods: [gpus(1, '0,1,2,3')], want: [7] },
      'are not named twice': { pods: [gpus(2, '1,1')], want: [6, 7] },
      'are not named beyond the node': { pods: [gpus(1, '8')], want: [7] },
      'are none for an annotation without devices': { pods: [{ slots: '0,1' }], want: [] },
      'are all, when more is asked for than there is': { pods: [gpus(9)], want: [0, 1, 2, 3, 4, 5, 6, 7] },
      'are of the resource that was asked for': {
        pods: [gpus(1), { requests: { 'nvidia.com/mig-1g.10gb': '1', 'example.com/licence': 3 } }],
        devices: mixed,
        want: [1, 5],
      },
      'are whole ones where devices are shared': { pods: [gpus(3), gpus(2)], devices: [shared], want: [2, 3] },
      'are none on a node without devices': { pods: [gpus(2)], devices: [], want: [] },
    };

  it.each(Object.entries(rows))('%s', (_title, { pods: wishes, devices, want }) => {
    expect(useOf(wishes, devices).slots).toEqual(want);
  });
});

describe(ForeignUse.name, () => {
  let heard: unknown[];
  let refuses: boolean;
  let due: (() => void) | undefined;
  let foreign: ForeignUse;

  beforeEach(() => {
    heard = [];
    refuses = false;
    due = undefined;
    foreign = new ForeignUse({
      timers: {
        now: () => 0,
        sleep: () => Promise.resolve(),
        after: (_ms, run) => {
          due = run;
          return () => (due = undefined);
        },
      },
      observe: (observation: Observation) => {
        if (refuses) throw new Error('full');
        if (observation.kind === 'foreign-use-seen') heard.push([observation.node, observation.use.cpuMilli]);
      },
      devicesOf: () => [],
    });
  });

  function tenant(uid: string, node: string, cpuMilli: number): Tenant {
    return { owner: 'another', uid, node, slots: [], cpuMilli, memoryMib: 0, devices: {} };
  }

  function pass(): readonly unknown[] {
    due?.();
    return heard.splice(0);
  }

  it('tells of each node once, also that nothing is taken, and many changes as one', () => {
    foreign.nodeSeen('a');
    foreign.nodeSeen('b');
    for (let i = 0; i < 100; i += 1) foreign.see(`p${i}`, tenant(`p${i}`, 'b', 10));
    expect(pass()).toEqual([
      ['a', 0],
      ['b', 1000],
    ]);
    foreign.see('p1', tenant('p1', 'b', 10));
    expect(pass()).toEqual([]);
  });

  it('follows a pod that takes more, leaves, or turns up elsewhere', () => {
    foreign.nodeSeen('a');
    foreign.nodeSeen('b');
    foreign.see('p', tenant('p', 'a', 10));
    pass();
    foreign.see('p', tenant('p', 'a', 20));
    expect(pass()).toEqual([['a', 20]]);
    foreign.see('p', tenant('p', 'b', 20));
    expect(pass()).toEqual([
      ['a', 0],
      ['b', 20],
    ]);
    foreign.see('p', undefined);
    foreign.see('p', undefined);
    expect(pass()).toEqual([['b', 0]]);
  });

  it('counts a pod of Berth’s that the ledger does not count any more, until it is gone', () => {
    const own: Tenant = { ...tenant('own', 'a', 10), owner: 'berth' };
    foreign.nodeSeen('a');
    foreign.see('own', own);
    expect(pass()).toEqual([['a', 0]]);
    foreign.disown('own');
    expect(pass()).toEqual([['a', 10]]);
    foreign.see('own', { ...own, cpuMilli: 20 });
    expect(pass()).toEqual([['a', 20]]);
    foreign.see('own', undefined);
    expect(pass()).toEqual([['a', 0]]);
  });

  it('says nothing of a node that nobody was told of, and tells all again when it comes back', () => {
    foreign.see('p', tenant('p', 'a', 10));
    expect(pass()).toEqual([]);
    foreign.nodeSeen('a');
    expect(pass()).toEqual([['a', 10]]);
    foreign.nodeRemoved('a');
    foreign.see('q', tenant('q', 'a', 5));
    expect(pass()).toEqual([]);
    foreign.nodeSeen('a');
    expect(pass()).toEqual([['a', 15]]);
  });

  it('tells at the next look what could not be told', () => {
    foreign.nodeSeen('a');
    refuses = true;
    expect(pass()).toEqual([]);
    expect(() => {
      foreign.look();
    }).toThrow('full');
    refuses = false;
    foreign.look();
    expect(pass()).toEqual([['a', 0]]);
  });
});
