import type {
  Constraint,
  FlavorSpec,
  NodeName,
  NodeSpec,
  NodeState,
  PodEnd,
  PodRef,
  QueueName,
  Resources,
  SlotShare,
  WorkloadId,
  WorkloadSpec,
} from '../core/index.js';
import type { Job } from '../trainer/contract.js';

/** A pod that somebody else has made and that waits for Berth to bind it. */
export interface FoundPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Pods that others made and that start together, by pod set in the order of their index. */
export interface FoundWorkload {
  readonly workload: WorkloadId;
  readonly pods: Readonly<Record<string, readonly FoundPod[]>>;
}

/** A pod that others made, where the ledger has placed it. */
export interface PlacedPod {
  readonly uid: string;
  readonly pod: PodRef;
  readonly node: NodeName;
  readonly slots: readonly number[];
}

/** What a pod runs: a command of the user's, or the trainer with its job. */
export type PodProgram =
  | {
      readonly kind: 'command';
      /** Absent, or ignored, where pods are processes of this machine. */
      readonly image?: string;
      readonly command: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'trainer'; readonly job: Job };

/** All that a driver needs to run one pod. Given twice with the same name it has one effect. */
export interface PodOrder {
  /** `<workload>-<incarnation>-<podSet>-<index>`. */
  readonly name: string;
  readonly pod: PodRef;
  /** The term of office in which it is carried out. */
  readonly epoch: number;
  /** Team and name of the workload: the folder and the labels that people see. */
  readonly team: string;
  readonly workloadName: string;
  readonly node: NodeName;
  readonly slots: readonly SlotShare[];
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly rank: number;
  readonly worldSize: number;
  /** Where the gang meets: the node of rank 0. */
  readonly masterNode: NodeName;
  /** From the request to stop until the kill. */
  readonly graceSeconds: number;
  readonly program: PodProgram;
  /** Where the pod reports, and the secret that proves which pod it is. */
  readonly status: { readonly url: string; readonly token: string };
}

/** Where a pod goes that somebody else has made. Given twice it has one effect. */
export interface BindOrder {
  /** As that of a pod of Berth's: `<workload>-<incarnation>-<podSet>-<index>`, by which it is deleted, too. */
  readonly name: string;
  readonly pod: PodRef;
  readonly epoch: number;
  readonly found: FoundPod;
  readonly node: NodeName;
  readonly slots: readonly SlotShare[];
}

/** A pod that the driver has, found by listing. */
export interface PodSeen {
  readonly name: string;
  readonly pod: PodRef;
  readonly node: NodeName;
  readonly state: 'bound' | 'started' | 'ended';
  readonly end?: PodEnd;
}

/** What a driver sees; the live loop turns it into events of the core. An observation may come twice. */
export type Observation =
  | { readonly kind: 'node-seen'; readonly node: NodeSpec }
  | { readonly kind: 'node-removed'; readonly node: NodeName }
  | {
      readonly kind: 'node-state-changed';
      readonly node: NodeName;
      readonly state: NodeState;
      readonly cause: string;
    }
  /** Evidence: nothing that was placed there before runs there any more. */
  | { readonly kind: 'node-fenced'; readonly node: NodeName }
  /** All that pods of others take of the node now, after `node-seen`; a node that was removed comes back without. */
  | {
      readonly kind: 'foreign-use-seen';
      readonly node: NodeName;
      readonly use: Resources;
      readonly slots: readonly number[];
    }
  | { readonly kind: 'pod-bound'; readonly pod: PodRef }
  | { readonly kind: 'pod-started'; readonly pod: PodRef }
  /** `detail` is one sentence for people; `logTail` the last 64 KiB of output at most. */
  | ({ readonly kind: 'pod-ended'; readonly pod: PodRef; readonly detail?: string; readonly logTail?: string } & PodEnd)
  | { readonly kind: 'pod-gone'; readonly pod: PodRef }
  /** Pods of others that Berth is to place; told again with the same id it changes nothing. */
  | ({ readonly kind: 'workload-found'; readonly spec: WorkloadSpec; readonly team: string } & FoundWorkload)
  /** Whoever made its pods has taken one back: it can never run whole again. `why` is one sentence for people. */
  | { readonly kind: 'workload-withdrawn'; readonly workload: WorkloadId; readonly why: string };

