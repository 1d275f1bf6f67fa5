import { describe, expect, it } from '@jest/globals';
import type { NodeSpec } from '../../core/index.js';
import { nodeSpecOf } from './stored-node-spec.js';

const H100 = { model: 'h100', count: 8 };
const L4 = { model: 'l4', count: 2 };
const REST: Omit<NodeSpec, 'accelerators'> = {
  name: 'a',
  capacity: { cpuMilli: 1000, memoryMib: 1024, pods: 110 },
  labels: {},
  taints: [],
  topology: {},
  unschedulable: false,
};

describe(nodeSpecOf.name, () => {
  it('reads a node as it is stored now', () => {
    expect(nodeSpecOf({ ...REST, accelerators: [H100, L4] })).toEqual({ ...REST, accelerators: [H100, L4] });
  });

  it('reads a node that was stored with its only model, or with none', () => {
    expect(nodeSpecOf({ ...REST, accelerators: H100 })).toEqual({ ...REST, accelerators: [H100] });
    expect(nodeSpecOf(REST)).toEqual({ ...REST, accelerators: [] });
  });
});
