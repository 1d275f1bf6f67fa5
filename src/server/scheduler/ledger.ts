import type { BindOrder, LedgerView, Observation } from '../../cluster/cluster.js';
import type {
  Decision,
  Ms,
  NodeName,
  NodeSpec,
  NodeState,
  PodEnd,
  PodRef,
  QueueName,
  QueueSpec,
  Resources,
  Seat,
  SetId,
  WorkloadSpec,
} from '../../core/index.js';
import type { WorkloadDocument } from '../workloads/workload.schema.js';

/** One term of office. Every write of the scheduler carries its epoch; an older one is refused by the database. */
export interface Leadership {
  readonly epoch: number;
  readonly holder: string;
}

/** Where a reader of the commands stands: read below the snapshot's xmin, so no late commit is skipped. */
export interface CommandCursor {
  readonly txid: string;
  readonly seq: string;
  /** The snapshot that was loaded: a command that it showed has its effect in what was loaded, and is not repeated. */
  readonly loaded: string;
}

/** What a running workload said of itself; times by the clock of the database. */
export interface ToldProgress {
  readonly incarnation: number;
  readonly checkpointAtMs?: Ms;
  readonly expectedEndMs?: Ms;
}

export type Command =
  | { readonly kind: 'workload-submitted'; readonly workload: WorkloadSpec }
  | { readonly kind: 'workload-cancelled'; readonly workload: string }
  | ({ readonly kind: 'workload-progress'; readonly workload: string } & ToldProgress)
  | { readonly kind: 'node-cordoned' | 'node-uncordoned'; readonly node: NodeName }
  /** The quota tree is another one: what was loaded before is no longer true. */
  | { readonly kind: 'quotas-changed' };

/** A pod that the ledger counts as claimed or occupying. */
export interface LivePod {
  readonly name: string;
  readonly seat: Seat;
  readonly claimed: boolean;
  readonly state: 'expected' | 'bound' | 'started' | 'leaving';
  /** Pods that are still there and must be gone before it is created; absent: none. */
  readonly waitsFor?: readonly PodRef[];
  /** Absent: not known to have ended. */
  readonly end?: LivePodEnd;
}

/** `isGone`: nothing of it is left on its node. */
export type LivePodEnd =
  | { readonly kind: 'ended'; readonly end: PodEnd; readonly isGone: boolean }
  | { readonly kind: 'refused'; readonly why: string; readonly retry: 'elsewhere' | 'never' };

/** Everything a new leader rebuilds its core from, read in one snapshot. */
export interface LedgerState {
  readonly queues: readonly QueueSpec[];
  readonly nodes: readonly {
    readonly spec: NodeSpec;
    readonly state: NodeState;
    readonly cause: string;
    readonly unschedulable: boolean;
    /** What pods of others take of it. */
    readonly foreign: { readonly use: Resources; readonly slots: readonly number[] };
    /** The driver has it no more; it is kept while pods stand there. */
    readonly removed: boolean;
  }[];
  /** Unfinished ones, oldest first; `cancelRequested` ones are to be cancelled at once. */
  readonly workloads: readonly {
    readonly spec: WorkloadSpec;
    readonly cancelRequested: boolean;
    /** When its present incarnation was decided, by the clock of the scheduler. */
    readonly startedAtMs?: Ms;
    /** Of its present incarnation. */
    readonly progress?: ToldProgress;
  }[];
  /** Those without a claim first; then those that have ended come last, in the order of their ends. */
  readonly pods: readonly LivePod[];
  /** For the driver. */
  readonly view: LedgerView;
  readonly cursor: CommandCursor;
}

/** Decisions that are committed together or refused together. */
export interface DecisionSet {
  readonly set: SetId;
  /** The version of the policy by which it was decided. */
  readonly policy: string;
  /** When, by the clock of the scheduler. */
  readonly atMs: Ms;
  readonly decisions: readonly Decision[];
}

