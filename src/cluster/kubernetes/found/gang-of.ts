import { createHash } from 'node:crypto';
import type { PodSetSpec, TopologyLevel, WorkloadSpec } from '../../../core/index.js';
import { equalPods } from './equal-pods.js';
import type { PodMembership } from './pod-membership.js';
import { GANG_SIZE_LABEL, QUEUE_LABEL, queueOf } from './pod-membership.js';
import type { PodNote } from '../notes/pod-note.js';
import type { PodGroupObject, PodObject } from '../reading/pod-object.js';
import type { PodReading } from '../reading/pod-set-of.js';

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
  /** What is to be said on its pods. */
  | { readonly kind: 'waits'; readonly note: PodNote };

/**
 * The workload that pods of one membership make together, once all are there that it needs: only the pods that are given
 * count. Where all pods are alike it takes as many as it needs, by name; the others come later.
 */
export function gangOf(
  membership: PodMembership,
  unordered: readonly GangMember[],
  { namespaceLabels, levelOf }: GangSurroundings,
): Gang {
  const all = [...unordered].sort((a, b) => compareText(a.pod.metadata.name, b.pod.metadata.name));
  const [first] = all;
  if (membership.kind === 'unclear') return { kind: 'waits', note: membership.note };
  if (first === undefined) return waits('WaitingForGang', 'waits for its first pod');
  const short = whyIncomplete(membership, all) ?? whyRefused(all);
  if (short !== undefined) return short;
  // Of pods that differ nobody says which are needed: all are.
  const members = equalPods(all).length === 1 ? all.slice(0, neededOf(membership)) : all;
  const queues = new Set(members.map(({ pod }) => queueOf(pod, namespaceLabels)));
  const [queue] = queues;
  if (queues.size > 1) return waits('GangNotClear', `its pods name different queues by the label ${QUEUE_LABEL}`);
  if (queue === undefined)
    return waits('QueueNotFound', `neither the pod nor its namespace has the label ${QUEUE_LABEL}`);

  const sets = equalPods(members);
  const topology = topologyOf(membership, sets.length, levelOf);
  if (topology?.kind === 'refused') return waits('NotSupported', topology.why);
  const podSets = sets.map(({ podSet, pods }, index): PodSetSpec => ({
    ...podSet,
    name: sets.length === 1 ? podSet.name : `${podSet.name}-${index + 1}`,
    count: pods.length,
    minCount: pods.length,
    ...(topology === undefined ? {} : { topology: topology.request }),
  }));
  const workload = { ...headOf(membership, members, first.pod), queue, podSets };
  const pods = podSets.map(({ name }, index) => [name, sets[index]?.pods ?? []] as const);
  return { kind: 'complete', workload, pods: Object.fromEntries(pods) };
}

/**
 * The workload of a pod that comes to its gang when that has what it needs: it starts alone, under its own name, on the
 * terms of the gang.
 */
export function latecomerOf(membership: PodMembership, member: GangMember, surroundings: GangSurroundings): Gang {
  const gang = gangOf(withoutMinimum(membership), [member], surroundings);
  if (gang.kind === 'waits') return gang;
  const { podSets } = gang.workload;
  if (podSets.some(({ topology }) => topology !== undefined))
    return waits('NotSupported', 'comes when its pod group has started, and Berth does not keep it in the same domain');
  const { namespace, name } = member.pod.metadata;
  return { ...gang, workload: { ...gang.workload, name: `${namespace}/${name}` } };
}

function withoutMinimum(membership: PodMembership): PodMembership {
  if (membership.kind === 'group') return { ...membership, minCount: 1 };
  return membership.kind === 'labelled' ? { ...membership, size: 1 } : membership;
}

/** How many pods it needs to start. */
export function neededOf(membership: PodMembership): number | undefined {
  switch (membership.kind) {
    case 'alone':
      return 1;
    case 'group':
      return membership.minCount;
    case 'labelled':
      return membership.size;
    case 'unclear':
      return undefined;
  }
}

type Clear = Exclude<PodMembership, { readonly kind: 'unclear' }>;
type Waits = Extract<Gang, { readonly kind: 'waits' }>;

function whyIncomplete(membership: Clear, members: readonly GangMember[]): Waits | undefined {
  if (membership.kind === 'alone') return undefined;
  if (new Set(members.map(({ pod }) => pod.metadata.labels?.[GANG_SIZE_LABEL])).size > 1) {
    return waits('GangNotClear', `its pods name different sizes by the label ${GANG_SIZE_LABEL}`);
  }
  const needed = neededOf(membership) ?? 1;
  const missing = needed - members.length;
  return missing > 0 ? waits('WaitingForGang', `waits for ${missing} of ${needed} pods`) : undefined;
}

function whyRefused(members: readonly GangMember[]): Waits | undefined {
  for (const { pod, reading } of members) {
    const [refused] = reading.unsupported;
    if (refused === undefined) continue;
    const whose = members.length === 1 ? '' : `pod ${pod.metadata.name}: `;
    return waits(refused.reason ?? 'NotSupported', `${whose}${refused.field}: ${refused.why}`);
  }
  return undefined;
}

type Head = Omit<WorkloadSpec, 'queue' | 'podSets'>;

function headOf(membership: Clear, members: readonly GangMember[], first: PodObject): Head {
  const pods = members.map(({ pod }) => pod);
  const priorities = pods.map(({ spec }) => spec.priority ?? 0);
  const group = membership.kind === 'group' ? membership.group : undefined;
  const { namespace } = first.metadata;
  return {
    id: idOf(pods),
    name: `${namespace}/${nameOf(membership, group, first)}`,
    kind: 'pods',
    // The gang goes no further ahead than the least of its pods.
    priority: group?.spec.priority ?? priorities.reduce((least, priority) => Math.min(least, priority)),
    preemptible: true,
    submittedAtMs: pods.reduce((latest, pod) => Math.max(latest, createdMs(pod)), 0),
    hold: false,
    // Who made a pod that failed makes another, or does not.
    maxRetries: 0,
    isFound: true,
    incarnation: 0,
    retries: 0,
  };
}

/**
 * A pod alone has its own uid. That of one of several pods would not do: when a pod is taken back before the others have
 * started, they wait again with its successor, and are another workload. So the id comes from the uids of all.
 */
function idOf(pods: readonly PodObject[]): string {
  const uids = pods.map(({ metadata }) => metadata.uid);
  if (uids.length === 1) return uids.join();
  const hex = createHash('sha256').update(uids.sort().join('\n')).digest('hex');
  // A UUID of version 8, of whoever makes it up (RFC 9562).
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
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

function waits(reason: string, message: string): Waits {
  return { kind: 'waits', note: { reason, message } };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
