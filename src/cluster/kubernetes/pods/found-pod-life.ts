import type { KubePod } from '../kube-types.js';
import {
  hasStopped,
  isLostWithNode,
  isTerminal,
  refusedByKubelet,
  stopOf,
  type Ended,
  type PodLife,
  type Terminated,
} from './pod-life.js';

/**
 * Reads a pod that Berth has bound and somebody else has made. It may have several containers, and the kubelet may start
 * them again: so only its phase says that it has ended, and from its binding to its end it counts as started. Pure.
 */
export function lifeOfFound(pod: KubePod): PodLife {
  if (isTerminal(pod)) return { phase: 'ended', ...endOf(pod), isGone: hasStopped(pod) };
  return { phase: pod.spec?.nodeName === undefined ? 'pending' : 'started', isGone: false };
}

interface ContainerEnd {
  readonly name: string;
  readonly terminated: Terminated;
}

function endOf(pod: KubePod): Ended {
  const { phase, reason = '', message = '' } = pod.status ?? {};
  const ends = endsOfContainers(pod);
  const stop = stopOf(pod);
  if (ends.some(({ terminated }) => isLostWithNode(terminated)))
    return { end: { outcome: 'lost', blame: 'node' }, detail: 'The pod was lost with its node.' };
  // Whoever was asked to stop may do so with code 0, and has done no more of its work than others.
  if (stop !== undefined) return { end: stop.end, detail: stop.sentence };
  if (phase === 'Succeeded')
    return {
      end: { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
      detail: 'Its containers exited with code 0.',
    };
  if (reason === 'DeadlineExceeded')
    return { end: { outcome: 'failed', blame: 'workload' }, detail: `${reason}: the pod ran longer than it may.` };
  const failed = ends.find(({ terminated }) => terminated.exitCode !== 0);
  if (failed !== undefined) return endOfFailed(failed);
  if (reason !== '') return refusedByKubelet(reason, message);
  return { end: { outcome: 'failed', blame: 'workload' }, detail: 'The pod has failed, and nobody says why.' };
}

/** Those that do its work come first. */
function endsOfContainers({ status = {} }: KubePod): readonly ContainerEnd[] {
  const { containerStatuses = [], initContainerStatuses = [] } = status;
  return [...containerStatuses, ...initContainerStatuses].flatMap(({ name, state }) =>
    state?.terminated === undefined ? [] : [{ name, terminated: state.terminated }],
  );
}

function endOfFailed({ name, terminated: { exitCode, reason = '' } }: ContainerEnd): Ended {
  const cause = reason === '' || reason === 'Error' ? '' : `, ${reason}`;
  return {
    end: { outcome: 'failed', blame: 'workload', exitCode },
    detail: `The container ${name} exited with code ${exitCode}${cause}.`,
  };
}
