import type { V1TopologySpreadConstraint } from '@kubernetes/client-node';
import type { LabelSelector, TopologySpread } from '../../../core/index.js';
import { labelSelectorOf, oneOf, SEES_NONE } from './label-selector.js';
import type { PodObject } from './pod-object.js';
import type { Refuse } from './unsupported.js';
import { below } from './unsupported.js';

/** How evenly pods like this one stand over the nodes. */
export function podTopologySpread({ metadata, spec }: PodObject, refuse: Refuse): readonly TopologySpread[] {
  return (spec.topologySpreadConstraints ?? []).map((constraint, index) => {
    return spreadOf(constraint, metadata.labels ?? {}, below(`topologySpreadConstraints[${index}]`, refuse));
  });
}

type Labels = Readonly<Record<string, string>>;

function spreadOf(constraint: V1TopologySpreadConstraint, labels: Labels, refuse: Refuse): TopologySpread {
  const { topologyKey, maxSkew, minDomains, whenUnsatisfiable: when } = constraint;
  if (when !== 'DoNotSchedule' && when !== 'ScheduleAnyway') refuse('whenUnsatisfiable', `Berth does not know ${when}`);
  const nodeAffinityPolicy = policyOf(constraint, 'nodeAffinityPolicy', refuse);
  const nodeTaintsPolicy = policyOf(constraint, 'nodeTaintsPolicy', refuse);
  return {
    topologyKey,
    selector: selectorOf(constraint, labels, refuse),
    maxSkew,
    whenUnsatisfiable: when === 'ScheduleAnyway' ? 'ScheduleAnyway' : 'DoNotSchedule',
    ...(minDomains === undefined ? {} : { minDomains }),
    ...(nodeAffinityPolicy === undefined ? {} : { nodeAffinityPolicy }),
    ...(nodeTaintsPolicy === undefined ? {} : { nodeTaintsPolicy }),
  };
}

/**
 * With the pod's own values of `matchLabelKeys`, as they are now. An empty selector counts nobody, as in kube-scheduler
 * (`countPodsMatchSelector`), though it matches everybody elsewhere.
 */
function selectorOf(
  { labelSelector, matchLabelKeys = [] }: V1TopologySpreadConstraint,
  labels: Labels,
  refuse: Refuse,
): LabelSelector {
  if (labelSelector === undefined) return SEES_NONE;
  const own = matchLabelKeys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [oneOf(key, [value])];
  });
  const selector = [...labelSelectorOf(labelSelector, refuse), ...own];
  return selector.length === 0 ? SEES_NONE : selector;
}

function policyOf(
  constraint: V1TopologySpreadConstraint,
  name: 'nodeAffinityPolicy' | 'nodeTaintsPolicy',
  refuse: Refuse,
): TopologySpread['nodeTaintsPolicy'] {
  const policy = constraint[name];
  if (policy === undefined || policy === 'Honor' || policy === 'Ignore') return policy;
  refuse(name, `Berth does not know ${policy}`);
  return undefined;
}
