import type { FlavorName, Milli, Ms, NodeName, QueueName, WorkloadId } from './specs.js';
import type { Constraint } from './verdict.js';

/** A counter kept in the snapshot: the same events give the same ids. The ledger pairs it with its epoch. */
export type DecisionId = number;
/** Decisions of one set are committed together or refused together. */
export type SetId = number;

/** Which pod: the `index` of a pod set is never used twice in an incarnation. */
export interface PodRef {
  readonly workload: WorkloadId;
  readonly incarnation: number;
  readonly podSet: string;
  readonly index: number;
}

export interface SlotShare {
  readonly slot: number;
  readonly milli: Milli;
  /** A partition of the device: its profile, and the eighth of the memory at which it begins. */
  readonly profile?: string;
  readonly position?: number;
}

/** Where a pod stands and on which devices; `cpuMilli` and `memoryMib` are what it takes of the node besides. */
export interface Seat {
  readonly pod: PodRef;
  readonly node: NodeName;
  readonly slots: readonly SlotShare[];
  readonly cpuMilli: Milli;
  readonly memoryMib: number;
}

/** What a queue pays for a workload, in milli of the flavor; charged along the whole path to the root. */
export interface Charge {
  readonly queue: QueueName;
  readonly flavor: FlavorName;
  readonly milli: Milli;
}

export type EvictReason =
  | 'preempted'
  | 'reclaimed'
  | 'fair-share'
  | 'order'
  | 'drained'
  | 'node-lost'
  | 'device-failed'
  | 'gang-incomplete'
  | 'over-limit'
  | 'quota-lowered'
  | 'cancelled'
  | 'failed';

/** Which rule decided, and the numbers it looked at. */
export interface Because {
  readonly rule: string;
  readonly facts: Readonly<Record<string, string | number>>;
}

export type Decision = {
  /** Rises in the order in which a core decides; starts that may still grow are said after later decisions. */
  readonly id: DecisionId;
  readonly set: SetId;
  readonly workload: WorkloadId;
  readonly because: Because;
} & (
  | {
      readonly kind: 'start';
      readonly incarnation: number;
      readonly seats: readonly Seat[];
      readonly charges: readonly Charge[];
      /** Pods still on these nodes: each seat's pod is bound when those of its node are gone. */
      readonly waitsFor: readonly PodRef[];
      readonly startByMs: Ms;
      /** From the estimate or the limit, the earlier. */
      readonly plannedEndMs?: Ms;
    }
  | {
      /** More pods for a running elastic workload: same incarnation, next round. */
      readonly kind: 'grow';
      readonly incarnation: number;
      readonly seats: readonly Seat[];
      readonly charges: readonly Charge[];
      readonly waitsFor: readonly PodRef[];
      readonly startByMs: Ms;
    }
  | {
      /** An elastic workload gives up pods above its minimum: they are stopped, the others go on in the next round. */
      readonly kind: 'shrink';
      readonly incarnation: number;
      readonly pods: readonly PodRef[];
      readonly charges: readonly Charge[];
      readonly for?: WorkloadId;
    }
  | {
      /** Stop these pods and end their claims; `then` says what becomes of the workload when they are gone. */
      readonly kind: 'evict';
      readonly incarnation: number;
      readonly pods: readonly PodRef[];
      readonly charges: readonly Charge[];
      readonly reason: EvictReason;
      readonly for?: WorkloadId;
      readonly then: 'requeue' | 'fail' | 'end';
      /** With `requeue` after a failure: not before this time, and the number of retries then used. */
      readonly notBeforeMs?: Ms;
      readonly retries: number;
      /** Device-time since the last checkpoint, in thousandths of a device x seconds. */
      readonly workLostMilliDeviceSeconds?: number;
    }
  | {
      /** Claims that never became pods, or whose pods have ended. */
      readonly kind: 'release';
      readonly pods: readonly PodRef[];
      readonly charges: readonly Charge[];
    }
  | { readonly kind: 'finish'; readonly outcome: 'succeeded' | 'failed' | 'cancelled' }
  | {
      /** A start that is expected, on these nodes; for display and not in the ledger. `standing`: keeps what comes free. */
      readonly kind: 'plan';
      readonly startMs: Ms;
      readonly seats: readonly Seat[];
      readonly holds: 'from-start' | 'standing';
    }
  | { readonly kind: 'unplan' }
  | {
      /** Only when the binding constraint of a group of equal workloads changes. */
      readonly kind: 'wait';
      readonly workloads: readonly WorkloadId[];
      readonly binding: Constraint['kind'];
    }
);

const DISPLAYED: ReadonlySet<Decision['kind']> = new Set(['plan', 'unplan', 'wait']);

/** Words for display decide about nobody's right: their sets are in no ledger and are never answered. */
export function isForDisplay(
  decision: Decision,
): decision is Extract<Decision, { readonly kind: 'plan' | 'unplan' | 'wait' }> {
  return DISPLAYED.has(decision.kind);
}

export interface Settlement {
  readonly decisions: readonly Decision[];
  /** The next time at which `decide` could decide something without an event. */
  readonly wakeAtMs: Ms | undefined;
  /** The step budget was used up: decide again. */
  readonly truncated: boolean;
}
