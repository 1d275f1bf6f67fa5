import type { PodNote } from '../notes/pod-note.js';
import type { PodGroupObject, PodObject } from '../reading/pod-object.js';

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
  | { readonly kind: 'unclear'; readonly key: string; readonly note: PodNote };

/** What of a pod says with whom it starts. */
export interface GangSigns {
  readonly metadata: Pick<PodObject['metadata'], 'namespace' | 'name' | 'uid' | 'labels'>;
  readonly spec: Pick<PodObject['spec'], 'schedulingGroup'>;
}

/** Absent: no such group is known. */
export type GroupLookup = (namespace: string, name: string) => PodGroupObject | undefined;

const SIZE = /^[1-9]\d{0,4}$/;

/** By its pod group, else by its labels `berth.dev/gang` and `berth.dev/gang-size`; else it starts alone. */
export function podMembership({ metadata, spec }: GangSigns, groups: GroupLookup): PodMembership {
  const { namespace, uid, labels = {} } = metadata;
  const groupName = spec.schedulingGroup?.podGroupName;
  if (groupName !== undefined) return memberOfGroup(groupName, groups(namespace, groupName), metadata);
  const name = labels[GANG_LABEL];
  if (name === undefined) return { kind: 'alone', key: uid };
  const size = labels[GANG_SIZE_LABEL] ?? '';
  const key = `gang ${namespace}/${name}`;
  if (SIZE.test(size)) return { kind: 'labelled', key, name, size: Number(size) };
  const message = `label ${GANG_SIZE_LABEL} says how many pods gang ${name} has: 1 to 99999`;
  return { kind: 'unclear', key, note: { reason: 'GangNotClear', message } };
}

function memberOfGroup(
  name: string,
  group: PodGroupObject | undefined,
  { namespace, uid }: GangSigns['metadata'],
): PodMembership {
  const key = `group ${namespace}/${name}`;
  if (group === undefined) {
    return { kind: 'unclear', key, note: { reason: 'WaitingForGang', message: `waits for pod group ${name}` } };
  }
  const { gang } = group.spec.schedulingPolicy ?? {};
  // A group without a gang says nothing about who starts with whom.
  return gang === undefined
    ? { kind: 'alone', key: uid }
    : { kind: 'group', key, group, minCount: Math.max(1, gang.minCount) };
}

type Labels = Readonly<Record<string, string>>;

/** The pod's own label, else that of its namespace; `undefined`: nobody has said. */
export function queueOf({ metadata }: GangSigns, ofNamespace: Labels): string | undefined {
  return metadata.labels?.[QUEUE_LABEL] ?? ofNamespace[QUEUE_LABEL];
}

/** Not to be looked at, and not counted, until whoever holds the gates has taken them away. */
export function isGated({ spec }: PodObject): boolean {
  return (spec.schedulingGates ?? []).length > 0;
}

export function teamOf({ metadata }: GangSigns, ofNamespace: Labels): string {
  return ofNamespace[TEAM_LABEL] ?? metadata.namespace;
}
