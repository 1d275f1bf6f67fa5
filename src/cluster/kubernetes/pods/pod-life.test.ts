import { describe, expect, it } from '@jest/globals';
import type { KubeCondition, KubeContainerStatus, KubePod } from '../kube-types.js';
import { endOfVanished, lifeOf } from './pod-life.js';

type State = NonNullable<KubeContainerStatus['state']>;
interface Wishes {
  readonly node?: string;
  readonly phase?: string;
  readonly state?: State;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly KubeCondition[];
  readonly deleted?: boolean;
  readonly program?: 'trainer' | 'command';
  readonly init?: State;
}

function aPod({ node = 'a', phase = 'Running', state, program = 'command', deleted, init, ...rest }: Wishes): KubePod {
  return {
    metadata: {
      name: 'p',
      uid: 'uid-p',
      annotations: { 'berth.dev/program': program },
      ...(deleted === true && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: {
      ...(node !== '' && { nodeName: node }),
      containers: [{ name: 'main', resources: { limits: { memory: '512Mi' } } }],
    },
    status: {
      phase,
      ...rest,
      ...(state !== undefined && { containerStatuses: [{ name: 'main', state }] }),
      ...(init !== undefined && { initContainerStatuses: [{ name: 'fetch', state: init }] }),
    },
  };
}

function exited(exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): State {
  return { terminated: { exitCode, reason } };
}

function disrupted(reason: string, message = 'by a test'): readonly KubeCondition[] {
  return [{ type: 'DisruptionTarget', status: 'True', reason, message }];
}

const GOING_ON: Record<string, { pod: Wishes; want: object }> = {
  'a pod on no node': { pod: { node: '', phase: 'Pending' }, want: { phase: 'pending', isGone: false } },
  'a pod that was bound': { pod: { phase: 'Pending' }, want: { phase: 'bound', isGone: false } },
  'a pod whose container is being made': {
    pod: { phase: 'Pending', state: { waiting: { reason: 'ContainerCreating' } } },
    want: { phase: 'bound', isGone: false },
  },
  'a pod whose image cannot be pulled, which stays bound': {
    pod: { phase: 'Pending', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image: x' } } },
    want: { phase: 'bound', detail: 'The image cannot be pulled: no such image: x', isGone: false },
  },
  'a pod with a wrong configuration': {
    pod: { phase: 'Pending', state: { waiting: { reason: 'CreateContainerConfigError', message: 'no secret s' } } },
    want: { phase: 'bound', detail: 'The container cannot be created: no secret s', isGone: false },
  },
  'a pod that runs': { pod: { state: { running: {} } }, want: { phase: 'started', isGone: false } },
  'a pod that was asked to stop and still runs': {
    pod: { state: { running: {} }, deleted: true },
    want: { phase: 'started', isGone: false },
  },
};

const ENDS: Record<string, { pod: Wishes; want: object; detail: string; isGone?: boolean }> = {
  'success, a moment before the phase says so': {
    pod: { state: exited(0) },
    want: { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
    detail: 'The program exited with code 0.',
    isGone: false,
  },
  success: {
    pod: { phase: 'Succeeded', state: exited(0) },
    want: { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
    detail: 'The program exited with code 0.',
  },
  'a program that fails': {
    pod: { phase: 'Failed', state: exited(65) },
    want: { outcome: 'failed', blame: 'workload', exitCode: 65 },
    detail: 'The program exited with code 65.',
  },
  'a trainer that asks to be started again': {
    pod: { phase: 'Failed', state: exited(75), program: 'trainer' },
    want: { outcome: 'failed', blame: 'workload', exitCode: 75 },
    detail: 'The program exited with code 75.',
  },
  'a program that was killed by nobody of ours': {
    pod: { phase: 'Failed', state: exited(137) },
    want: { outcome: 'failed', blame: 'workload', exitCode: 137 },
    detail: 'The program exited with code 137.',
  },
  'too much memory': {
    pod: { phase: 'Failed', state: exited(137, 'OOMKilled') },
    want: { outcome: 'failed', blame: 'workload', exitCode: 137 },
    detail: 'OOMKilled: the pod used more memory than its limit, 512Mi. Ask for more memory.',
  },
  'a program that is not in its image': {
    pod: { phase: 'Failed', state: { terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "x"' } } },
    want: { outcome: 'failed', blame: 'workload', exitCode: 128 },
    detail: 'The program could not be started: exec: "x"',
  },
  'a loss with its node': {
    pod: { phase: 'Failed', state: exited(255, 'Unknown') },
    want: { outcome: 'lost', blame: 'node', exitCode: 255 },
    detail: 'The pod was lost with its node.',
  },
  'a loss that only its kubelet noticed': {
    pod: { phase: 'Failed', state: exited(137, 'ContainerStatusUnknown'), deleted: true },
    want: { outcome: 'lost', blame: 'node', exitCode: 137 },
    detail: 'The pod was lost with its node.',
  },
  'a plain exit with 255': {
    pod: { phase: 'Failed', state: exited(255) },
    want: { outcome: 'failed', blame: 'workload', exitCode: 255 },
    detail: 'The program exited with code 255.',
  },
  'a deletion that is answered with a checkpoint': {
    pod: { phase: 'Failed', state: exited(75), deleted: true, program: 'trainer' },
    want: { outcome: 'deleted', blame: 'scheduler', exitCode: 75 },
    detail: 'The pod was asked to stop. It exited with code 75.',
  },
  'a deletion that a command answers with 0': {
    pod: { phase: 'Succeeded', state: exited(0), deleted: true },
    want: { outcome: 'deleted', blame: 'scheduler', exitCode: 0 },
    detail: 'The pod was asked to stop. It exited with code 0.',
  },
  'a deletion that a trainer answers with 0: its work is done': {
    pod: { phase: 'Succeeded', state: exited(0), deleted: true, program: 'trainer' },
    want: { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
    detail: 'The program exited with code 0.',
  },
  'an eviction by its API': {
    pod: { phase: 'Failed', state: exited(143), deleted: true, conditions: disrupted('EvictionByEvictionAPI') },
    want: { outcome: 'evicted', blame: 'scheduler', exitCode: 143 },
    detail: 'The pod was evicted: by a test. It exited with code 143.',
  },
  'an eviction by a taint': {
    pod: { phase: 'Failed', state: exited(143), deleted: true, conditions: disrupted('DeletionByTaintManager') },
    want: { outcome: 'evicted', blame: 'node', exitCode: 143 },
    detail: 'The pod was evicted: by a test. It exited with code 143.',
  },
  'an eviction by a kubelet that is short of memory, without any container': {
    pod: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    want: { outcome: 'evicted', blame: 'node' },
    detail: 'The pod was evicted: The node was low on resource: memory.',
  },
  'a node that is gone, of which nothing is proven': {
    pod: { phase: 'Failed', state: { running: {} }, conditions: disrupted('DeletionByPodGC', 'node not found') },
    want: { outcome: 'lost', blame: 'node' },
    detail: 'The node of the pod is gone: node not found.',
    isGone: false,
  },
  'a node that is gone before the pod came there': {
    pod: { phase: 'Failed', conditions: disrupted('DeletionByPodGC', 'node not found') },
    want: { outcome: 'lost', blame: 'node' },
    detail: 'The node of the pod is gone: node not found.',
    isGone: false,
  },
  'a device that was not there': {
    pod: { phase: 'Failed', reason: 'UnexpectedAdmissionError', message: 'no healthy devices present' },
    want: { outcome: 'failed', blame: 'scheduler' },
    detail: 'The node did not run the pod: UnexpectedAdmissionError: no healthy devices present.',
  },
  'too little room on the node': {
    pod: { phase: 'Failed', reason: 'OutOfcpu', message: "Node didn't have enough resource: cpu." },
    want: { outcome: 'failed', blame: 'scheduler' },
    detail: "The node did not run the pod: OutOfcpu: Node didn't have enough resource: cpu.",
  },
  'a node that shuts down': {
    pod: { phase: 'Failed', reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' },
    want: { outcome: 'failed', blame: 'node' },
    detail: 'The node did not run the pod: NodeShutdown: Pod was rejected as the node is shutting down.',
  },
  'a container that prepares the pod and fails': {
    pod: { phase: 'Failed', init: exited(3), state: { waiting: { reason: 'PodInitializing' } } },
    want: { outcome: 'failed', blame: 'workload', exitCode: 3 },
    detail: 'The container fetch, which prepares the pod, exited with code 3.',
  },
};

describe(lifeOf.name, () => {
  it.each(Object.entries(GOING_ON))('reads %s', (_title, { pod, want }) => {
    expect(lifeOf(aPod(pod))).toEqual(want);
  });

  it.each(Object.entries(ENDS))('reads %s', (_title, { pod, want, detail, isGone = true }) => {
    expect(lifeOf(aPod(pod))).toEqual({ phase: 'ended', end: want, detail, isGone });
  });
});

describe(endOfVanished.name, () => {
  it('is a deletion, unless somebody left a condition', () => {
    expect(endOfVanished(aPod({})).end).toEqual({ outcome: 'deleted', blame: 'scheduler' });
    expect(endOfVanished(aPod({ conditions: disrupted('EvictionByEvictionAPI') })).end).toEqual({
      outcome: 'evicted',
      blame: 'scheduler',
    });
  });
});
