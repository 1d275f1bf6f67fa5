import type { PodGroupObject, PodObject } from './pod-object.js';

export const GANG_LABEL = 'berth.dev/gang';
export const GANG_SIZE_LABEL = 'berth.dev/gang-size';
export const QUEUE_LABEL = 'berth.dev/queue';
export const TEAM_LABEL = 'berth.dev/team';

/** With whom a pod starts; equal keys, one gang. */
export type PodMembership =
  | { readonly kind: 'alone'; readonly key: string }
  | { readonly kind: 'group'; readonly key: string; readonly group: PodGroupObject; readonly minCount: number }
  | { readonly kind: 'labelled'; readonly key: string; readonly name: string; readonly size: number }
  /** It cannot be told yet, or not at all. */
  | { readonly kind: 'unclear'; readonly key: string; readonly why: string };

/** Absent: no such group is known. */
export type GroupLookup = (namespace: string, name: string) => PodGroupObject | undefined;

const SIZE = /^[1-9]\d{0,4}$/;

/** By its pod group, else by its labels `berth.dev/gang` and `berth.dev/gang-size`; else it starts alone. */
export function podMembership({ metadata, spec }: PodObject, groups: GroupLookup): PodMembership {
  const { namespace, uid, labels = {} } = metadata;
  const groupName = spec.schedulingGroup?.podGroupName;
  if (groupName !== undefined) return memberOfGroup(groupName, groups(namespace, groupName), metadata);
  const name = labels[GANG_LABEL];
  if (name === undefined) return { kind: 'alone', key: uid };
  const size = labels[GANG_SIZE_LABEL] ?? '';
  const key = `gang ${namespace}/${name}`;
  if (SIZE.test(size)) return { kind: 'labelled', key, name, size: Number(size) };
  return { kind: 'unclear', key, why: `label ${GANG_SIZE_LABEL} says how many pods gang ${name} has: 1 to 99999` };
}

function memberOfGroup(
  name: string,
  group: PodGroupObject | undefined,
  { namespace, uid }: PodObject['metadata'],
): PodMembership {
  const key = `group ${namespace}/${name}`;
  if (group === undefined) return { kind: 'unclear', key, why: `waits for pod group ${name}` };
  const { gang } = group.spec.schedulingPolicy ?? {};
  // A group without a gang says nothing about who starts with whom.
  return gang === undefined
    ? { kind: 'alone', key: uid }
    : { kind: 'group', key, group, minCount: Math.max(1, gang.minCount) };
}

type Labels = Readonly<Record<string, string>>;

/** The pod's own label, else that of its namespace; `undefined`: nobody has said. */
export function queueOf({ metadata }: PodObject, ofNamespace: Labels): string | undefined {
  return metadata.labels?.[QUEUE_LABEL] ?? ofNamespace[QUEUE_LABEL];
}

export function teamOf({ metadata }: PodObject, ofNamespace: Labels): string {
  return ofNamespace[TEAM_LABEL] ?? metadata.namespace;
}
