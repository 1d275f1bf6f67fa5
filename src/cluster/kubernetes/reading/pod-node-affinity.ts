import type { V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec } from '@kubernetes/client-node';
import type { NodeAffinityTerm, NodeRequirement, PodSetSpec } from '../../../core/index.js';
import type { Refuse } from './unsupported.js';
import { below } from './unsupported.js';

type Affinity = Pick<PodSetSpec, 'nodeSelector' | 'nodeAffinity' | 'preferredNodeAffinity'>;

const OF_LABELS: readonly NodeRequirement['operator'][] = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'];
const OF_FIELDS: readonly NodeRequirement['operator'][] = ['In', 'NotIn'];

/** Which nodes the pod asks for by their labels and names, and which it prefers. */
export function podNodeAffinity({ nodeSelector = {}, affinity }: V1PodSpec, refuse: Refuse): Affinity {
  const field = 'affinity.nodeAffinity';
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const nodeAffinity = required?.nodeSelectorTerms.map((term, index) => {
    return nodeTermOf(term, below(`${field}.required.nodeSelectorTerms[${index}]`, refuse));
  });
  const preferredNodeAffinity = preferred.map(({ weight, preference }, index) => {
    return { weight, term: nodeTermOf(preference, below(`${field}.preferred[${index}].preference`, refuse)) };
  });
  return {
    nodeSelector,
    ...(nodeAffinity === undefined ? {} : { nodeAffinity }),
    ...(preferredNodeAffinity.length === 0 ? {} : { preferredNodeAffinity }),
  };
}

export function nodeTermOf(
  { matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm,
  refuse: Refuse,
): NodeAffinityTerm {
  const matchLabels = matchExpressions.map((requirement, index) => {
    return requirementOf(requirement, OF_LABELS, below(`matchExpressions[${index}]`, refuse));
  });
  if (matchFields.length === 0) return { matchLabels };
  const fields = matchFields.map((requirement, index) => {
    return requirementOf(requirement, OF_FIELDS, below(`matchFields[${index}]`, refuse));
  });
  return { matchLabels, matchFields: fields };
}

function requirementOf(
  { key, operator, values }: V1NodeSelectorRequirement,
  operators: readonly NodeRequirement['operator'][],
  refuse: Refuse,
): NodeRequirement {
  const known = operators.find((name) => name === operator);
  if (known === undefined) refuse('operator', `Berth does not know ${operator} here`);
  return { key, operator: known ?? 'In', ...(values === undefined ? {} : { values }) };
}
