import type { Seat, SlotShare } from '../../core/index.js';
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

/** What the ranks of new pods follow from. */
export interface Ranking {
  readonly set: number;
  /** The pods that are there already come first. */
  readonly firstRank: number;
  /** With the new pods. */
  readonly worldSize: number;
  /** Of the document. */
  readonly podSets: readonly { readonly name: string }[];
}

/** New pods of one workload with their ranks: pod sets in the order of the document, in each by index. */
export function rankedPods(seats: readonly Seat[], ranking: Ranking): readonly RankedPod[] {
  const { set, firstRank, worldSize, podSets } = ranking;
  const placeOf = new Map(podSets.map(({ name }, place) => [name, place]));
  const place = (podSet: string): number => placeOf.get(podSet) ?? podSets.length;
  return [...seats]
    .sort((a, b) => place(a.pod.podSet) - place(b.pod.podSet) || a.pod.index - b.pod.index)
    .map(({ pod, node, slots, cpuMilli, memoryMib }, order) => ({
      set,
      name: podNameOf(pod),
      workload: pod.workload,
      incarnation: pod.incarnation,
      podSet: pod.podSet,
      index: pod.index,
      rank: firstRank + order,
      worldSize,
      node,
      slots,
      cpuMilli,
      memoryMib,
    }));
}
