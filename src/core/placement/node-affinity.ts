import type { NodeAffinityTerm, NodeRequirement, NodeSpec } from '../contract/index.js';

/**
 * May pods with this required node affinity run on the node? As the filter `NodeAffinity` of kube-scheduler does: one
 * term is enough, all requirements of a term must hold, a term without any matches nothing.
 */
export function matchesNodeAffinity(terms: readonly NodeAffinityTerm[], node: NodeSpec): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

/** The same for any node with the labels of this one, whatever its name. */
export function mayMatchNodeAffinity(terms: readonly NodeAffinityTerm[], node: Pick<NodeSpec, 'labels'>): boolean {
  return terms.some(
    (term) => !isEmpty(term) && term.matchLabels.every(({ key, ...rest }) => holds(rest, node.labels[key])),
  );
}

export function matchesTerm(term: NodeAffinityTerm, node: NodeSpec): boolean {
  const { matchLabels, matchFields = [] } = term;
  if (isEmpty(term)) return false;
  const isNamed = matchFields.every(({ key, ...rest }) => holds(rest, key === 'metadata.name' ? node.name : undefined));
  return isNamed && matchLabels.every(({ key, ...rest }) => holds(rest, node.labels[key]));
}

function isEmpty({ matchLabels, matchFields = [] }: NodeAffinityTerm): boolean {
  return matchLabels.length === 0 && matchFields.length === 0;
}

/** A label that is missing satisfies `NotIn` and `DoesNotExist`; `Gt` and `Lt` compare whole numbers only. */
export function holds({ operator, values = [] }: Omit<NodeRequirement, 'key'>, value: string | undefined): boolean {
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
