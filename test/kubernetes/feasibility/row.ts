import type {
  V1Container,
  V1LabelSelector,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PodAffinityTerm,
  V1PodSpec,
  V1TopologySpreadConstraint,
} from '@kubernetes/client-node';
import type { Plain } from '../../../src/cluster/kubernetes/reading/pod-object.js';
import { devicesOf, ZONE } from './cluster.js';

/** A pod, and the nodes where kube-scheduler lets it run. */
export interface Row {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<V1PodSpec>;
  readonly want: readonly string[];
  /** The field that Berth refuses: then it lets the pod run nowhere. */
  readonly refused?: string;
  /**
   * How it is asked for one node after the other: by required affinity to its name, or by a toleration of its own taint
   * where affinity matters to what is asked. By name unless said otherwise.
   */
  readonly pinnedBy?: 'name' | 'taint';
  /** One such pod matters to the next: they are asked about one after the other. */
  readonly seesItself?: true;
  /** The API server completes the pod in a way that matters. */
  readonly onlyAsStored?: true;
}

export type Rows = Readonly<Record<string, Row>>;

/** Parts of manifests. */

export function container(requests: Record<string, string>, more: Partial<V1Container> = {}): Plain<V1Container> {
  return { name: 'main', image: 'none', resources: { requests, limits: devicesOf(requests) }, ...more };
}

export function asks(requests: Record<string, string>): Partial<V1PodSpec> {
  return { containers: [container(requests)] };
}

export function init(
  name: string,
  requests: Record<string, string>,
  more: Partial<V1Container> = {},
): Plain<V1Container> {
  return container(requests, { name, ...more });
}

export function affinity(nodeSelectorTerms: V1NodeSelectorTerm[]): Partial<V1PodSpec> {
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

export function label(key: string, operator: string, ...values: string[]): V1NodeSelectorRequirement {
  return { key, operator, ...(values.length === 0 ? {} : { values }) };
}

/** One term of these requirements. */
export function where(...matchExpressions: V1NodeSelectorRequirement[]): Partial<V1PodSpec> {
  return affinity([{ matchExpressions }]);
}

export const app = (name: string): V1LabelSelector => ({ matchLabels: { app: name } });

export function near(topologyKey: string, labelSelector?: V1LabelSelector): Plain<V1PodAffinityTerm> {
  return { topologyKey, ...(labelSelector === undefined ? {} : { labelSelector }) };
}

export function joins(...terms: V1PodAffinityTerm[]): Partial<V1PodSpec> {
  return { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } };
}

export function avoids(...terms: V1PodAffinityTerm[]): Partial<V1PodSpec> {
  return { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } };
}

export function spreads(...constraints: Partial<V1TopologySpreadConstraint>[]): Partial<V1PodSpec> {
  const topologySpreadConstraints = constraints.map((constraint) => ({
    topologyKey: ZONE,
    maxSkew: 1,
    whenUnsatisfiable: 'DoNotSchedule',
    ...constraint,
  }));
  return { topologySpreadConstraints };
}

export function mounts(...claims: string[]): Partial<V1PodSpec> {
  return { volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) };
}

export function port(
  hostPort: number,
  more: Partial<NonNullable<V1Container['ports']>[number]> = {},
): Plain<V1Container> {
  return {
    name: 'main',
    image: 'none',
    ports: [{ containerPort: hostPort, hostPort, protocol: 'TCP', ...more }],
  };
}
