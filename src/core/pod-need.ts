import type { PodSetSpec } from './contract/index.js';
import { sortedEntries } from './text-order.js';

/** What one pod of the set asks of a node, as plain data: equal text as JSON, interchangeable pods. */
export function podNeed(podSet: PodSetSpec): readonly unknown[] {
  const { cpuMilli, memoryMib, devices, nodeSelector, nodeAffinity, tolerations } = podSet;
  return [
    cpuMilli,
    memoryMib,
    [devices?.count, devices?.milli, devices?.memoryMib, devices?.profile],
    sortedEntries(nodeSelector),
    nodeAffinity?.map(({ matchLabels }) => matchLabels.map(({ key, operator, values }) => [key, operator, values])),
    tolerations.map(({ key, operator, value, effect }) => [key, operator, value, effect]),
  ];
}
