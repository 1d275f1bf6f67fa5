import type {
  V1PersistentVolumeClaimSpec,
  V1PersistentVolumeClaimStatus,
  V1PersistentVolumeSpec,
  V1PodSpec,
} from '@kubernetes/client-node';
import type { KubeMetadata } from '../api/kube-object.js';

/** The fields of a type of the client, whose own objects are of a class. */
export type Plain<T> = { [Field in keyof T]: T[Field] };

/** As JSON brings it: times are text. */
export interface ObjectMetadata extends KubeMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly uid: string }[];
}

/** A pod as the API server stores it: with its defaults, and with what admission has merged into it. */
export interface PodObject {
  readonly metadata: ObjectMetadata & { readonly namespace: string };
  readonly spec: Plain<V1PodSpec>;
}

export interface ClaimObject {
  readonly metadata: ObjectMetadata;
  readonly spec: Plain<V1PersistentVolumeClaimSpec>;
  readonly status?: V1PersistentVolumeClaimStatus;
}

export interface VolumeObject {
  readonly metadata: ObjectMetadata;
  readonly spec: Plain<V1PersistentVolumeSpec>;
}

/** `scheduling.k8s.io/v1beta1`, as far as the scheduler reads it. */
export interface PodGroupObject {
  readonly metadata: ObjectMetadata;
  readonly spec: {
    readonly schedulingPolicy?: { readonly gang?: { readonly minCount: number }; readonly basic?: object };
    readonly schedulingConstraints?: { readonly topology?: readonly { readonly key: string }[] };
    readonly priority?: number;
    readonly resourceClaims?: readonly object[];
    readonly parentCompositePodGroupName?: string;
  };
}
