import type { Accelerators, NodeSpec } from '../contract/index.js';
import { compareText, sortedEntries } from '../text-order.js';
import type { NodeFlavors } from './node-flavors.js';

/** Equal keys, equal devices. */
function acceleratorsKey({ model, count, memoryMib, profiles = [] }: Accelerators): readonly unknown[] {
  return [model, count, memoryMib, profiles.map(({ name, eighths, positions }) => [name, eighths, positions])];
}

/** Equal keys: a pod that could run on one of the nodes could run on the other, were both empty. */
export function nodeClassKey(spec: NodeSpec, flavors: NodeFlavors): string {
  const labels = sortedEntries(spec.labels);
  const taints = spec.taints.map(({ key, value, effect }) => [key, value, effect].join('\n')).sort(compareText);
  return JSON.stringify([
    labels,
    taints,
    spec.accelerators.map(acceleratorsKey),
    spec.capacity,
    [flavors.devices, flavors.cpu],
  ]);
}
