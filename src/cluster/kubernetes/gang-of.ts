import type { PodSetSpec, TopologyLevel, WorkloadSpec } from '../../core/index.js';
import { equalPods } from './equal-pods.js';
import type { PodMembership } from './pod-membership.js';
import { GANG_SIZE_LABEL, QUEUE_LABEL, queueOf } from './pod-membership.js';
import type { PodGroupObject, PodObject } from './pod-object.js';
import type { PodReading } from './pod-set-of.js';

/** A pod of a gang, with what it asks for. */
export interface GangMember {
  readonly pod: PodObject;
  readonly reading: PodReading;
}

export interface GangSurroundings {
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** The level whose domains the values of this node label are. */
  readonly levelOf: (label: string) => TopologyLevel | undefined;
}

export type Gang =
  | {
      readonly kind: 'complete';
      readonly workload: WorkloadSpec;
      /** By pod set, the names of its pods in the order of their index. */
      readonly pods: Readonly<Record<string, readonly string[]>>;
    }
  /** In words for its pods. */
  | { readonly kind: 'waits'; readonly why: string };

/**
 * The workload that pods of one membership make together, once all are there that it needs. Those beyond the minimum may
 * come later and are not waited for, if all pods are alike.
 */
export function gangOf(
  membership: PodMembership,
  unordered: readonly GangMember[],
  { namespaceLabels, levelOf }: GangSurroundings,
): Gang {
  const members = [...unordered].sort((a, b) => compareText(a.pod.metadata.name, b.pod.metadata.name));
  const [first] = members;
  if (membership.kind === 'unclear') return waits(membership.why);
  const short = whyIncomplete(membership, members);
  if (short !== undefined || first === undefined) return waits(short ?? 'waits for its first pod');
  const refused = whyRefused(members);
  if (refused !== undefined) return waits(refused);
  const queues = new Set(members.map(({ pod }) => queueOf(pod, namespaceLabels)));
  const [queue] = queues;
  if (queue === undefined) return waits(`neither the pod nor its namespace has the label ${QUEUE_LABEL}`);
  if (queues.size > 1) return waits(`its pods name different queues by the label ${QUEUE_LABEL}`);

  const sets = equalPods(members);
  const topology = topologyOf(membership, sets.length, levelOf);
  if (topology?.kind === 'refused') return waits(topology.why);
  const minimum = membership.kind === 'group' ? membership.minCount : members.length;
  const podSets = sets.map(({ podSet, pods }, index): PodSetSpec => ({
    ...podSet,
    name: sets.length === 1 ? podSet.name : `${podSet.name}-${index + 1}`,
    count: pods.length,
    // Of pods that differ nobody says which are needed: all are.
    minCount: sets.length === 1 ? minimum : pods.length,
    ...(topology === undefined ? {} : { topology: topology.request }),
  }));
  const workload = { ...headOf(membership, members, first.pod), queue, podSets };
  const pods = podSets.map(({ name }, index) => [name, sets[index]?.pods ?? []] as const);
  return { kind: 'complete', workload, pods: Object.fromEntries(pods) };
}

type Clear = Exclude<PodMembership, { readonly kind: 'unclear' }>;

function whyIncomplete(membership: Clear, members: readonly GangMember[]): string | undefined {
  if (membership.kind === 'alone') return undefined;
  if (new Set(members.map(({ pod }) => pod.metadata.labels?.[GANG_SIZE_LABEL])).size > 1) {
    return `its pods name different sizes by the label ${GANG_SIZE_LABEL}`;
  }
  const needed = membership.kind === 'group' ? membership.minCount : membership.size;
  const missing = needed - members.length;
  return missing > 0 ? `waits for ${missing} of ${needed} pods` : undefined;
}

function whyRefused(members: readonly GangMember[]): string | undefined {
  for (const { pod, reading } of members) {
    const [refused] = reading.unsupported;
    if (refused === undefined) continue;
    const whose = members.length === 1 ? '' : `pod ${pod.metadata.name}: `;
    return `${whose}${refused.field}: ${refused.why}`;
  }
  return undefined;
}

type Head = Omit<WorkloadSpec, 'queue' | 'podSets'>;

function headOf(membership: Clear, members: readonly GangMember[], first: PodObject): Head {
  const pods = members.map(({ pod }) => pod);
  const priorities = pods.map(({ spec }) => spec.priority ?? 0);
  const group = membership.kind === 'group' ? membership.group : undefined;
  const created = pods.map(createdMs);
  // A gang by labels has no object of its own; the first of its pods tells it from a later one of that name.
  const oldest = pods.find((pod) => createdMs(pod) === Math.min(...created)) ?? first;
  const { namespace } = first.metadata;
  return {
    id: group?.metadata.uid ?? oldest.metadata.uid,
    name: `${namespace}/${nameOf(membership, group, first)}`,
    kind: 'pods',
    // The gang goes no further ahead than the least of its pods.
    priority: group?.spec.priority ?? Math.min(...priorities),
    preemptible: true,
    submittedAtMs: Math.max(...created),
    hold: pods.some(({ spec }) => (spec.schedulingGates ?? []).length > 0),
    // Who made a pod that failed makes another, or does not.
    maxRetries: 0,
    isFound: true,
    incarnation: 0,
    retries: 0,
  };
}

function nameOf(membership: Clear, group: PodGroupObject | undefined, { metadata }: PodObject): string {
  return group?.metadata.name ?? (membership.kind === 'labelled' ? membership.name : metadata.name);
}

type Topology =
  | { readonly kind: 'asked'; readonly request: NonNullable<PodSetSpec['topology']> }
  | { readonly kind: 'refused'; readonly why: string };

function topologyOf(membership: Clear, setCount: number, levelOf: GangSurroundings['levelOf']): Topology | undefined {
  if (membership.kind !== 'group') return undefined;
  const { metadata, spec } = membership.group;
  const refused = (field: string, why: string): Topology => {
    return { kind: 'refused', why: `pod group ${metadata.name}: spec.${field}: ${why}` };
  };
  if ((spec.resourceClaims ?? []).length > 0)
    return refused('resourceClaims', 'Berth does not allocate claims of devices');
  if (spec.parentCompositePodGroupName !== undefined) {
    return refused('parentCompositePodGroupName', 'Berth does not know groups of groups');
  }
  const [constraint] = spec.schedulingConstraints?.topology ?? [];
  if (constraint === undefined) return undefined;
  const field = 'schedulingConstraints.topology[0].key';
  const level = levelOf(constraint.key);
  if (level === undefined) return refused(field, `no level of the topology is read from the label ${constraint.key}`);
  // Each set would choose a domain of its own.
  if (setCount > 1)
    return refused(field, 'the pods of the group differ, and Berth keeps only equal pods in one domain');
  return { kind: 'asked', request: { kind: 'required', level } };
}

function createdMs({ metadata }: PodObject): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

function waits(why: string): Gang {
  return { kind: 'waits', why };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