/** What the ledger says that a driver must know to find workloads among pods that others made. */
export interface LedgerView {
  readonly flavors: readonly FlavorSpec[];
  readonly queues: readonly {
    readonly name: QueueName;
    /** Absent: every team may use it. */
    readonly team?: string;
    /** Only leaves hold workloads. */
    readonly isLeaf: boolean;
  }[];
  readonly teams: readonly string[];
  /** Those that have not finished, with their pods that have not ended. */
  readonly found: readonly FoundWorkload[];
  /** Those of their pods that occupy a node, or are about to. */
  readonly placed: readonly PlacedPod[];
}

/** What the ledger believes to be there. */
export interface Expected {
  readonly nodes: readonly NodeName[];
  /** Names of pods that were bound. */
  readonly pods: readonly string[];
}

/** Why a workload waits, for whoever looks at its pods. `message` is a sentence or two. */
export interface WorkloadWait {
  readonly workload: WorkloadId;
  readonly constraint: Constraint['kind'];
  readonly message: string;
}

export type PodCreation =
  | { readonly kind: 'created' }
  /** For good; `elsewhere`: another node may take it. Anything else that goes wrong is thrown and tried again. */
  | { readonly kind: 'refused'; readonly why: string; readonly retry: 'elsewhere' | 'never' };

/**
 * Port: where pods run. Both drivers are held to `test/support/cluster-contract.ts`.
 *
 * `start` first observes all nodes, resolves with all pods that exist, and goes on observing until `stop`. Creation and
 * deletion are idempotent by name; every pod that was created is one day `pod-ended` and then `pod-gone`, unless its
 * node is lost, when `node-fenced` or `pod-gone` follows once there is evidence.
 */
export abstract class Cluster {
  /** Before `start`, and again whenever one of them has changed. A driver that finds no workloads needs nothing of it. */
  know(_ledger: LedgerView): void {
    // Nothing: see above.
  }

  /** Shows on the pods of found workloads why they wait: best effort, and the newest word about each counts. */
  showWaits(_waits: readonly WorkloadWait[]): void {
    // Nothing: see above.
  }

  /** These found workloads have ended: of pods of theirs that still wait the driver may make others. */
  releaseFound(_workloads: readonly WorkloadId[]): void {
    // Nothing: see above.
  }

  /** Of what is expected nothing is missing in what it says only because the driver was behind. */
  abstract start(observe: (observation: Observation) => void, expected?: Expected): Promise<readonly PodSeen[]>;
  /**
   * While another scheduler leads, before `start` and after it: nothing is observed any more, and nothing done, but the
   * driver may keep in step what it reads, so that the next `start` takes no time. It is asked for that again and again.
   */
  follow(): Promise<void> {
    return this.stop('keep');
  }
  abstract createPod(order: PodOrder): Promise<PodCreation>;
  /** `refused`, `never`: it is gone, or somebody else has bound it. */
  bindPod({ found }: BindOrder): Promise<PodCreation> {
    return Promise.resolve({ kind: 'refused', why: `there is no pod ${found.name}`, retry: 'never' });
  }
  /**
   * The ledger has nothing of these pods: for as long as they stand, what they take counts as taken by others. A driver
   * may let run, and know no more, those that nobody would make again; it is asked to delete the rest.
   */
  disown(_names: readonly string[]): Promise<void> {
    return Promise.resolve(); // A driver without pods of others deletes what it is asked to.
  }
  /**
   * Asks the pod to stop (SIGTERM, then SIGKILL after its grace); its end is observed. `unknown`: the driver has no such
   * pod, so nothing of it runs and nothing more will be observed.
   */
  abstract deletePod(name: string): Promise<'stopping' | 'unknown'>;
  /** Output of a pod, oldest first; ends with the pod when `follow`, at the end of the file otherwise. */
  abstract readLogs(name: string, options: LogOptions): AsyncIterable<string>;
  /** Stops observing. Pods of the local driver are ended, too, when `pods` is `end`. */
  abstract stop(pods: 'keep' | 'end'): Promise<void>;
}

export interface LogOptions {
  readonly follow: boolean;
  /** Lines from the end; absent: all. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

/** Port of the local driver alone: faults for demonstrations and tests. */
export abstract class NodeFaults {
  /** Kills the node: its pods die at once (SIGKILL), it is `lost`. */
  abstract fail(node: NodeName): Promise<'failed' | 'unknown-node'>;
  /** Brings it back, empty: `node-fenced`, then `healthy`. */
  abstract restore(node: NodeName): Promise<'restored' | 'unknown-node'>;
}
