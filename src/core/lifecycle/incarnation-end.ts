import type { EvictReason, Ms, NodeState } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import { limitEndMs } from '../queue/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { backoffMs } from './backoff.js';
import { meaningOf } from './pod-end.js';
import { minimumOf } from '../start/index.js';
import { claimedPods, doneOf, isSilent, missingOf, podsOfSet } from './pod-counts.js';

/** What is to become of a started workload now. */
export type IncarnationFate =
  | {
      readonly kind: 'goes-on';
      /** Dead beyond the minimum, or to be replaced: their claims end. */
      readonly lost: readonly PodRecord[];
      /** Did not come up in time, and can be spared: they are given up. */
      readonly late: readonly PodRecord[];
      /** Have succeeded, and others of their set are still to be started: their claims end. */
      readonly done: readonly PodRecord[];
      readonly isUp: boolean;
    }
  | { readonly kind: 'succeeded' }
  | {
      readonly kind: 'ends';
      readonly reason: EvictReason;
      readonly then: 'requeue' | 'fail' | 'end';
      readonly retries: number;
      readonly startFailures: number;
      readonly notBeforeMs: Ms | undefined;
    };

/** In these states a node keeps no work; the rest of `reliability` (suspect, quarantined) lets it run. */
const DRAINING_STATES: ReadonlySet<NodeState> = new Set(['draining', 'repairing', 'validating', 'retired']);

/** The fate of a workload that is starting or running, from what is known of its pods. Changes nothing. */
export function fateOf(state: CoreState, record: WorkloadRecord, nowMs: Ms): IncarnationFate {
  const { retries, startFailures } = record;
  const atOnce = { retries, startFailures, notBeforeMs: undefined };
  if (record.cancelRequested) return { kind: 'ends', reason: 'cancelled', then: 'end', ...atOnce };
  const pods = claimedPods(state, record);
  const isFatal = pods.some(({ end }) => end !== undefined && meaningOf(end) === 'fatal');
  if (isFatal) return { kind: 'ends', reason: 'failed', then: 'fail', ...atOnce };
  const moved = pods.map((pod) => whyMoved(state, pod)).find((reason) => reason !== undefined);
  if (moved !== undefined) return { kind: 'ends', reason: moved, then: 'requeue', ...atOnce };
  if (pods.some((pod) => waitsInVain(state, pod))) {
    return { kind: 'ends', reason: 'gang-incomplete', then: 'requeue', ...atOnce };
  }
  const dead = pods.filter((pod) => isDead(state, pod));
  if (isBelowMinimum(record, pods, dead)) return endOfGang(state, record, { dead, nowMs });
  const living = pods.filter((pod) => !dead.includes(pod));
  const short = record.spec.podSets.filter((podSet) => podSet.start === 'each' && missingOf(record, pods, podSet) > 0);
  if (short.length === 0 && living.every(({ end }) => end !== undefined)) return { kind: 'succeeded' };
  const done = short.flatMap((podSet) => podsOfSet(living, podSet).filter(({ end }) => end !== undefined));
  const isUp = ({ started, end }: PodRecord) => started || end !== undefined;
  const isTooLate = record.startByMs !== undefined && nowMs >= record.startByMs;
  const late = isTooLate ? living.filter((pod) => !isUp(pod)) : [];
  if (late.length > 0 && isBelowMinimum(record, pods, [...dead, ...late])) return tryLater(state, record, nowMs);
  if (isOverLimit(record, nowMs)) return { kind: 'ends', reason: 'over-limit', then: 'fail', ...atOnce };
  return { kind: 'goes-on', lost: dead, late, done, isUp: living.every((pod) => isUp(pod) || late.includes(pod)) };
}

/** What comes after an eviction that is no failure. Pods that others made cannot be made again once they were bound. */
export function afterEviction({ spec }: WorkloadRecord, pods: readonly PodRecord[]): 'requeue' | 'end' {
  return spec.isFound === true && pods.some(({ occupancy, started }) => occupancy === 'present' || started)
    ? 'end'
    : 'requeue';
}

