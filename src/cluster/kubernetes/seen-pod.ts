import { tenantOf, type Tenant } from './pods/foreign-use.js';
import type { KubePod } from './kube-types.js';
import type { PlacedPods } from './pods/placed-pods.js';
import { ownPodOf, type OwnPod } from './pods/pod-watch.js';
import { seenFoundPodOf, type SeenFoundPod } from './found/seen-found-pod.js';
import { unboundPodOf, type UnboundPod } from './pods/unbound-pod.js';

/** All pods of the cluster are watched, so no more is kept of one than this. */
export interface SeenPod {
  readonly uid: string;
  /** Absent: a pod of another, or one that says it is Berth's and does not say which. */
  readonly own: OwnPod | undefined;
  readonly tenant: Tenant | undefined;
  readonly unbound: UnboundPod | undefined;
  /** Absent: Berth is not to place it. */
  readonly seeking: SeenFoundPod | undefined;
}

export function seenPodOf(pod: KubePod, placed: PlacedPods): SeenPod {
  const placing = placed.placingOf(pod);
  return {
    uid: pod.metadata.uid,
    own: ownPodOf(pod, placing),
    tenant: tenantOf(pod, placing),
    unbound: unboundPodOf(pod),
    seeking: seenFoundPodOf(pod),
  };
}
