import { describe, expect, it } from '@jest/globals';
import { aFlavor, aNode } from '../../../test/support/fleet-builders.js';
import { flavorsOfNode } from './node-flavors.js';

const H100 = aFlavor('h100');
const SPOT = aFlavor('spot', { model: 'h100', nodeLabels: { lease: 'spot' } });
const CPU = { name: 'cpu', nodeLabels: {} };

const cases: Record<
  string,
  { node: ReturnType<typeof aNode>; want: { devices: (string | undefined)[]; cpu?: string } }
> = {
  'by its model': { node: aNode('a'), want: { devices: ['h100'], cpu: 'cpu' } },
  'the flavor with more labels': {
    node: aNode('a', { labels: { lease: 'spot' } }),
    want: { devices: ['spot'], cpu: 'cpu' },
  },
  'none for another model': { node: aNode('a', { model: 'a100' }), want: { devices: [undefined], cpu: 'cpu' } },
  'one for each model': {
    node: aNode('a', {
      accelerators: [
        { model: 'a100', count: 1 },
        { model: 'h100', count: 2 },
      ],
    }),
    want: { devices: [undefined, 'h100'], cpu: 'cpu' },
  },
  'CPU only, without devices': { node: aNode('a', { devices: 0 }), want: { devices: [], cpu: 'cpu' } },
};

describe(flavorsOfNode.name, () => {
  it.each(Object.entries(cases))('gives a node one flavor of each kind: %s', (_title, { node, want }) => {
    expect(flavorsOfNode(node, [CPU, H100, SPOT])).toEqual(want);
  });

  it('takes the first of equals', () => {
    const twins = [aFlavor('x', { model: 'h100' }), aFlavor('y', { model: 'h100' })];
    expect(flavorsOfNode(aNode('a'), twins)).toEqual({ devices: ['x'] });
  });
});
