import type { Decision, SlotShare } from '../../core/index.js';
import { podNameOf } from './pod-name.js';

export interface RankedPod {
  readonly set: number;
  readonly name: string;
  readonly workload: string;
  readonly incarnation: number;
  readonly podSet: string;
  readonly index: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly node: string;
  readonly slots: readonly SlotShare[];
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** The pods of a start with their ranks: pod sets in the order of the document, in each by index. */
export function rankedPods(
  { set, workload, incarnation, seats }: Extract<Decision, { readonly kind: 'start' }>,
  podSets: readonly { readonly name: string }[],
): readonly RankedPod[] {
  const placeOf = new Map(podSets.map(({ name }, place) => [name, place]));
  const place = (podSet: string): number => placeOf.get(podSet) ?? podSets.length;
  return [...seats]
    .sort((a, b) => place(a.pod.podSet) - place(b.pod.podSet) || a.pod.index - b.pod.index)
    .map(({ pod, node, slots, cpuMilli, memoryMib }, rank) => ({
      set,
      name: podNameOf(pod),
      workload,
      incarnation,
      podSet: pod.podSet,
      index: pod.index,
      rank,
      worldSize: seats.length,
      node,
      slots,
      cpuMilli,
      memoryMib,
    }));
}
