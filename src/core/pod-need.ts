import type { Milli, NodeAffinityTerm, NodeRequirement, PodSetSpec } from './contract/index.js';
import { standingRules } from './standing-rules.js';
import { sortedEntries } from './text-order.js';

/** What one pod of the set asks of a node, as plain data: equal text as JSON, interchangeable pods. */
export function podNeed(podSet: PodSetSpec): readonly unknown[] {
  const { devices, nodeSelector, nodeAffinity, preferredNodeAffinity, volumeNodes, tolerations } = podSet;
  const { cpuMilli, memoryMib } = podSize(podSet);
  return [
    cpuMilli,
    memoryMib,
    [devices?.count, devices?.milli, devices?.memoryMib, devices?.profile],
    sortedEntries(nodeSelector),
    nodeAffinity?.map(termNeed),
    preferredNodeAffinity?.map(({ weight, term }) => [weight, termNeed(term)]),
    volumeNodes,
    tolerations.map(({ key, operator, value, effect }) => [key, operator, value, effect]),
    standingRules(podSet)?.key,
    podSet.podAffinity?.required,
    podSet.topologySpread,
  ];
}

/** What one pod takes of its node, besides devices. */
export function podSize({ cpuMilli, memoryMib, overhead }: PodSetSpec): {
  readonly cpuMilli: Milli;
  readonly memoryMib: number;
} {
  if (overhead === undefined) return { cpuMilli, memoryMib };
  return { cpuMilli: cpuMilli + overhead.cpuMilli, memoryMib: memoryMib + overhead.memoryMib };
}

function termNeed({ matchLabels, matchFields = [] }: NodeAffinityTerm): readonly unknown[] {
  const need = ({ key, operator, values }: NodeRequirement): readonly unknown[] => [key, operator, values];
  return [matchLabels.map(need), matchFields.map(need)];
}
