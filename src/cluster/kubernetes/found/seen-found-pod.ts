import type { KubePod } from '../kube-types.js';
import { podRefOf, SCHEDULER_NAME } from '../pods/pod-labels.js';
import { GANG_LABEL, GANG_SIZE_LABEL, isGated, type GangSigns } from './pod-membership.js';
import type { PodObject } from '../reading/pod-object.js';

/** A pod of others that names Berth as its scheduler, as it is kept: whole only while it waits for a node. */
export type SeenFoundPod =
  | { readonly state: 'waiting'; readonly object: PodObject }
  /** `gated`: its scheduling gates are closed. `leaving`: it is being deleted, and has not ended. */
  | { readonly state: 'gated' | 'bound' | 'leaving' | 'succeeded' | 'failed'; readonly object: GangSigns };

/** Absent: it is Berth's own, or asks for another scheduler. */
export function seenFoundPodOf(pod: KubePod): SeenFoundPod | undefined {
  if (pod.spec?.schedulerName !== SCHEDULER_NAME || podRefOf(pod) !== undefined) return undefined;
  const object = pod as unknown as PodObject;
  const state = stateOf(pod, object);
  return state === 'waiting' ? { state, object: lean(object) } : { state, object: signsOf(object) };
}

function stateOf({ metadata, spec, status }: KubePod, object: PodObject): SeenFoundPod['state'] {
  if (status?.phase === 'Succeeded') return 'succeeded';
  if (status?.phase === 'Failed') return 'failed';
  if (metadata.deletionTimestamp !== undefined) return 'leaving';
  if ((spec?.nodeName ?? '') !== '') return 'bound';
  return isGated(object) ? 'gated' : 'waiting';
}

/** Without what changes of itself, such as its status. */
function lean({ metadata, spec }: PodObject): PodObject {
  const { name, namespace, uid, labels = {}, creationTimestamp } = metadata;
  const created = creationTimestamp === undefined ? {} : { creationTimestamp };
  return { metadata: { name, namespace, uid, resourceVersion: '', labels, ...created }, spec };
}

function signsOf({ metadata: { name, namespace, uid, labels }, spec: { schedulingGroup } }: PodObject): GangSigns {
  const signs = Object.entries(labels ?? {}).filter(([key]) => key === GANG_LABEL || key === GANG_SIZE_LABEL);
  return {
    metadata: { name, namespace, uid, labels: Object.fromEntries(signs) },
    spec: schedulingGroup === undefined ? {} : { schedulingGroup },
  };
}
