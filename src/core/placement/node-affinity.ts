import type { NodeAffinityTerm, NodeRequirement, NodeSpec } from '../contract/index.js';

/**
 * May pods with this required node affinity run on the node? As the filter `NodeAffinity` of kube-scheduler does: one
 * term is enough, all requirements of a term must hold, a term without any matches nothing.
 */
export function matchesNodeAffinity(terms: readonly NodeAffinityTerm[], node: NodeSpec): boolean {
  return terms.some(
    ({ matchLabels }) =>
      matchLabels.length > 0 && matchLabels.every((requirement) => holds(requirement, node.labels[requirement.key])),
  );
}

/** A label that is missing satisfies `NotIn` and `DoesNotExist`; `Gt` and `Lt` compare whole numbers only. */
function holds({ operator, values = [] }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [bound, own] = [values[0], value].map((text) => (/^-?\d+$/.test(text ?? '') ? Number(text) : Number.NaN));
      if (bound === undefined || own === undefined) return false;
      return operator === 'Gt' ? own > bound : own < bound;
    }
  }
}
