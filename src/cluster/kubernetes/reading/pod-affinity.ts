import type { V1PodAffinity, V1PodAffinityTerm, V1PodSpec } from '@kubernetes/client-node';
import type { PodAffinity, PodAffinityTerm, PodSetSpec } from '../../../core/index.js';
import { labelSelectorOf } from './label-selector.js';
import type { Refuse } from './unsupported.js';
import { below } from './unsupported.js';

type Affinities = Pick<PodSetSpec, 'podAffinity' | 'podAntiAffinity'>;

/** With whom the pod stands together, and whom it avoids. */
export function podAffinity({ affinity }: V1PodSpec, refuse: Refuse): Affinities {
  const together = affinityOf(affinity?.podAffinity, below('affinity.podAffinity', refuse));
  const apart = affinityOf(affinity?.podAntiAffinity, below('affinity.podAntiAffinity', refuse));
  return {
    ...(together === undefined ? {} : { podAffinity: together }),
    ...(apart === undefined ? {} : { podAntiAffinity: apart }),
  };
}

/** Kubernetes writes anti-affinity just the same. */
function affinityOf(affinity: V1PodAffinity | undefined, refuse: Refuse): PodAffinity | undefined {
  const {
    requiredDuringSchedulingIgnoredDuringExecution: hard = [],
    preferredDuringSchedulingIgnoredDuringExecution: soft = [],
  } = affinity ?? {};
  if (hard.length + soft.length === 0) return undefined;
  const required = hard.map((term, index) => podTermOf(term, below(`required[${index}]`, refuse)));
  const preferred = soft.map(({ weight, podAffinityTerm }, index) => {
    return { weight, term: podTermOf(podAffinityTerm, below(`preferred[${index}].podAffinityTerm`, refuse)) };
  });
  return {
    ...(required.length === 0 ? {} : { required }),
    ...(preferred.length === 0 ? {} : { preferred }),
  };
}

/** The API server has merged `matchLabelKeys` and `mismatchLabelKeys` into the selector already. */
function podTermOf(
  { topologyKey, labelSelector, namespaces = [], namespaceSelector }: V1PodAffinityTerm,
  refuse: Refuse,
): PodAffinityTerm {
  if (namespaceSelector !== undefined) {
    refuse('namespaceSelector', 'Berth knows namespaces by their names only; list them in namespaces');
  }
  const selector = labelSelectorOf(labelSelector, refuse);
  return { topologyKey, selector, ...(namespaces.length === 0 ? {} : { namespaces }) };
}
