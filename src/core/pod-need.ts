import type { PodSetSpec } from './contract/index.js';
import { sortedEntries } from './text-order.js';

/** What one pod of the set asks of a node, as plain data: equal text as JSON, interchangeable pods. */
export function podNeed({ cpuMilli, memoryMib, devices, nodeSelector, tolerations }: PodSetSpec): readonly unknown[] {
  return [
    cpuMilli,
    memoryMib,
    [devices?.count, devices?.milli, devices?.memoryMib, devices?.profile],
    sortedEntries(nodeSelector),
    tolerations.map(({ key, operator, value, effect }) => [key, operator, value, effect]),
  ];
}
