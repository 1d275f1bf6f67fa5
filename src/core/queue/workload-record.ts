import type {
  Charge,
  Constraint,
  Ms,
  NodeName,
  Order,
  PodRef,
  PodSetSpec,
  Seat,
  SetId,
  WorkloadId,
  WorkloadSpec,
} from '../contract/index.js';
import { podNeed } from '../pod-need.js';

/** How the members of the present incarnation change while it runs. */
export interface Membership {
  /** Rises with each change of who belongs to it; 0 at its start. */
  readonly round: number;
  /** By pod set, the first index that was never used. */
  readonly nextIndex: Readonly<Record<string, number>>;
  /** By pod set, how many of its pods have succeeded and are released. */
  readonly done: Readonly<Record<string, number>>;
  /** It shrank, or pods that it grew by failed: it does not grow before this time. */
  readonly growNotBeforeMs: Ms | undefined;
}

export const FIRST_ROUND: Membership = { round: 0, nextIndex: {}, done: {}, growNotBeforeMs: undefined };

/**
 * One workload as the core knows it; a change makes a new record (`WorkloadBook.change`). Fields that come and go are
 * `| undefined` and not optional, so that a change can take them away.
 */
export interface WorkloadRecord {
  readonly spec: WorkloadSpec;
  readonly state: 'pending' | 'starting' | 'running' | 'evicting';
  /** The last one committed, or assumed while its start is in flight; 0 before the first. */
  readonly incarnation: number;
  readonly retries: number;
  /** Starts and growths in a row that did not come up; resets when all pods run. */
  readonly startFailures: number;
  /** When the start of this incarnation was decided; while it has claims. Run time counts from here. */
  readonly startedAtMs: Ms | undefined;
  /** While evicting: when that was committed. */
  readonly evictedAtMs: Ms | undefined;
  /** When it will end by what it said last of its progress; of this incarnation. */
  readonly progressEndMs: Ms | undefined;
  /** When its last checkpoint was saved; of this incarnation. */
  readonly checkpointAtMs: Ms | undefined;
  /** Run time that earlier incarnations have saved. */
  readonly workDoneMs: Ms;
  /** What it takes in all by what an earlier incarnation said last of its progress, in place of the estimate. */
  readonly expectedMs: Ms | undefined;
  /** What evictions cost it, in thousandths of a device x seconds; forgotten after a day. */
  readonly losses: readonly { readonly atMs: Ms; readonly lost: number }[];
  /** An eviction of it was refused: it is no victim before this time. */
  readonly protectedUntilMs: Ms | undefined;
  /** Who evicted it last: that one it does not evict in return, unless priorities, quotas or the policy changed since. */
  readonly evictedBy: EvictedBy | undefined;
  /** Its place broke while it waited for its victims: it evicts nobody before this time. */
  readonly evictsFromMs: Ms | undefined;
  /** Its end is decided, and it is to be started anew before anybody else; until that was tried, once. */
  readonly repair: Repair | undefined;
  /** While pending and blocked: then somebody's protection ends, or the brake, or its own patience. */
  readonly tryAgainAtMs: Ms | undefined;
  /** What it depends on and that has not succeeded; nothing any more once it has started. */
  readonly waitsOn: readonly WorkloadId[];
  /** While pending: not before this time. */
  readonly notBeforeMs: Ms | undefined;
  /** All pods must run by then: of a start, or those that a running one grew by. */
  readonly startByMs: Ms | undefined;
  readonly membership: Membership;
  /** While evicting: what becomes of it when its pods are gone. */
  readonly then: 'requeue' | 'fail' | 'end' | undefined;
  readonly cancelRequested: boolean;
  /** What it pays now. */
  readonly charges: readonly Charge[];
  /** The set that decides about it and is not answered yet. */
  readonly inFlight: SetId | undefined;
  /** After a refused set: nothing is decided before this time, or until the node or queue `at` changes. */
  readonly pause: { readonly untilMs: Ms; readonly at: string | undefined } | undefined;
  /** Nodes that refused its pods; forgotten when they change, and at this time. */
  readonly avoid: { readonly nodes: readonly NodeName[]; readonly untilMs: Ms } | undefined;
  /** The constraint last told while it waits outside of any group: held, in backoff, paused. */
  readonly told: Constraint['kind'] | undefined;
}

/** What a gang had that must be started anew, and not for want of time or luck of its own. */
export interface Repair {
  /** Of its pods that were not lost. */
  readonly seats: readonly Seat[];
  /** Pods of others that its own waited for: its place broke before they had left it. */
  readonly behind: readonly PodRef[];
}

/** `rights`: the version of what rights follow from, at the time. */
export interface EvictedBy {
  readonly workload: WorkloadId;
  readonly incarnation: number;
  readonly rights: number;
}

/** Is it its turn to be visited, as far as it depends on itself? */
export function isWaiting(record: WorkloadRecord): boolean {
  return (
    record.state === 'pending' &&
    !record.spec.hold &&
    !record.cancelRequested &&
    record.waitsOn.length === 0 &&
    record.notBeforeMs === undefined &&
    record.pause === undefined &&
    record.inFlight === undefined
  );
}

/** Does it keep what is planned for it? It waits for its turn, or until a refusal is over. */
export function keepsItsPlan(record: WorkloadRecord): boolean {
  return isWaiting(record.pause === undefined ? record : { ...record, pause: undefined });
}

/** When its limit ends the present incarnation. */
export function limitEndMs({ startedAtMs, spec }: WorkloadRecord): Ms | undefined {
  return startedAtMs === undefined || spec.limitMs === undefined ? undefined : startedAtMs + spec.limitMs;
}

/**
 * The next time at which the clock alone changes something for it. The deadline of a start means nothing before the
 * set in flight is answered or a pause is over: looked at too early it would be missed when it matters.
 */
export function dueAtMs(record: WorkloadRecord): Ms | undefined {
  const isStarted = record.state === 'starting' || record.state === 'running';
  const mayEnd = isStarted && record.inFlight === undefined && record.pause === undefined;
  const times = [
    record.state === 'pending' ? record.notBeforeMs : undefined,
    record.state === 'pending' ? record.tryAgainAtMs : undefined,
    mayEnd ? record.startByMs : undefined,
    mayEnd ? limitEndMs(record) : undefined,
    record.pause?.untilMs,
    record.avoid?.untilMs,
    isStarted ? record.membership.growNotBeforeMs : undefined,
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * Equal keys: what the first in the order cannot do, no other can. Rights over what runs grow with priority, so where
 * the order does not put the highest first, only equals in priority are together.
 */
export function groupKeyOf({ spec, avoid }: WorkloadRecord, order: Order): string {
  const priority = order === 'fair' ? undefined : spec.priority;
  return JSON.stringify([spec.queue, spec.podSets.map(needOf), avoid === undefined ? '' : spec.id, priority]);
}

function needOf(podSet: PodSetSpec): readonly unknown[] {
  const { count, minCount, flavors, topology, start, onLoss } = podSet;
  const size = topology?.kind === 'slice' ? topology.size : undefined;
  return [count, minCount, flavors, podNeed(podSet), topology?.kind, topology?.level, size, start, onLoss];
}
