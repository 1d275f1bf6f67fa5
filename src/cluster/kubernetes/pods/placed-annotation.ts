import type { PodRef } from '../../../core/index.js';
import type { BindOrder } from '../../cluster.js';
import type { KubePod, Texts } from '../kube-types.js';
import { ANNOTATION, numberOf, slotList } from './pod-labels.js';

/** What a binding adds to a found pod: the API server merges annotations into it, and nothing else. */
export function bindingAnnotations({ pod, found, epoch, slots }: BindOrder): Texts {
  return {
    [ANNOTATION.placed]: textOf(found.uid, pod),
    [ANNOTATION.epoch]: String(epoch),
    [ANNOTATION.slots]: slotList(slots),
  };
}

/**
 * Which pod a found pod was bound as; absent: Berth has not bound it. The annotation has the uid of its pod, so that its
 * copy on another says nothing.
 */
export function placedRefOf({ metadata: { uid, annotations = {} }, spec = {} }: KubePod): PodRef | undefined {
  if (spec.nodeName === undefined) return undefined;
  const text = annotations[ANNOTATION.placed];
  const [, workload = '', attempt, podSet = '', number] = text?.split('/') ?? [];
  const incarnation = numberOf(attempt);
  const index = numberOf(number);
  if (workload === '' || podSet === '' || incarnation === undefined || index === undefined) return undefined;
  const ref = { workload, incarnation, podSet, index };
  return text === textOf(uid, ref) ? ref : undefined;
}

/** Whether it was bound by this order, in whatever term of office. */
export function isPlacedBy({ metadata: { uid, annotations = {} } }: KubePod, { pod }: BindOrder): boolean {
  return annotations[ANNOTATION.placed] === textOf(uid, pod);
}

function textOf(uid: string, { workload, incarnation, podSet, index }: PodRef): string {
  return [uid, workload, incarnation, podSet, index].join('/');
}
