import type { PodEnd } from '../../../core/index.js';
import type { KubeContainerStatus, KubePod } from '../kube-types.js';
import { ANNOTATION } from './pod-labels.js';

/** The container of the workload; others may be injected beside it. */
export const MAIN_CONTAINER = 'main';

/** How far a pod has come. `detail` is one sentence for people. */
export interface PodLife {
  /** `pending`: on no node yet. */
  readonly phase: 'pending' | 'bound' | 'started' | 'ended';
  readonly end?: PodEnd;
  readonly detail?: string;
  /** The kubelet says that nothing of it runs any more, so its devices are free. */
  readonly isGone: boolean;
}

const SIGKILL = 137;
export const NOT_ITS_FAULT = { outcome: 'failed', blame: 'node' } as const;

/** Reads a pod that Berth has created. Pure: the same object gives the same answer. */
export function lifeOf(pod: KubePod): PodLife {
  const { spec = {}, status = {} } = pod;
  const main = mainOf(status.containerStatuses);
  const end = endOf(pod, main);
  if (end !== undefined) return { phase: 'ended', ...end, isGone: isTerminal(pod) && hasStopped(pod) };
  if (spec.nodeName === undefined) return { phase: 'pending', isGone: false };
  if (main?.state?.running !== undefined) return { phase: 'started', isGone: false };
  const detail = whyNotStarted(pod, main);
  return { phase: 'bound', ...(detail !== undefined && { detail }), isGone: false };
}

/** The end of a pod that vanished from the API server before it was seen to end. */
export function endOfVanished(pod: KubePod): Pick<PodLife, 'end' | 'detail'> {
  const stop = stopOf(pod);
  if (stop !== undefined) return { end: stop.end, detail: stop.sentence };
  return { end: { outcome: 'deleted', blame: 'scheduler' }, detail: 'The pod was deleted.' };
}

