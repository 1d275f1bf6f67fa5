import type { PodRef } from '../../../core/index.js';
import type { BindOrder, PlacedPod } from '../../cluster.js';
import type { KubePod } from '../kube-types.js';
import { placedRefOf } from './placed-annotation.js';
import { orderNameOf, slotsOf } from './pod-labels.js';

/** Which pod of Berth's a pod of others is, and the slots that the ledger counts for it. */
export type Placing = Pick<PlacedPod, 'pod' | 'slots'>;

/**
 * The pods of others that Berth has bound, or is about to. The ledger and the orders say which they are, by their uid,
 * which nobody can change. Of a pod that neither knows its annotations say so: it was bound, and holds nothing now.
 */
export class PlacedPods {
  private readonly byUid = new Map<string, PlacedPod>();
  private readonly uidOf = new Map<string, string>();
  /** Pods of others from now on. */
  private readonly left = new Set<string>();

  /** What the ledger says. */
  know(pods: readonly PlacedPod[]): void {
    for (const pod of pods) this.add(pod);
  }

  order({ found: { uid }, pod, node, slots }: BindOrder): void {
    this.add({ uid, pod, node, slots: slots.map(({ slot }) => slot) });
  }

  /** The order was not carried out. */
  refuse({ found: { uid }, name }: BindOrder): void {
    if (this.uidOf.get(name) === uid) this.remove(uid);
  }

  /** It is let run, and none of Berth's business any more. */
  leave(uid: string): void {
    this.remove(uid);
    this.left.add(uid);
  }

  /** It is no longer in the API server. */
  forget(uid: string): void {
    this.remove(uid);
    this.left.delete(uid);
  }

  /** Absent: Berth has not bound it. */
  placingOf(pod: KubePod): Placing | undefined {
    const { uid } = pod.metadata;
    if (this.left.has(uid)) return undefined;
    const known = this.byUid.get(uid);
    if (known !== undefined && known.node === pod.spec?.nodeName) return known;
    const ref = placedRefOf(pod);
    return ref === undefined || this.isOfAnother(ref) ? undefined : { pod: ref, slots: slotsOf(pod) };
  }

  /** Somebody wrote on a pod that it is another. */
  private isOfAnother(ref: PodRef): boolean {
    return this.uidOf.has(orderNameOf(ref));
  }

  private add(pod: PlacedPod): void {
    this.remove(pod.uid);
    this.byUid.set(pod.uid, pod);
    this.uidOf.set(orderNameOf(pod.pod), pod.uid);
  }

  private remove(uid: string): void {
    const known = this.byUid.get(uid);
    if (known === undefined) return;
    this.byUid.delete(uid);
    this.uidOf.delete(orderNameOf(known.pod));
  }
}