export type SetOutcome =
  | {
      readonly kind: 'committed';
      readonly set: SetId;
      /** Pods whose claims ended in it while they still waited: nobody will ever observe that they are gone. */
      readonly neverCame?: readonly PodRef[];
    }
  | {
      readonly kind: 'refused';
      readonly set: SetId;
      readonly why: 'quota' | 'slot' | 'node-state' | 'workload-state';
      readonly at?: NodeName | QueueName;
    };

/** What the driver is still to be asked; it stays until settled, and asking twice is harmless. */
export type Intent = {
  readonly id: string;
  readonly podName: string;
  readonly pod: PodRef;
  readonly attempts: number;
} & (
  | {
      readonly kind: 'create-pod';
      readonly team: string;
      readonly workloadName: string;
      readonly document: WorkloadDocument;
      readonly seat: Seat;
      readonly rank: number;
      readonly worldSize: number;
      /** Where rank 0 stands. */
      readonly masterNode: NodeName;
    }
  | { readonly kind: 'bind-pod'; readonly found: BindOrder['found']; readonly seat: Seat }
  /** `isStray`: it occupies nothing in the ledger. */
  | { readonly kind: 'delete-pod'; readonly isStray: boolean }
);

/** `retry`: not before so many milliseconds from now. */
export type IntentOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: string; readonly retry: 'elsewhere' | 'never' }
  | { readonly kind: 'retry'; readonly inMs: number };

/** What an operator wants of a virtual node; it stays, the newest alone, until the driver has carried it out. */
export interface NodeWish {
  readonly node: NodeName;
  readonly wish: 'fail' | 'restore';
}

/** Thrown when this scheduler leads no more: stop deciding, rebuild when elected again. */
export class StaleEpochError extends Error {
  constructor(readonly epoch: number) {
    super(`epoch ${epoch} has ended: another scheduler leads`);
    this.name = 'StaleEpochError';
  }
}

/**
 * Port: the truth about who holds what. Each method is one transaction (`commit`: one for all sets, with a savepoint
 * each) and, but for the reads, refuses a stale epoch by throwing `StaleEpochError`.
 */
export abstract class Ledger {
  /**
   * Takes the leadership when it is free, expired, of a leader whose process has ended, or the holder's own of an earlier term: the epoch rises, so that
   * the ids of a rebuilt core never meet those of the last one. `undefined`: another leads.
   */
  abstract campaign(holder: string, ttlMs: number): Promise<Leadership | undefined>;
  /** Goes on with the term; the epoch stays. */
  abstract renew(leadership: Leadership, ttlMs: number): Promise<void>;
  /** Gives the leadership back at once; harmless when lost already. */
  abstract resign(leadership: Leadership): Promise<void>;
  abstract load(): Promise<LedgerState>;
  abstract commandsAfter(
    cursor: CommandCursor,
    limit: number,
  ): Promise<{ readonly commands: readonly Command[]; readonly cursor: CommandCursor }>;
  /** Stores decisions, claims, charges, states and intents; the answer has one outcome for each set, in order. */
  abstract commit(leadership: Leadership, sets: readonly DecisionSet[]): Promise<readonly SetOutcome[]>;
  /**
   * Stores what the driver saw: nodes and slots, states and ends of pods, found workloads, and the workload states that
   * follow. Answers with the ids of found workloads that are none: they have finished, or their queue is gone.
   */
  abstract observe(leadership: Leadership, observations: readonly Observation[]): Promise<ReadonlySet<string>>;
  /** Intents that are due, oldest first, without those of these ids. */
  abstract dueIntents(limit: number, except?: Iterable<string>): Promise<readonly Intent[]>;
  abstract settleIntents(
    leadership: Leadership,
    outcomes: readonly { readonly id: string; readonly outcome: IntentOutcome }[],
  ): Promise<void>;
  abstract nodeWishes(): Promise<readonly NodeWish[]>;
  /** They are carried out; a node of which something else is wanted by now keeps that wish. */
  abstract settleWishes(leadership: Leadership, wishes: readonly NodeWish[]): Promise<void>;
}
