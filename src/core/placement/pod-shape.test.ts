import { describe, expect, it } from '@jest/globals';
import { aNode, aPodSet } from '../../../test/support/fleet-builders.js';
import type { NodeSpec, PodSetSpec } from '../index.js';
import { slotGroups } from '../fleet/index.js';
import { PodShape, shapeKey, whyNever } from './pod-shape.js';

const TAINT = { key: 'team', value: 'x', effect: 'NoSchedule' as const };
const TAINTED = aNode('a', { taints: [TAINT] });
const FLAVORS = { devices: ['h100', 'l4'], cpu: 'cpu' };
const MIXED = aNode('a', {
  accelerators: [
    { model: 'h100', count: 4, memoryMib: 81_920 },
    { model: 'l4', count: 2, memoryMib: 24_576 },
  ],
});

const cases: Record<string, { node: NodeSpec; pods: PodSetSpec; flavor?: string; want: string | undefined }> = {
  'a node of its flavor': { node: aNode('a'), pods: aPodSet(), flavor: 'h100', want: undefined },
  'another flavor': { node: aNode('a'), pods: aPodSet(), flavor: 'a100', want: 'model a100' },
  'no flavor needed': { node: aNode('a', { model: 'any' }), pods: aPodSet(), want: undefined },
  'no devices there': { node: aNode('a', { devices: 0 }), pods: aPodSet(), want: 'model any' },
  'CPU pods on a node with devices': {
    node: aNode('a'),
    pods: aPodSet({ gpus: 0 }),
    flavor: 'cpu',
    want: undefined,
  },
  'devices in a flavor that charges CPU': { node: aNode('a'), pods: aPodSet(), flavor: 'cpu', want: 'model cpu' },
  'CPU pods in a flavor that charges devices': {
    node: aNode('a'),
    pods: aPodSet({ gpus: 0 }),
    flavor: 'h100',
    want: 'model h100',
  },
  'the second model of a node': { node: MIXED, pods: aPodSet({ gpus: 2 }), flavor: 'l4', want: undefined },
  'more devices than the node has of that model': {
    node: MIXED,
    pods: aPodSet({ gpus: 3 }),
    flavor: 'l4',
    want: 'size 3 devices',
  },
  'more devices than the node has of any one model': {
    node: MIXED,
    pods: aPodSet({ gpus: 5 }),
    want: 'size 5 devices',
  },
  'memory that the devices of that model lack': {
    node: MIXED,
    pods: aPodSet({ devices: { count: 1, milli: 1000, memoryMib: 40_960 } }),
    flavor: 'l4',
    want: 'memory 40960Mi',
  },
  'a label that is missing': {
    node: aNode('a'),
    pods: aPodSet({ nodeSelector: { pool: 'train' } }),
    want: 'label pool=train',
  },
  'a label of that value': {
    node: aNode('a', { labels: { pool: 'train' } }),
    pods: aPodSet({ nodeSelector: { pool: 'train' } }),
    want: undefined,
  },
  'a taint': { node: TAINTED, pods: aPodSet(), want: 'taint team=x:NoSchedule' },
  'a taint that is tolerated by value': {
    node: TAINTED,
    pods: aPodSet({ tolerations: [{ key: 'team', operator: 'Equal', value: 'x' }] }),
    want: undefined,
  },
  'a taint of another value': {
    node: TAINTED,
    pods: aPodSet({ tolerations: [{ key: 'team', operator: 'Equal', value: 'y' }] }),
    want: 'taint team=x:NoSchedule',
  },
  'a toleration of another effect': {
    node: TAINTED,
    pods: aPodSet({ tolerations: [{ key: 'team', operator: 'Exists', effect: 'NoExecute' }] }),
    want: 'taint team=x:NoSchedule',
  },
  'every taint tolerated': {
    node: TAINTED,
    pods: aPodSet({ tolerations: [{ operator: 'Exists' }] }),
    want: undefined,
  },
  'a taint that only prefers': {
    node: aNode('a', { taints: [{ ...TAINT, effect: 'PreferNoSchedule' }] }),
    pods: aPodSet(),
    want: undefined,
  },
  'device memory': {
    node: aNode('a'),
    pods: aPodSet({ devices: { count: 1, milli: 1000, memoryMib: 100_000 } }),
    want: 'memory 100000Mi',
  },
  'more devices than the node has': { node: aNode('a'), pods: aPodSet({ gpus: 9 }), want: 'size 9 devices' },
  'more CPU': { node: aNode('a', { cpu: 2 }), pods: aPodSet({ cpu: 3 }), want: 'size 3000m cpu' },
  'more memory': { node: aNode('a', { memory: 512 }), pods: aPodSet(), want: 'size 1024Mi memory' },
  'fractions of two devices': {
    node: aNode('a'),
    pods: aPodSet({ gpus: 2, milli: 500 }),
    want: 'size a fraction of more than one device',
  },
};

describe(whyNever.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { node, pods, flavor, want }) => {
    const why = whyNever(new PodShape(pods, flavor), {
      spec: node,
      flavors: FLAVORS,
      slotGroups: slotGroups(node, FLAVORS.devices),
    });
    expect(why === undefined ? undefined : `${why.by} ${why.value}`).toBe(want);
  });
});

describe(shapeKey.name, () => {
  it('is the same for pods that differ in name, counts and topology only', () => {
    const one = aPodSet({ name: 'a', count: 2, topology: { kind: 'required', level: 'rack' } });
    const [xy, yx] = [
      { x: '1', y: '2' },
      { y: '2', x: '1' },
    ].map((nodeSelector) => aPodSet({ nodeSelector }));
    expect(xy && shapeKey(xy, 'h100')).toBe(yx && shapeKey(yx, 'h100'));
    expect(shapeKey(one, 'h100')).toBe(shapeKey(aPodSet({ name: 'b' }), 'h100'));
    expect(shapeKey(one, 'h100')).not.toBe(shapeKey(one, 'a100'));
    expect(shapeKey(one, 'h100')).not.toBe(shapeKey(aPodSet({ milli: 500 }), 'h100'));
  });
});