/** Nothing of it runs again: a claim that {@link hasStopped} puts to the proof. */
export function isTerminal({ status = {} }: KubePod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

export interface Ended {
  readonly end: PodEnd;
  readonly detail: string;
}

function endOf(pod: KubePod, main: KubeContainerStatus | undefined): Ended | undefined {
  const terminated = main?.state?.terminated;
  const { reason = '', message = '' } = pod.status ?? {};
  // Seen a second before the phase, and it has the exit code.
  if (terminated !== undefined) return endOfProgram(pod, terminated);
  if (!isTerminal(pod)) return undefined;
  const stop = stopOf(pod);
  if (stop !== undefined) return { end: stop.end, detail: stop.sentence };
  const init = pod.status?.initContainerStatuses?.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  if (init !== undefined) {
    const exitCode = init.state?.terminated?.exitCode ?? 1;
    return {
      end: { outcome: 'failed', blame: 'workload', exitCode },
      detail: `The container ${init.name}, which prepares the pod, exited with code ${exitCode}.`,
    };
  }
  return refusedByKubelet(reason, message);
}

/** The kubelet admits by what it has, and knows better than any scheduler. It took nothing, so another try is free. */
export function refusedByKubelet(reason: string, message: string): Ended {
  const isScheduler = /^(OutOf|NodeAffinity$|TaintToleration|PodRequests|Unexpected)/.test(reason);
  const sentence = `The node did not run the pod: ${[reason, message].filter((text) => text !== '').join(': ')}`;
  return {
    end: isScheduler ? { outcome: 'failed', blame: 'scheduler' } : NOT_ITS_FAULT,
    detail: sentence.endsWith('.') ? sentence : `${sentence}.`,
  };
}

export type Terminated = NonNullable<NonNullable<KubeContainerStatus['state']>['terminated']>;

/** A pod that was asked to stop did not fail, whatever its exit code: only the trainer's 0 means that the work is done. */
function endOfProgram(pod: KubePod, terminated: Terminated): Ended {
  const { exitCode, reason = '', message = '' } = terminated;
  const how = `exited with code ${exitCode}`;
  const stop = stopOf(pod);
  const isTrainer = pod.metadata.annotations?.[ANNOTATION.program] === 'trainer';
  if (exitCode === 0 && (stop === undefined || isTrainer)) {
    return { end: { outcome: 'succeeded', blame: 'workload', exitCode }, detail: `The program ${how}.` };
  }
  if (isLostWithNode(terminated)) {
    return { end: { outcome: 'lost', blame: 'node', exitCode }, detail: 'The pod was lost with its node.' };
  }
  if (stop !== undefined) return { end: { ...stop.end, exitCode }, detail: `${stop.sentence} It ${how}.` };
  if (reason === 'OOMKilled') {
    const detail = `OOMKilled: the pod used more memory than its limit${limitOf(pod)}. Ask for more memory.`;
    return { end: { outcome: 'failed', blame: 'workload', exitCode: SIGKILL }, detail };
  }
  if (reason === 'StartError' || reason === 'ContainerCannotRun') {
    const detail = `The program could not be started: ${message || reason}`;
    return { end: { outcome: 'failed', blame: 'workload', exitCode }, detail };
  }
  return { end: { outcome: 'failed', blame: 'workload', exitCode }, detail: `The program ${how}.` };
}

/** A kubelet that came back and does not find the container that it had started says so. */
export function isLostWithNode({ exitCode, reason = '' }: Terminated): boolean {
  return (exitCode === 255 && reason === 'Unknown') || reason === 'ContainerStatusUnknown';
}

interface Stop {
  readonly end: PodEnd;
  readonly sentence: string;
}

/** Why it was asked to stop: whoever evicts says so in a condition, and a plain deletion says nothing. */
export function stopOf({ metadata, status = {} }: KubePod): Stop | undefined {
  const disruption = status.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (disruption !== undefined) {
    const { reason = '', message = '' } = disruption;
    const isLost = reason === 'DeletionByPodGC';
    const words = message === '' ? reason : message.replace(/\.$/, '');
    return isLost
      ? { end: { outcome: 'lost', blame: 'node' }, sentence: `The node of the pod is gone: ${words}.` }
      : { end: { outcome: 'evicted', blame: blameOf(reason) }, sentence: `The pod was evicted: ${words}.` };
  }
  if (status.reason === 'Evicted') {
    // The kubelet, which is short of memory or disk, or an older version of Kubernetes.
    return { end: { outcome: 'evicted', blame: 'node' }, sentence: `The pod was evicted: ${status.message ?? ''}` };
  }
  if (metadata.deletionTimestamp === undefined) return undefined;
  return { end: { outcome: 'deleted', blame: 'scheduler' }, sentence: 'The pod was asked to stop.' };
}

function blameOf(reason: string): PodEnd['blame'] {
  return reason === 'TerminationByKubelet' || reason === 'DeletionByTaintManager' ? 'node' : 'scheduler';
}

function limitOf({ spec = {} }: KubePod): string {
  const memory = spec.containers?.find(({ name }) => name === MAIN_CONTAINER)?.resources?.limits?.['memory'];
  return memory === undefined ? '' : `, ${memory}`;
}

/**
 * A terminal phase alone is no evidence: the control plane sets it, too, for pods of nodes that are gone. The kubelet
 * sets it with the ends of all containers, or before it has started any.
 */
export function hasStopped({ status = {} }: KubePod): boolean {
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const isOfControlPlane = status.conditions?.some(({ reason }) => reason === 'DeletionByPodGC') ?? false;
  if (statuses.length === 0) return !isOfControlPlane;
  return statuses.every(({ state }) => state?.running === undefined);
}

function mainOf(statuses: readonly KubeContainerStatus[] = []): KubeContainerStatus | undefined {
  return statuses.find(({ name }) => name === MAIN_CONTAINER);
}

const BAD_IMAGE = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull']);

/** What keeps it from starting, where somebody should know. It stays bound: its workload gives up by its own deadline. */
function whyNotStarted(pod: KubePod, main: KubeContainerStatus | undefined): string | undefined {
  const { reason = '', message = '' } = main?.state?.waiting ?? {};
  if (BAD_IMAGE.has(reason)) return `The image cannot be pulled: ${message || reason}`;
  if (reason.endsWith('Error')) return `The container cannot be created: ${message || reason}`;
  const unready = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return unready?.message;
}
