import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../test/support/api-builders.js';
import { nodeGroups } from './node-groups.js';

describe(nodeGroups.name, () => {
  it('groups by rack or slice, counts as people do, and puts what stands nowhere last', () => {
    const groups = nodeGroups([
      aNode({ name: 'stray' }),
      aNode({ name: 'b-10', topology: { rack: 'b' } }),
      aNode({ name: 'b-2', topology: { rack: 'b' } }),
      aNode({ name: 'a-0', topology: { block: 'x', rack: 'a' } }),
      aNode({ name: 'tpu-0', topology: { slice: 'tpu', rack: 'a' } }),
    ]);
    expect(groups.map(({ name, nodes }) => [name, nodes.map((node) => node.name)])).toEqual([
      ['rack a', ['a-0']],
      ['rack b', ['b-2', 'b-10']],
      ['slice tpu', ['tpu-0']],
      ['no rack', ['stray']],
    ]);
  });
});
