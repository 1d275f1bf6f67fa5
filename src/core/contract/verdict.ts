import type { FlavorName, Milli, Ms, NodeName, QueueName, TopologyLevel, WorkloadId } from './specs.js';

export interface Holder {
  readonly workload: WorkloadId;
  readonly amount: number;
}

export interface Shortage {
  readonly flavor?: FlavorName;
  readonly resource: 'devices' | 'cpu' | 'memory' | 'pods';
  /** In milli for devices and CPU, MiB for memory. */
  readonly short: number;
  readonly holders: readonly Holder[];
}

/** A planned start that would move if the workload started now. */
export interface PlanAhead {
  readonly workload: WorkloadId;
  readonly startMs: Ms;
}

/** Why a workload waits. The first that binds is named, in the order: hold, dependency, selector, quota, priority, topology, gang, node-state, capacity. */
export type Constraint =
  | { readonly kind: 'hold'; readonly by: string; readonly untilMs?: Ms }
  | { readonly kind: 'dependency'; readonly on: readonly WorkloadId[] }
  | {
      readonly kind: 'selector';
      readonly ruledOut: readonly {
        readonly by: 'label' | 'affinity' | 'volume' | 'rule' | 'taint' | 'model' | 'memory' | 'size';
        readonly value: string;
        readonly nodes: number;
      }[];
    }
  | ({ readonly kind: 'quota'; readonly queue: QueueName } & Shortage)
  /** Others come first, `behind` the first of them; when there are none, the next settle decides. */
  | { readonly kind: 'priority'; readonly behind?: WorkloadId; readonly ahead: number; readonly plan?: PlanAhead }
  | {
      readonly kind: 'topology';
      readonly level: TopologyLevel;
      readonly podsNeeded: number;
      /** In the best domain; of slices in all domains, whole slices only. */
      readonly podsAtBest: number;
      readonly best: string;
      readonly sliceSize?: number;
    }
  | { readonly kind: 'gang'; readonly podsNeeded: number; readonly podsThatFit: number }
  | { readonly kind: 'node-state'; readonly nodes: readonly NodeName[] }
  | ({ readonly kind: 'capacity' } & Shortage);

/** One thing that, done, would start the workload. */
export type Change =
  | { readonly kind: 'raise-quota'; readonly queue: QueueName; readonly flavor: FlavorName; readonly milli: Milli }
  | {
      readonly kind: 'free-devices';
      readonly domain: string;
      readonly flavor: FlavorName;
      readonly nodes: number;
      readonly perNode: number;
    }
  | { readonly kind: 'end-workloads'; readonly workloads: readonly WorkloadId[] }
  | { readonly kind: 'heal-nodes'; readonly nodes: readonly NodeName[] }
  | {
      readonly kind: 'drop-requirement';
      readonly podSet: string;
      readonly requirement: 'topology' | 'selector' | 'tolerations';
      readonly level?: TopologyLevel;
    }
  | { readonly kind: 'ask-less'; readonly podSet: string; readonly count: number }
  | { readonly kind: 'lift-hold' }
  | { readonly kind: 'raise-priority'; readonly to: number }
  | { readonly kind: 'finish-dependency'; readonly workloads: readonly WorkloadId[] };

export interface Verdict {
  readonly kind: 'pending';
  readonly workload: WorkloadId;
  /** The number of the last event the answer takes into account. */
  readonly seq: number;
  readonly binding: Constraint;
  readonly also: readonly Constraint[];
  /** The smallest change that starts the workload, checked by trying it; empty when none was found. */
  readonly change: readonly Change[];
  readonly searched: 'complete' | 'partial';
  /** When it is expected to start: the 80 % interval, from its plan and the errors of past estimates of its queue. */
  readonly eta?: { readonly lowMs: Ms; readonly likelyMs: Ms; readonly highMs: Ms };
}

export type Explanation = Verdict | { readonly kind: 'not-pending' } | { readonly kind: 'unknown-workload' };
