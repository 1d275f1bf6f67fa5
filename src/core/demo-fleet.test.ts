import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../test/support/fleet-builders.js';
import type { Constraint, FlavorQuota, NodeSpec, PodSetSpec, TopologyRequest } from './index.js';

/**
 * The fleet and the quotas of `docs/examples`: two racks of H100 and one of A100 with 4 nodes of 8 each, and a TPU
 * slice of 2 hosts, here beside a second one that is larger.
 */
const REQUIRED_SLICE: TopologyRequest = { kind: 'required', level: 'slice' };

const nodes: readonly NodeSpec[] = [
  ...hosts('h100-a', 4, { model: 'nvidia-h100', rack: 'a' }),
  ...hosts('h100-b', 4, { model: 'nvidia-h100', rack: 'b' }),
  ...hosts('a100-c', 4, { model: 'nvidia-a100', rack: 'c' }),
  ...hosts('tpu', 2, { model: 'google-tpu-v5p', devices: 4, topology: { slice: 'tpu' } }),
  ...hosts('wide', 4, { model: 'google-tpu-v5p', devices: 4, topology: { slice: 'wide' } }),
];

interface Case {
  readonly pods: PodSetSpec;
  readonly quota?: number;
  readonly want: Readonly<Record<string, number>> | Partial<Constraint>;
  readonly also?: readonly Constraint['kind'][];
}

const h100 = (wish: Parameters<typeof aPodSet>[0]): PodSetSpec => aPodSet({ flavors: ['nvidia-h100'], ...wish });
const tpu = (wish: Parameters<typeof aPodSet>[0]): PodSetSpec =>
  aPodSet({ gpus: 4, flavors: ['google-tpu-v5p'], topology: REQUIRED_SLICE, ...wish });

const cases: Record<string, Case> = {
  'a gang in one rack': {
    pods: h100({ count: 4, gpus: 8, topology: { kind: 'required', level: 'rack' } }),
    want: { 'h100-a-0': 1, 'h100-a-1': 1, 'h100-a-2': 1, 'h100-a-3': 1 },
  },
  'more GPUs than exist, past the quota: quota first, and capacity beside it': {
    pods: h100({ count: 13, gpus: 8 }),
    want: { kind: 'quota', queue: 'research', flavor: 'nvidia-h100', short: 104_000 - 48_000 },
    also: ['capacity'],
  },
  'more GPUs than exist, within a quota that exceeds the fleet: capacity': {
    pods: h100({ count: 13, gpus: 8 }),
    quota: 200,
    want: { kind: 'capacity', flavor: 'nvidia-h100', resource: 'devices', short: 104_000 - 64_000 },
    also: [],
  },
  'more GPUs than a rack has, all in one rack: topology': {
    pods: h100({ count: 5, gpus: 8, topology: { kind: 'required', level: 'rack' } }),
    want: { kind: 'topology', level: 'rack', podsNeeded: 5, podsAtBest: 4, best: 'a' },
    also: [],
  },
  'more GPUs in one pod than a node has: no node could ever': {
    pods: h100({ gpus: 16 }),
    want: { kind: 'selector' },
    also: [],
  },
  'the hosts of the smallest slice that is enough': { pods: tpu({ count: 2 }), want: { 'tpu-0': 1, 'tpu-1': 1 } },
  'the hosts of the larger slice, all of them': {
    pods: tpu({ count: 4 }),
    want: { 'wide-0': 1, 'wide-1': 1, 'wide-2': 1, 'wide-3': 1 },
  },
  'more hosts than one slice has: slices are not joined': {
    pods: tpu({ count: 5 }),
    want: { kind: 'topology', level: 'slice', podsNeeded: 5, podsAtBest: 4, best: 'wide' },
    also: [],
  },
  'GPUs in a slice: there are none': {
    pods: h100({ count: 2, topology: REQUIRED_SLICE }),
    want: { kind: 'topology', level: 'slice', podsAtBest: 0 },
    also: [],
  },
};

describe('on the fleet of the demonstration', () => {
  it.each(Object.entries(cases))('places or explains %s', (_title, { pods, quota, want, also }) => {
    const rig = rigOf(quota);
    rig.submit(aWorkload('gang', { queue: 'research', podSets: [pods] }));
    rig.settle();
    if (!('kind' in want)) {
      expect(rig.nodesOf('gang')).toEqual(want);
      return;
    }
    const verdict = rig.scheduler.explain('gang', 0);
    expect(verdict).toMatchObject({ kind: 'pending', binding: want });
    if (verdict.kind === 'pending') expect(verdict.also.map(({ kind }) => kind)).toEqual(also);
  });

  it('gives a slice whole to one gang, the smallest that is enough first, until none is left', () => {
    const rig = rigOf();
    rig.submit(...['x', 'y', 'z'].map((id) => aWorkload(id, { queue: 'research', podSets: [tpu({ count: 2 })] })));
    expect(kindsOf(rig.settle())).toEqual(['start x', 'start y', 'wait z capacity']);
    expect([rig.nodesOf('x'), rig.nodesOf('y')]).toEqual([
      { 'tpu-0': 1, 'tpu-1': 1 },
      { 'wide-0': 1, 'wide-1': 1 },
    ]);
    rig.submit(aWorkload('late', { queue: 'research', podSets: [tpu({ count: 2 })] }));
    expect(kindsOf(rig.settle())).toEqual(['wait late capacity']);
  });
});

function hosts(name: string, count: number, wish: Parameters<typeof aNode>[1]): readonly NodeSpec[] {
  return Array.from({ length: count }, (_, index) => aNode(`${name}-${index}`, wish));
}

/** `quota`: of H100, in place of 32 and 16 borrowed. */
function rigOf(quota?: number): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['rack', 'slice', 'host'] }) });
  for (const name of ['nvidia-h100', 'nvidia-a100', 'google-tpu-v5p']) {
    rig.tell({ kind: 'flavor-set', flavor: aFlavor(name) });
  }
  const own: FlavorQuota =
    quota === undefined ? { nominal: 32_000, borrowingLimit: 16_000 } : { nominal: quota * 1000 };
  const tpus = { 'google-tpu-v5p': { nominal: 40_000 } };
  rig.tell({ kind: 'queue-set', queue: aQueue('company') });
  rig.tell({
    kind: 'queue-set',
    queue: aQueue('research', { parent: 'company', quotas: { 'nvidia-h100': own, ...tpus } }),
  });
  rig.tell({
    kind: 'queue-set',
    queue: aQueue('product', { parent: 'company', quotas: { 'nvidia-h100': { nominal: 32_000 } } }),
  });
  for (const node of nodes) rig.tell({ kind: 'node-seen', node });
  return rig;
}
