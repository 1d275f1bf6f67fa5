import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../../test/support/fleet-builders.js';
import { TopologyTree } from './topology-tree.js';

const NODES = [
  aNode('a', { zone: 'z1', rack: 'r1' }),
  aNode('b', { zone: 'z1', rack: 'r2' }),
  aNode('c', { zone: 'z2', rack: 'r1' }),
  aNode('d', { zone: 'z1' }),
  aNode('e'),
];
const tree = new TopologyTree(
  ['zone', 'rack', 'host'],
  NODES.map((spec, row) => ({ row, spec })),
);

/** A domain as its path. */
function path(domain: number): string {
  const parent = tree.parentOf(domain);
  return parent < 0 ? tree.nameOf(domain) : `${path(parent)}/${tree.nameOf(domain)}`;
}

describe(TopologyTree.name, () => {
  it('tells racks of one name in two zones apart', () => {
    expect(tree.domainsAt(1).map(path)).toEqual(['fleet/z1/r1', 'fleet/z1/r2', 'fleet/z2/r1']);
  });

  it('hangs a node without a rack from its zone, and one without any from the fleet', () => {
    expect(tree.domainsAt(2).map(path)).toEqual([
      'fleet/z1/r1/a',
      'fleet/z1/r2/b',
      'fleet/z1/d',
      'fleet/z2/r1/c',
      'fleet/e',
    ]);
  });

  it('keeps the inside of a domain in one range of ids', () => {
    const [zone = -1] = tree.domainsAt(0);
    const inside = Array.from({ length: tree.endOf(zone) - zone }, (_, index) => path(zone + index));
    expect(inside.every((name) => name.startsWith('fleet/z1'))).toBe(true);
    expect(inside).toHaveLength(6);
  });

  it('knows which nodes lie in no domain of a level', () => {
    const inRack = NODES.map((_node, row) => tree.isInside(tree.hostOf(row), 1));
    expect(inRack).toEqual([true, true, true, false, false]);
  });

  it('adds the level host, and knows no other', () => {
    const plain = new TopologyTree(['rack'], []);
    expect([plain.levels, plain.levelOf('host'), plain.levelOf('zone')]).toEqual([['rack', 'host'], 1, undefined]);
    expect(plain.domainsAt(-1)).toEqual([0]);
  });
});
