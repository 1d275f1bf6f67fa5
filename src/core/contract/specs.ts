/** What the core is told about nodes, flavors, queues and workloads. Plain, readonly data; all amounts are integers. */

/** Thousandths of a device, or of a CPU core: 1,000 is one whole. */
export type Milli = number;
/** Milliseconds since the epoch of the clock that the caller uses. */
export type Ms = number;

export type NodeName = string;
export type QueueName = string;
export type FlavorName = string;
/** Unique for ever; names may be used again, ids never. */
export type WorkloadId = string;
/** A level of the topology tree, as the operator names it, e.g. `rack`; `host` is always the innermost. */
export type TopologyLevel = string;

export interface Resources {
  readonly cpuMilli: Milli;
  readonly memoryMib: number;
  readonly pods: number;
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Toleration {
  /** Absent with `Exists` means every key. */
  readonly key?: string;
  readonly operator: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: Taint['effect'];
}

/** The states of a node; only a healthy one takes new work. */
export type NodeState =
  'healthy' | 'suspect' | 'quarantined' | 'draining' | 'lost' | 'repairing' | 'validating' | 'retired';

export interface Accelerators {
  /** Product name or a free word, e.g. `nvidia-h100`. */
  readonly model: string;
  readonly count: number;
  readonly memoryMib?: number;
  /** Partitions that a device may be cut into; absent: none. */
  readonly profiles?: readonly PartitionProfile[];
}

/** A kind of partition (MIG): how many eighths of the device's memory it takes, and where it may begin, counted so. */
export interface PartitionProfile {
  readonly name: string;
  readonly eighths: number;
  readonly positions: readonly number[];
}

export interface NodeSpec {
  readonly name: NodeName;
  /** Allocatable, what pods may use. */
  readonly capacity: Resources;
  /** Slots are numbered through in this order. The devices of one pod are all of one entry: equal devices make one. */
  readonly accelerators: readonly Accelerators[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** The node's domain at each level of `Policy.topologyLevels` but `host`; an absent level: in no domain of it. */
  readonly topology: Readonly<Record<TopologyLevel, string>>;
  /** Cordoned: no new pods, nothing else. */
  readonly unschedulable: boolean;
}

/** A kind of capacity that quota is given in. Maps nodes by model and labels; without `model`: CPU capacity. */
export interface FlavorSpec {
  readonly name: FlavorName;
  readonly model?: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
}

/** Milli-devices, or milli-CPU for a flavor without model. */
export interface FlavorQuota {
  readonly nominal: Milli;
  /** Absent: no limit but what the others lend. */
  readonly borrowingLimit?: Milli;
  /** Absent: everything unused is lent. */
  readonly lendingLimit?: Milli;
  /** A larger workload is refused at submission. */
  readonly maxPerWorkload?: Milli;
}

export interface QueueSpec {
  readonly name: QueueName;
  /** Absent: a root. */
  readonly parent?: QueueName;
  readonly weight: number;
  readonly quotas: Readonly<Record<FlavorName, FlavorQuota>>;
  /** What it used before it was told, decayed: per flavor, thousandths of a device (or of a CPU) x seconds. */
  readonly pastUsage?: Readonly<Record<FlavorName, number>>;
  /** What it may take back from borrowers. */
  readonly reclaim: 'any' | 'lowerPriority' | 'never';
  readonly withinQueue: 'lowerPriority' | 'never';
}

export type TopologyRequest =
  | { readonly kind: 'required'; readonly level: TopologyLevel }
  | { readonly kind: 'preferred'; readonly level: TopologyLevel }
  /**
   * Every `size` pods, by index, share one domain of the level; the slices themselves stand near one another. `count` and
   * `minCount` must be multiples of `size`: another workload is refused at submission.
   */
  | { readonly kind: 'slice'; readonly level: TopologyLevel; readonly size: number };

export interface DeviceRequest {
  readonly count: number;
  /** Share of each device: 1,000 is a whole one; a fraction needs `count: 1`. */
  readonly milli: Milli;
  /** A partition of this profile, with `count: 1` and as `milli` 125 for each eighth of the memory that it takes. */
  readonly profile?: string;
  readonly memoryMib?: number;
}

/** A condition on a label of a node, as Kubernetes writes it; `Gt` and `Lt` have one value, a whole number. */
export interface NodeRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values?: readonly string[];
}

/** All of its conditions must hold; without any it matches no node. */
export interface NodeAffinityTerm {
  readonly matchLabels: readonly NodeRequirement[];
  /** Of the node itself; the only key is `metadata.name`. */
  readonly matchFields?: readonly NodeRequirement[];
}

/** The heavier, the more a node that matches is preferred: 1 to 100. */
export interface PreferredNodeAffinity {
  readonly weight: number;
  readonly term: NodeAffinityTerm;
}

/** A port of the node itself, as Kubernetes writes it. Absent protocol: TCP; absent address, or `0.0.0.0`: all. */
export interface HostPort {
  readonly port: number;
  readonly protocol?: string;
  readonly ip?: string;
}

/** A condition on a label of a pod. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** All must hold; an empty one sees every pod that is told with labels or a namespace. */
export type LabelSelector = readonly LabelRequirement[];

/** Pods of these namespaces (absent: the own one) with these labels, in the same domain: nodes equal in that label. */
export interface PodAffinityTerm {
  readonly topologyKey: string;
  readonly selector: LabelSelector;
  readonly namespaces?: readonly string[];
}

export interface PodAffinity {
  /** All must hold. */
  readonly required?: readonly PodAffinityTerm[];
  /** Weights 1 to 100. */
  readonly preferred?: readonly { readonly weight: number; readonly term: PodAffinityTerm }[];
}

/** How evenly pods that the selector sees, of the own namespace, stand over the domains of a node label. */
export interface TopologySpread {
  readonly topologyKey: string;
  readonly selector: LabelSelector;
  /** How many more than the emptiest domain any may have. */
  readonly maxSkew: number;
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /** With fewer domains than these the emptiest counts as empty. */
  readonly minDomains?: number;
  /** `Honor`, or absent: only nodes that selector and affinity of the pod allow have a say. */
  readonly nodeAffinityPolicy?: 'Honor' | 'Ignore';
  /** `Honor`: only nodes whose taints the pod tolerates have a say. */
  readonly nodeTaintsPolicy?: 'Honor' | 'Ignore';
}

/** Equal pods. `start` and `onLoss` say what a gang is: training is `together, restart-all`; serving `each, replace`. */
export interface PodSetSpec {
  readonly name: string;
  readonly count: number;
  readonly minCount: number;
  /** In order of preference; empty: the pods need no flavor that quota knows (CPU only, unmanaged). */
  readonly flavors: readonly FlavorName[];
  readonly cpuMilli: Milli;
  readonly memoryMib: number;
  readonly devices?: DeviceRequest;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Required: the node must match one of the terms. */
  readonly nodeAffinity?: readonly NodeAffinityTerm[];
  readonly preferredNodeAffinity?: readonly PreferredNodeAffinity[];
  /** Nodes that can reach all of its volumes; absent: every node can. */
  readonly volumeNodes?: readonly NodeName[];
  /** What each pod takes besides its requests, e.g. for its sandbox. */
  readonly overhead?: { readonly cpuMilli: Milli; readonly memoryMib: number };
  /** By these the rules of other pods see its pods; without any of both they are seen by none. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostPorts?: readonly HostPort[];
  readonly podAffinity?: PodAffinity;
  readonly podAntiAffinity?: PodAffinity;
  readonly topologySpread?: readonly TopologySpread[];
  readonly tolerations: readonly Toleration[];
  readonly topology?: TopologyRequest;
  readonly start: 'together' | 'each';
  readonly onLoss: 'restart-all' | 'replace';
}

export interface WorkloadSpec {
  readonly id: WorkloadId;
  /** The last tie-breaker of every order. */
  readonly name: string;
  readonly queue: QueueName;
  readonly kind: 'training' | 'inference' | 'pods';
  readonly priority: number;
  readonly preemptible: boolean;
  readonly submittedAtMs: Ms;
  /** Suspended: waits until released. */
  readonly hold: boolean;
  readonly podSets: readonly PodSetSpec[];
  /** Retries after an end that is its own fault; other ends restart it without limit. */
  readonly maxRetries: number;
  /** Others made its pods: once one of them is bound they cannot be placed again, so its eviction is its end. */
  readonly isFound?: true;
  readonly estimateMs?: Ms;
  readonly limitMs?: Ms;
  readonly checkpointEveryMs?: Ms;
  readonly deadlineMs?: Ms;
  /**
   * Before its first start it waits until these have succeeded. One that failed or was cancelled is waited for until
   * another of that id succeeds, as long as anybody waits for it; one that is not known counts as succeeded.
   */
  readonly dependsOn?: readonly WorkloadId[];
  /** Incarnations and retries already used, when the core is rebuilt from a ledger; 0 for a new one. */
  readonly incarnation: number;
  readonly retries: number;
  /** Run time that earlier incarnations have saved, when the core is rebuilt. */
  readonly workDoneMs?: Ms;
  /** When the core is rebuilt: how often the members of this incarnation changed, and by pod set the first unused index. */
  readonly round?: number;
  readonly nextIndex?: Readonly<Record<string, number>>;
  /** When the core is rebuilt: by pod set, how many pods of this incarnation have succeeded and are released. */
  readonly done?: Readonly<Record<string, number>>;
  /** Not before this time, e.g. the backoff after a failure. */
  readonly notBeforeMs?: Ms;
  /** When the core is rebuilt: an eviction with this `then` is committed, its pods may still be leaving. */
  readonly ending?: 'fail' | 'end';
}

/** What may change after submission; absent fields stay. */
export interface WorkloadChange {
  readonly priority?: number;
  readonly hold?: boolean;
  readonly estimateMs?: Ms;
  readonly limitMs?: Ms;
  readonly deadlineMs?: Ms;
  /** By pod set; an elastic workload that runs shrinks or grows to it. */
  readonly counts?: Readonly<Record<string, { readonly count: number; readonly minCount: number }>>;
}
