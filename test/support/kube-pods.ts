import type { V1Container, V1PersistentVolumeClaimSpec, V1PodSpec } from '@kubernetes/client-node';
import type {
  ClaimObject,
  ObjectMetadata,
  PodGroupObject,
  PodObject,
  VolumeObject,
} from '../../src/cluster/kubernetes/reading/pod-object.js';

/** Objects of Kubernetes in which a test says only what matters to it. */

const VERSION = { resourceVersion: '1' } as const;

interface PodWish {
  readonly metadata?: Partial<ObjectMetadata>;
  readonly spec?: Partial<V1PodSpec>;
}

export function aPod({ metadata = {}, spec = {} }: PodWish = {}): PodObject {
  const { name = 'p', namespace = 'default', uid = `uid-${name}` } = metadata;
  const containers: V1Container[] = [{ name: 'c' }];
  return { metadata: { ...VERSION, ...metadata, name, namespace, uid }, spec: { containers, ...spec } };
}

interface ClaimWish {
  readonly spec?: Partial<V1PersistentVolumeClaimSpec>;
  /** The uid of the pod that it was made for. */
  readonly owner?: string;
}

/** Bound, if it is to a volume. */
export function aClaim(
  name: string,
  volumeName: string | undefined,
  { spec = {}, owner }: ClaimWish = {},
): ClaimObject {
  return {
    metadata: {
      ...VERSION,
      name,
      uid: `uid-${name}`,
      ...(volumeName === undefined ? {} : { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }),
      ...(owner === undefined ? {} : { ownerReferences: [{ uid: owner }] }),
    },
    spec: { accessModes: ['ReadWriteOnce'], ...(volumeName === undefined ? {} : { volumeName }), ...spec },
  };
}

interface VolumeWish {
  readonly labels?: Readonly<Record<string, string>>;
  /** By its node affinity. */
  readonly zones?: string[];
  readonly hosts?: string[];
}

export function aVolume(name: string, { labels, zones, hosts }: VolumeWish = {}): VolumeObject {
  const matchExpressions = [
    ...(zones === undefined ? [] : [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: zones }]),
    ...(hosts === undefined ? [] : [{ key: 'kubernetes.io/hostname', operator: 'In', values: hosts }]),
  ];
  return {
    metadata: { ...VERSION, name, uid: `uid-${name}`, ...(labels === undefined ? {} : { labels }) },
    spec:
      matchExpressions.length === 0
        ? {}
        : { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
  };
}

export function aPodGroup(name: string, spec: PodGroupObject['spec']): PodGroupObject {
  return { metadata: { ...VERSION, name, uid: `uid-${name}` }, spec };
}
