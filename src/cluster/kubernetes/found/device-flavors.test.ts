import { describe, expect, it } from '@jest/globals';
import { DeviceFlavors } from './device-flavors.js';
import { DEFAULT_NODE_MAPPING } from '../nodes/node-mapping.js';
import { nodeSpecOf, type MappedNode } from '../nodes/node-spec-of.js';

const FLAVORS = [
  { name: 'spot', model: 'h100', nodeLabels: { 'example.org/spot': 'true' } },
  { name: 'h100', model: 'h100', nodeLabels: {} },
  { name: 'a100', model: 'a100', nodeLabels: {} },
  { name: 'cpu', nodeLabels: {} },
];

function aNode(product: string, labels: Readonly<Record<string, string>> = {}): MappedNode {
  const metadata = { name: 'n', uid: 'u', labels: { 'nvidia.com/gpu.product': product, ...labels } };
  return nodeSpecOf({ metadata, status: { allocatable: { 'nvidia.com/gpu': '8' } } }, DEFAULT_NODE_MAPPING);
}

describe(DeviceFlavors.name, () => {
  it('are those of all models that nodes have under the resource, by name', () => {
    const devices = new DeviceFlavors(DEFAULT_NODE_MAPPING);
    devices.see(undefined, aNode('H100'));
    const { ofResource, ofCpu } = devices.flavorsOf(FLAVORS);
    expect(ofResource('nvidia.com/gpu')).toEqual(['h100', 'spot']);
    expect(ofResource('google.com/tpu')).toEqual([]);
    expect(ofResource('nvidia.com/mig-1g.10gb')).toEqual([]);
    expect(ofResource('example.org/gpu')).toBeUndefined();
    expect(ofCpu).toEqual(['cpu']);
  });

  it('says when a model has come or gone, and only then', () => {
    const devices = new DeviceFlavors(DEFAULT_NODE_MAPPING);
    const [h100, other, a100] = [aNode('H100'), aNode('H100', { other: 'label' }), aNode('A100')];
    expect(devices.see(undefined, h100)).toBe(true);
    expect(devices.see(h100, other)).toBe(false);
    expect(devices.see(undefined, h100)).toBe(false);
    expect(devices.see(h100, undefined)).toBe(false);
    expect(devices.see(other, a100)).toBe(true);
    expect(devices.flavorsOf(FLAVORS).ofResource('nvidia.com/gpu')).toEqual(['a100']);
    expect(devices.see(a100, undefined)).toBe(true);
    expect(devices.flavorsOf(FLAVORS).ofResource('nvidia.com/gpu')).toEqual([]);
  });
});
