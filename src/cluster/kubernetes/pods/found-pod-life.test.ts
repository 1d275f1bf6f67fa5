import { describe, expect, it } from '@jest/globals';
import { lifeOfFound } from './found-pod-life.js';
import type { KubeCondition, KubeContainerStatus, KubePod } from '../kube-types.js';

type Status = NonNullable<KubePod['status']>;

interface Wishes extends Status {
  readonly node?: string;
  readonly deleted?: boolean;
}

function aPod({ node = 'a', deleted = false, ...status }: Wishes): KubePod {
  const metadata = { name: 'p', uid: 'uid-p', ...(deleted && { deletionTimestamp: '2026-01-01T00:00:00Z' }) };
  return { metadata, spec: node === '' ? {} : { nodeName: node }, status };
}

function exited(name: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): KubeContainerStatus {
  return { name, state: { terminated: { exitCode, reason } } };
}

function running(name: string): KubeContainerStatus {
  return { name, state: { running: {} } };
}

function disrupted(reason: string): readonly KubeCondition[] {
  return [{ type: 'DisruptionTarget', status: 'True', reason, message: 'by a test' }];
}

const LIVING: Record<string, { pod: Wishes; phase: string }> = {
  'is pending until it is bound': { pod: { node: '', phase: 'Pending' }, phase: 'pending' },
  'has started as soon as it is bound': { pod: { phase: 'Pending' }, phase: 'started' },
  'goes on when one of its containers has ended': {
    pod: { phase: 'Running', containerStatuses: [exited('a', 0), running('b')] },
    phase: 'started',
  },
  'goes on when all of them have ended, because they may be started again': {
    pod: { phase: 'Running', containerStatuses: [exited('a', 1), exited('b', 1)] },
    phase: 'started',
  },
  'goes on until it has done what it was asked to': { pod: { phase: 'Running', deleted: true }, phase: 'started' },
};

const ENDS: Record<string, { pod: Wishes; want: object; detail: string; isGone?: boolean }> = {
  'succeeded when all containers did': {
    pod: { phase: 'Succeeded', containerStatuses: [exited('a', 0), exited('b', 0)] },
    want: { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
    detail: 'Its containers exited with code 0.',
  },
  'failed with the container that failed': {
    pod: { phase: 'Failed', containerStatuses: [exited('a', 0), exited('b', 3)] },
    want: { outcome: 'failed', blame: 'workload', exitCode: 3 },
    detail: 'The container b exited with code 3.',
  },
  'failed for want of memory': {
    pod: { phase: 'Failed', containerStatuses: [exited('a', 137, 'OOMKilled')] },
    want: { outcome: 'failed', blame: 'workload', exitCode: 137 },
    detail: 'The container a exited with code 137, OOMKilled.',
  },
  'failed before its containers began': {
    pod: { phase: 'Failed', initContainerStatuses: [exited('fetch', 4)], containerStatuses: [{ name: 'a' }] },
    want: { outcome: 'failed', blame: 'workload', exitCode: 4 },
    detail: 'The container fetch exited with code 4.',
  },
  'failed at a deadline of its own': {
    pod: { phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses: [exited('a', 137)] },
    want: { outcome: 'failed', blame: 'workload' },
    detail: 'DeadlineExceeded: the pod ran longer than it may.',
  },
  'was evicted': {
    pod: {
      phase: 'Failed',
      deleted: true,
      conditions: disrupted('EvictionByEvictionAPI'),
      containerStatuses: [exited('a', 143)],
    },
    want: { outcome: 'evicted', blame: 'scheduler' },
    detail: 'The pod was evicted: by a test.',
  },
  'was evicted, and answered with code 0': {
    pod: {
      phase: 'Succeeded',
      deleted: true,
      conditions: disrupted('EvictionByEvictionAPI'),
      containerStatuses: [exited('a', 0)],
    },
    want: { outcome: 'evicted', blame: 'scheduler' },
    detail: 'The pod was evicted: by a test.',
  },
  'was evicted by its kubelet': {
    pod: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    want: { outcome: 'evicted', blame: 'node' },
    detail: 'The pod was evicted: The node was low on resource: memory.',
  },
  'was deleted': {
    pod: { phase: 'Failed', deleted: true, containerStatuses: [exited('a', 143)] },
    want: { outcome: 'deleted', blame: 'scheduler' },
    detail: 'The pod was asked to stop.',
  },
  'was lost with its node': {
    pod: { phase: 'Failed', containerStatuses: [exited('a', 255, 'Unknown')] },
    want: { outcome: 'lost', blame: 'node' },
    detail: 'The pod was lost with its node.',
  },
  'is on a node that is gone, of which nothing is proven': {
    pod: { phase: 'Failed', conditions: disrupted('DeletionByPodGC'), containerStatuses: [running('a')] },
    want: { outcome: 'lost', blame: 'node' },
    detail: 'The node of the pod is gone: by a test.',
    isGone: false,
  },
  'was refused by its kubelet': {
    pod: { phase: 'Failed', reason: 'OutOfcpu', message: 'not enough cpu' },
    want: { outcome: 'failed', blame: 'scheduler' },
    detail: 'The node did not run the pod: OutOfcpu: not enough cpu.',
  },
  'failed, and nobody says why': {
    pod: { phase: 'Failed' },
    want: { outcome: 'failed', blame: 'workload' },
    detail: 'The pod has failed, and nobody says why.',
  },
};

describe('a found pod', () => {
  it.each(Object.entries(LIVING))('%s', (_title, { pod, phase }) => {
    expect(lifeOfFound(aPod(pod))).toEqual({ phase, isGone: false });
  });

  it.each(Object.entries(ENDS))('%s', (_title, { pod, want, detail, isGone = true }) => {
    expect(lifeOfFound(aPod(pod))).toEqual({ phase: 'ended', end: want, detail, isGone });
  });
});
