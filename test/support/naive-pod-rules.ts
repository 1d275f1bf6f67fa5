import type { LabelSelector, NodeSpec, PodAffinityTerm, PodSetSpec } from '../../src/core/index.js';

const HOST = 'kubernetes.io/hostname';

/** A pod that holds a place, or is leaving it or has ended. */
export interface StandingPod {
  readonly node: string;
  readonly podSet: PodSetSpec;
  readonly isLeaving: boolean;
}

/**
 * Which rule beyond the node forbids one more pod there, by looking at every pod that stands: as the filters of
 * kube-scheduler are stated, for pod sets with at most one rule of each kind in one namespace. Who is leaving or
 * has ended keeps others away, and nobody may count on it. Nothing of the core is used.
 */
export function brokenRule(
  nodes: readonly NodeSpec[],
  pods: readonly StandingPod[],
  { node, podSet }: Pick<StandingPod, 'node' | 'podSet'>,
): string | undefined {
  const domainOf = (name: string, key: string): string | undefined =>
    key === HOST ? name : nodes.find((one) => one.name === name)?.labels[key];
  const isWith = (other: StandingPod, { topologyKey }: PodAffinityTerm): boolean =>
    domainOf(node, topologyKey) !== undefined && domainOf(other.node, topologyKey) === domainOf(node, topologyKey);
  const port = podSet.hostPorts?.[0]?.port;
  const stay = pods.filter(({ isLeaving }) => !isLeaving);

  for (const other of pods) {
    if (port !== undefined && other.node === node && other.podSet.hostPorts?.[0]?.port === port) return 'host port';
    const isApart =
      podSet.podAntiAffinity?.required?.some((term) => sees(term.selector, other.podSet) && isWith(other, term)) ??
      false;
    const isKeptAway =
      other.podSet.podAntiAffinity?.required?.some((term) => sees(term.selector, podSet) && isWith(other, term)) ??
      false;
    if (isApart || isKeptAway) return 'pod anti-affinity';
  }
  for (const term of podSet.podAffinity?.required ?? []) {
    const seen = stay.filter((other) => sees(term.selector, other.podSet) && domainOf(other.node, term.topologyKey));
    if (domainOf(node, term.topologyKey) === undefined) return 'pod affinity';
    // The first of a group that is to stand together may stand anywhere.
    const mayJoin = seen.length === 0 ? sees(term.selector, podSet) : seen.some((other) => isWith(other, term));
    if (!mayJoin) return 'pod affinity';
  }
  for (const { topologyKey, selector, maxSkew } of podSet.topologySpread ?? []) {
    const own = domainOf(node, topologyKey);
    if (own === undefined) return 'topology spread';
    const domains = new Set(nodes.map(({ name }) => domainOf(name, topologyKey)).filter((name) => name !== undefined));
    const countIn = (domain: string): number =>
      stay.filter((pod) => sees(selector, pod.podSet) && domainOf(pod.node, topologyKey) === domain).length;
    const least = Math.min(...[...domains].map(countIn));
    if (countIn(own) + (sees(selector, podSet) ? 1 : 0) - least > maxSkew) return 'topology spread';
  }
  return undefined;
}

function sees(selector: LabelSelector, { labels = {} }: PodSetSpec): boolean {
  return selector.every(({ key, operator, values = [] }) => {
    const value = labels[key];
    return value !== undefined && (operator === 'Exists' || values.includes(value));
  });
}