function isOverLimit(record: WorkloadRecord, nowMs: Ms): boolean {
  const endMs = limitEndMs(record);
  return endMs !== undefined && nowMs >= endMs;
}

/** Dead for its gang: ended other than by success, or on a node that is lost. */
function isDead(state: CoreState, pod: PodRecord): boolean {
  return pod.end === undefined ? isSilent(state, pod) : meaningOf(pod.end) !== 'succeeded';
}

/** It waits for a pod that was asked to go and stays. A hold is whole or nothing, so all of it is given back. */
function waitsInVain(state: CoreState, { waitsFor }: PodRecord): boolean {
  return waitsFor?.some((ref) => state.pods.find(ref)?.staysUntilMs !== undefined) ?? false;
}

/** A node or device that must be left, though the pod still runs there. */
function whyMoved(state: CoreState, pod: PodRecord): EvictReason | undefined {
  if (pod.end !== undefined) return undefined;
  const node = state.fleet.recordOf(state.fleet.rowOf(pod.seat.node));
  if (DRAINING_STATES.has(node.state)) return 'drained';
  const failed = node.sickSlots.filter((sick) => sick.state === 'failed').map(({ slot }) => slot);
  return pod.seat.slots.some(({ slot }) => failed.includes(slot)) ? 'device-failed' : undefined;
}

/**
 * Pods that are replaced one by one do not take the others with them, as long as one is left. A set of which all that
 * it had have succeeded waits for the rest.
 */
function isBelowMinimum(record: WorkloadRecord, pods: readonly PodRecord[], dead: readonly PodRecord[]): boolean {
  return record.spec.podSets.some((podSet) => {
    const ofSet = (pod: PodRecord) => pod.seat.pod.podSet === podSet.name;
    const least = podSet.onLoss === 'replace' ? Math.min(1, podSet.count) : minimumOf(podSet);
    const lost = dead.filter(ofSet).length;
    const isBetween = podSet.start === 'each' && lost === 0 && doneOf(record, podSet) > 0;
    return !isBetween && pods.filter(ofSet).length - lost < least;
  });
}

/** The first cause counts: when one pod fails, its peers often fail of that. */
function endOfGang(
  state: CoreState,
  record: WorkloadRecord,
  { dead, nowMs }: { readonly dead: readonly PodRecord[]; readonly nowMs: Ms },
): IncarnationFate {
  const { retries, startFailures, spec } = record;
  const first = firstToEnd(dead);
  const meaning = first?.end === undefined ? 'not-its-fault' : meaningOf(first.end);
  if (meaning === 'refused' || meaning === 'asks-again') return tryLater(state, record, nowMs);
  if (meaning !== 'own-fault') {
    const isLost = first !== undefined && (first.end === undefined || first.end.outcome === 'lost');
    const reason = isLost ? 'node-lost' : 'gang-incomplete';
    return { kind: 'ends', reason, then: 'requeue', retries, startFailures, notBeforeMs: undefined };
  }
  if (retries >= spec.maxRetries) {
    return { kind: 'ends', reason: 'failed', then: 'fail', retries, startFailures, notBeforeMs: undefined };
  }
  const notBeforeMs = nowMs + backoffMs(state.policy.retry, retries + 1);
  return { kind: 'ends', reason: 'gang-incomplete', then: 'requeue', retries: retries + 1, startFailures, notBeforeMs };
}

/** A start that does not come up, or a program that asks for another, is no failure, but must not go in a circle. */
function tryLater(state: CoreState, record: WorkloadRecord, nowMs: Ms): IncarnationFate {
  const startFailures = record.startFailures + 1;
  const notBeforeMs = nowMs + backoffMs(state.policy.retry, startFailures);
  const { retries } = record;
  return { kind: 'ends', reason: 'gang-incomplete', then: 'requeue', retries, startFailures, notBeforeMs };
}

/** By the number of the event that told the end; pods of silent nodes, of which none was told, come last. */
function firstToEnd(dead: readonly PodRecord[]): PodRecord | undefined {
  let first: PodRecord | undefined;
  for (const pod of dead) {
    if (first === undefined || (pod.endSeq ?? Infinity) < (first.endSeq ?? Infinity)) first = pod;
  }
  return first;
}
