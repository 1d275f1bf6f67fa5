import type { PodRef, Seat, SetId } from './decision.js';
import type { Policy } from './policy.js';
import type {
  FlavorName,
  FlavorSpec,
  Ms,
  NodeName,
  NodeSpec,
  NodeState,
  QueueName,
  QueueSpec,
  Resources,
  WorkloadChange,
  WorkloadId,
  WorkloadSpec,
} from './specs.js';

/** How a pod ended, and whose fault it was. */
export interface PodEnd {
  readonly outcome: 'succeeded' | 'failed' | 'evicted' | 'deleted' | 'lost';
  readonly blame: 'workload' | 'node' | 'scheduler';
  readonly exitCode?: number;
}

/**
 * Everything the core may learn. `seq` rises by one. `apply` is total: an event that does not fit the state (unknown
 * pod, older incarnation, seen before) changes nothing and is counted.
 */
export type SchedulerEvent = { readonly seq: number; readonly atMs: Ms } & SchedulerInput;

export type SchedulerInput =
  // commands
  | { readonly kind: 'policy-set'; readonly policy: Policy }
  | { readonly kind: 'queue-set'; readonly queue: QueueSpec }
  | { readonly kind: 'queue-removed'; readonly queue: QueueName }
  | { readonly kind: 'flavor-set'; readonly flavor: FlavorSpec }
  | { readonly kind: 'flavor-removed'; readonly flavor: FlavorName }
  | { readonly kind: 'workload-submitted'; readonly workload: WorkloadSpec }
  | { readonly kind: 'workload-changed'; readonly workload: WorkloadId; readonly change: WorkloadChange }
  | { readonly kind: 'workload-cancelled'; readonly workload: WorkloadId }
  // observations of the fleet: seen = new or changed; equal content is a no-op
  | { readonly kind: 'node-seen'; readonly node: NodeSpec }
  | { readonly kind: 'node-removed'; readonly node: NodeName }
  | {
      readonly kind: 'node-state-changed';
      readonly node: NodeName;
      readonly state: NodeState;
      readonly cause: string;
    }
  | {
      readonly kind: 'device-state-changed';
      readonly node: NodeName;
      readonly slot: number;
      readonly state: 'healthy' | 'suspect' | 'failed';
    }
  /** Evidence: nothing of before runs there. */
  | { readonly kind: 'node-fenced'; readonly node: NodeName }
  | {
      readonly kind: 'foreign-use-seen';
      readonly node: NodeName;
      readonly use: Resources;
      readonly slots: readonly number[];
    }
  // the life of a decision
  | { readonly kind: 'set-committed'; readonly set: SetId }
  | {
      readonly kind: 'set-refused';
      readonly set: SetId;
      readonly why: 'epoch' | 'quota' | 'slot' | 'node-state' | 'workload-state';
      /** The node or queue that was in the way. */
      readonly at?: string;
    }
  // observations of pods
  | { readonly kind: 'pod-bound'; readonly pod: PodRef }
  | { readonly kind: 'pod-started'; readonly pod: PodRef }
  /** Found by listing at start: the ledger's claim and the driver's pod agree on this seat. */
  | {
      readonly kind: 'pod-adopted';
      readonly seat: Seat;
      readonly state: 'expected' | 'bound' | 'started' | 'leaving';
      /** Pods that must be gone before this one may be bound, as its start named them. */
      readonly waitsFor?: readonly PodRef[];
      /** When its incarnation was started; absent: now. */
      readonly startedAtMs?: Ms;
    }
  /** Create, bind or admission failed for good. */
  | {
      readonly kind: 'pod-refused';
      readonly pod: PodRef;
      readonly why: string;
      readonly retry: 'elsewhere' | 'here' | 'never';
    }
  | ({ readonly kind: 'pod-ended'; readonly pod: PodRef } & PodEnd)
  /** Evidence that its slots are empty; may follow `pod-ended` late, or never. */
  | { readonly kind: 'pod-gone'; readonly pod: PodRef }
  | {
      readonly kind: 'checkpoint-saved';
      readonly workload: WorkloadId;
      readonly incarnation: number;
      readonly savedAtMs: Ms;
    }
  /** The eviction of a pod was refused, e.g. by a disruption budget; it may be asked again at that time. */
  | { readonly kind: 'eviction-refused'; readonly pod: PodRef; readonly retryAtMs: Ms }
  /** A better estimate of a running workload. */
  | { readonly kind: 'progress-seen'; readonly workload: WorkloadId; readonly remainingMs: Ms };
