import type { V1LabelSelector } from '@kubernetes/client-node';
import type { LabelRequirement, LabelSelector } from '../../../core/index.js';
import type { Refuse } from './unsupported.js';

/** Sees no pod. */
export const SEES_NONE: LabelSelector = [{ key: '', operator: 'In', values: [] }];

const OPERATORS: readonly LabelRequirement['operator'][] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** As Kubernetes reads it: none sees nothing, an empty one sees everything. */
export function labelSelectorOf(selector: V1LabelSelector | undefined, refuse: Refuse): LabelSelector {
  if (selector === undefined) return SEES_NONE;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const equal = Object.entries(matchLabels).map(([key, value]) => oneOf(key, [value]));
  const others = matchExpressions.map(({ key, operator, values }, index): LabelRequirement => {
    const known = OPERATORS.find((name) => name === operator);
    if (known === undefined) {
      refuse(`labelSelector.matchExpressions[${index}].operator`, `Berth does not know ${operator}`);
    }
    return { key, operator: known ?? 'In', ...(values === undefined ? {} : { values }) };
  });
  return [...equal, ...others];
}

export function oneOf(key: string, values: readonly string[]): LabelRequirement {
  return { key, operator: 'In', values };
}
