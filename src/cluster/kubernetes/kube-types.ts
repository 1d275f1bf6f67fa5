import type { Quantity } from '../../documents/quantity.js';

/**
 * What the driver reads of nodes, pods and leases, as JSON brings it. The API server has checked it, so it is not
 * checked again; every field may be absent in another version of Kubernetes.
 */
export type Quantities = Readonly<Record<string, Quantity>>;
export type Texts = Readonly<Record<string, string>>;

export interface KubeCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface KubeNode {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels?: Texts };
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: {
    readonly allocatable?: Quantities;
    readonly conditions?: readonly KubeCondition[];
    readonly nodeInfo?: { readonly bootID?: string };
  };
}

export interface KubeLease {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly renewTime?: string; readonly leaseDurationSeconds?: number };
}

export interface KubeContainer {
  readonly name: string;
  /** A sidecar, among the containers that initialise. */
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
}

export interface KubeContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
  };
}

export interface KubePod {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly labels?: Texts;
    readonly annotations?: Texts;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly controller?: boolean }[];
  };
  readonly spec?: {
    readonly nodeName?: string;
    readonly schedulerName?: string;
    readonly schedulingGroup?: { readonly podGroupName?: string };
    readonly containers?: readonly KubeContainer[];
    readonly initContainers?: readonly KubeContainer[];
    readonly overhead?: Quantities;
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly KubeCondition[];
    readonly containerStatuses?: readonly KubeContainerStatus[];
    readonly initContainerStatuses?: readonly KubeContainerStatus[];
  };
}
