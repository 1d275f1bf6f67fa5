import type { HostPort, PodAffinityTerm, PodSetSpec } from './contract/index.js';
import { sortedEntries } from './text-order.js';

/** What of a pod that stands somewhere matters to the rules of others; plain data. */
export interface StandingRules {
  /** Equal keys, equal rules. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostPorts: readonly HostPort[];
  /** Required: no pod that they see may join. */
  readonly antiAffinity: readonly PodAffinityTerm[];
  /** Negative weights keep apart. */
  readonly preferred: readonly { readonly weight: number; readonly term: PodAffinityTerm }[];
}

/** May its pods matter to the rules of others, or others to its own? */
export function isRuled(podSet: PodSetSpec): boolean {
  const { namespace, labels, hostPorts, podAffinity, podAntiAffinity, topologySpread } = podSet;
  const told = [namespace, labels, hostPorts, podAffinity, podAntiAffinity, topologySpread];
  return told.some((rule) => rule !== undefined);
}

/** Can a pod that comes make a place for its pods? Any can by going. */
export function looksForOthers({ podAffinity, topologySpread }: PodSetSpec): boolean {
  return podAffinity?.required !== undefined || topologySpread !== undefined;
}

/** `undefined` for a pod set that says nothing about other pods, nor anything by which they could see it. */
export function standingRules(podSet: PodSetSpec): StandingRules | undefined {
  if (!isRuled(podSet)) return undefined;
  const { namespace, labels, hostPorts, podAffinity, podAntiAffinity } = podSet;
  const rules = {
    namespace: namespace ?? '',
    labels: labels ?? {},
    hostPorts: hostPorts ?? [],
    antiAffinity: podAntiAffinity?.required ?? [],
    preferred: [
      ...(podAffinity?.preferred ?? []),
      ...(podAntiAffinity?.preferred ?? []).map(({ weight, term }) => ({ weight: -weight, term })),
    ],
  };
  const parts = [rules.namespace, sortedEntries(rules.labels), rules.hostPorts, rules.antiAffinity, rules.preferred];
  return { key: JSON.stringify(parts), ...rules };
}
