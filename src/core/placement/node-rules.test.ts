import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { NodeRequirement, NodeSpec, PodSetSpec } from '../index.js';

type Wish = Parameters<typeof aPodSet>[0];

const named = (operator: NodeRequirement['operator'], ...values: string[]): Pick<PodSetSpec, 'nodeAffinity'> => ({
  nodeAffinity: [{ matchLabels: [], matchFields: [{ key: 'metadata.name', operator, values }] }],
});
const prefers = (weight: number, key: string) => ({
  weight,
  term: { matchLabels: [{ key, operator: 'Exists' as const }] },
});

/** Nodes of 4 CPUs, the smallest name first where nothing else counts. */
const cases: Record<string, { nodes?: Record<string, Partial<NodeSpec>>; pods: Wish; want: readonly string[] }> = {
  'overhead is added to the requests of each pod': {
    pods: { count: 2, cpu: 2, overhead: { cpuMilli: 500, memoryMib: 0 } },
    want: ['a', 'b'],
  },
  'overhead of memory too': {
    pods: { count: 2, cpu: 1, memoryMib: 600, overhead: { cpuMilli: 0, memoryMib: 300 } },
    want: ['a', 'b'],
  },
  'a pod that fits but for its overhead waits': { pods: { cpu: 4, overhead: { cpuMilli: 1, memoryMib: 0 } }, want: [] },
  'volumes keep a pod to the nodes that reach them': { pods: { volumeNodes: ['b', 'gone'] }, want: ['b'] },
  'volumes that no node reaches': { pods: { volumeNodes: ['gone'] }, want: [] },
  'a gang whose volumes are reached by one node fits that one or none': {
    pods: { count: 3, cpu: 2, volumeNodes: ['b'] },
    want: [],
  },
  'affinity to the name of a node': { pods: named('In', 'b'), want: ['b'] },
  'affinity against the name of a node': { pods: named('NotIn', 'a'), want: ['b'] },
  'affinity to a name and a label at once': {
    nodes: { a: { labels: { ssd: 'yes' } }, b: {} },
    pods: {
      nodeAffinity: [
        {
          matchLabels: [{ key: 'ssd', operator: 'Exists' }],
          matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }],
        },
      ],
    },
    want: [],
  },
  'of two terms, one by name and one by label, either is enough': {
    nodes: { a: {}, b: { labels: { ssd: 'yes' } } },
    pods: {
      nodeAffinity: [
        { matchLabels: [], matchFields: [{ key: 'metadata.name', operator: 'In', values: ['gone'] }] },
        { matchLabels: [{ key: 'ssd', operator: 'Exists' }] },
      ],
    },
    want: ['b'],
  },
  'a preferred node goes before a fuller one': {
    nodes: { a: {}, b: { labels: { ssd: 'yes' } } },
    pods: { preferredNodeAffinity: [prefers(1, 'ssd')] },
    want: ['b'],
  },
  'the heavier preference wins': {
    nodes: { a: { labels: { ssd: 'yes' } }, b: { labels: { near: 'yes' } } },
    pods: { preferredNodeAffinity: [prefers(10, 'ssd'), prefers(20, 'near')] },
    want: ['b'],
  },
  'a preference keeps nobody waiting': { pods: { preferredNodeAffinity: [prefers(100, 'ssd')] }, want: ['a'] },
  'a preferred node that is too small is passed over': {
    nodes: { a: {}, b: { labels: { ssd: 'yes' }, capacity: { cpuMilli: 500, memoryMib: 1024, pods: 9 } } },
    pods: { preferredNodeAffinity: [prefers(100, 'ssd')] },
    want: ['a'],
  },
};

describe('what ordinary pods ask of a node', () => {
  it.each(Object.entries(cases))('%s', (_title, { nodes = { a: {}, b: {} }, pods, want }) => {
    const rig = new CoreRig();
    rig.tell({ kind: 'queue-set', queue: aQueue('lab') });
    for (const [name, wish] of Object.entries(nodes)) {
      const capacity = { cpuMilli: 4000, memoryMib: 1500, pods: 9 };
      rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 0, capacity, ...wish }) });
    }
    rig.submit(aWorkload('w', { podSets: [aPodSet({ gpus: 0, memoryMib: 10, ...pods })] }));
    rig.settle();
    const seats = rig.scheduler.snapshot().pods.map(({ seat }) => seat.node);
    expect([...seats].sort()).toEqual(want);
  });

  it('names what rules every node out, and what dropped would help', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(aWorkload('affine', { pods: named('In', 'gone') }), aWorkload('bound', { pods: { volumeNodes: [] } }));
    rig.settle();
    expect(rig.scheduler.explain('affine', 0)).toMatchObject({
      binding: { kind: 'selector', ruledOut: [{ by: 'affinity', value: 'node affinity', nodes: 2 }] },
      change: [{ kind: 'drop-requirement', podSet: 'worker', requirement: 'selector' }],
    });
    expect(rig.scheduler.explain('bound', 0)).toMatchObject({
      binding: { kind: 'selector', ruledOut: [{ by: 'volume', nodes: 2 }] },
      change: [],
    });
  });
});
