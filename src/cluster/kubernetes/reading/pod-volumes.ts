import type { V1Volume } from '@kubernetes/client-node';
import type { NodeName, NodeSpec } from '../../../core/index.js';
import type { ClaimObject, PodObject, VolumeObject } from './pod-object.js';
import type { Refuse } from './unsupported.js';
import { below } from './unsupported.js';
import { volumeReach } from './volume-reach.js';

/** Where volumes are, as known now. Whoever keeps the answer asks again when claims, volumes or nodes change. */
export interface Storage {
  readonly claim: (namespace: string, name: string) => ClaimObject | undefined;
  readonly volume: (name: string) => VolumeObject | undefined;
  readonly nodes: readonly Pick<NodeSpec, 'name' | 'labels'>[];
}

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** Written into a pod itself, of which kube-scheduler keeps two from one node. */
const EXCLUSIVE = ['awsElasticBlockStore', 'gcePersistentDisk', 'iscsi', 'rbd'] as const;

/**
 * The nodes that reach all volumes of the pod; `undefined`: it has none that any node could miss. As the plugins
 * `VolumeBinding`, `VolumeZone` and `VolumeRestrictions` of kube-scheduler decide for claims that are bound. Binding a
 * claim is left to others, so a pod waits until all of its claims are bound.
 */
export function podVolumeNodes(pod: PodObject, storage: Storage, refuse: Refuse): readonly NodeName[] | undefined {
  const { volumes = [] } = pod.spec;
  const reaches = volumes.flatMap((volume, index) => {
    const refuseIt = below(`volumes[${index}]`, refuse);
    refuseShared(volume, refuseIt);
    const found = boundVolume(pod, claimOf(pod, volume), { storage, refuse: refuseIt });
    const reach = found === undefined ? undefined : volumeReach(found, refuseIt);
    return reach === undefined ? [] : [reach];
  });
  if (reaches.length === 0) return undefined;
  return storage.nodes.filter(({ labels }) => reaches.every((reach) => reach(labels))).map(({ name }) => name);
}

function refuseShared(volume: V1Volume, refuse: Refuse): void {
  for (const kind of EXCLUSIVE) {
    if (volume[kind] !== undefined) refuse(kind, 'Berth does not keep pods apart that share such a disk; use a claim');
  }
}

function boundVolume(
  pod: PodObject,
  claimed: Claimed | undefined,
  { storage, refuse }: { readonly storage: Storage; readonly refuse: Refuse },
): VolumeObject | undefined {
  if (claimed === undefined) return undefined;
  const { field, name } = claimed;
  const claim = storage.claim(pod.metadata.namespace, name);
  const why = whyNotUsable(pod, claimed, claim);
  const volumeName = claim?.spec.volumeName ?? '';
  const found = storage.volume(volumeName);
  if (why !== undefined) refuse(field, why, 'VolumeNotUsable');
  else if (found === undefined)
    refuse(field, `the volume ${volumeName} of claim ${name} is not there`, 'VolumeNotUsable');
  return found;
}

/** The names of all claims that it needs. */
export function claimsOf(pod: PodObject): readonly string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => claimOf(pod, volume)?.name ?? []);
}

interface Claimed {
  readonly field: 'persistentVolumeClaim' | 'ephemeral';
  readonly name: string;
}

function claimOf({ metadata }: PodObject, { name, persistentVolumeClaim, ephemeral }: V1Volume): Claimed | undefined {
  if (persistentVolumeClaim !== undefined) {
    return { field: 'persistentVolumeClaim', name: persistentVolumeClaim.claimName };
  }
  return ephemeral === undefined ? undefined : { field: 'ephemeral', name: `${metadata.name}-${name}` };
}

function whyNotUsable(pod: PodObject, { field, name }: Claimed, claim: ClaimObject | undefined): string | undefined {
  if (claim === undefined) return `there is no claim ${name}`;
  const { metadata, spec, status } = claim;
  if (metadata.deletionTimestamp !== undefined) return `claim ${name} is being deleted`;
  const isOwn = metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid) === true;
  if (field === 'ephemeral' && !isOwn) return `claim ${name} was not made for this pod`;
  if (status?.phase === 'Lost') return `claim ${name} has lost its volume`;
  if (spec.accessModes?.includes('ReadWriteOncePod') === true) {
    return `Berth does not keep other pods from claim ${name}, which is ReadWriteOncePod`;
  }
  const isBound = (spec.volumeName ?? '') !== '' && metadata.annotations?.[BIND_COMPLETED] !== undefined;
  return isBound ? undefined : `claim ${name} is not bound, and Berth binds none`;
}
