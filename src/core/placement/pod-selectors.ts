import type { HostPort, LabelSelector, PodAffinityTerm } from '../contract/index.js';
import type { StandingRules } from '../standing-rules.js';
import { holds } from './node-affinity.js';

/** What a selector looks at of a pod. */
type SeenPod = Pick<StandingRules, 'namespace' | 'labels'>;

export function selects(selector: LabelSelector, labels: SeenPod['labels']): boolean {
  return selector.every(({ key, ...rest }) => holds(rest, labels[key]));
}

/** Does the term of a pod of namespace `own` speak of this pod? */
export function seesPod({ selector, namespaces }: PodAffinityTerm, own: string, pod: SeenPod): boolean {
  const isNear =
    namespaces === undefined || namespaces.length === 0 ? pod.namespace === own : namespaces.includes(pod.namespace);
  return isNear && selects(selector, pod.labels);
}

const ALL = '0.0.0.0';

/** As the filter `NodePorts` of kube-scheduler: equal port and protocol, and equal addresses or one that means all. */
export function portsConflict(ours: readonly HostPort[], theirs: readonly HostPort[]): boolean {
  return ours.some((a) =>
    theirs.some((b) => a.port === b.port && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP') && isSameAddress(a, b)),
  );
}

function isSameAddress({ ip: a = ALL }: HostPort, { ip: b = ALL }: HostPort): boolean {
  return a === b || [a, b].some((ip) => ip === ALL || ip === '');
}
