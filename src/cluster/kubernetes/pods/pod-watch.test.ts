import { beforeEach, describe, expect, it } from '@jest/globals';
import type { NodeState } from '../../../core/index.js';
import type { Observation } from '../../cluster.js';
import type { KubeContainerStatus, KubePod } from '../kube-types.js';
import { ownPodOf, PodWatch, type OwnPod } from './pod-watch.js';

let watch: PodWatch;
let heard: string[];
let refuses: boolean;
let nodeState: NodeState | undefined;
let awaited: Set<string>;
let binding: string | undefined;

beforeEach(() => {
  heard = [];
  refuses = false;
  nodeState = 'healthy';
  awaited = new Set();
  binding = undefined;
  watch = new PodWatch({
    observe: (observation: Observation) => {
      if (refuses) throw new Error('full');
      heard.push(observation.kind);
    },
    logTail: () => Promise.resolve('the end of its output'),
    stateOf: () => nodeState,
    awaited,
    isBinding: (name) => name === binding,
  });
});

function aPod(phase: string, state?: KubeContainerStatus['state'], node = 'a'): OwnPod {
  const labels = {
    'app.kubernetes.io/managed-by': 'berth',
    'berth.dev/workload': 'wl',
    'berth.dev/incarnation': '1',
    'berth.dev/pod-set': 'worker',
    'berth.dev/index': '0',
  };
  const object = {
    metadata: { name: 'p', namespace: 'team', uid: 'uid-p', labels },
    spec: node === '' ? {} : { nodeName: node },
    status: { phase, ...(state && { containerStatuses: [{ name: 'main', state }] }) },
  };
  const pod = ownPodOf(object, undefined);
  if (pod === undefined) throw new Error('it has all labels');
  return pod;
}

const RUNNING = aPod('Running', { running: {} });
const DONE = aPod('Succeeded', { terminated: { exitCode: 0 } });

async function see(pod: OwnPod): Promise<void> {
  watch.see(pod);
  await settle();
}

async function settle(): Promise<void> {
  watch.look();
  await new Promise((resolve) => setImmediate(resolve));
}

describe(PodWatch.name, () => {
  it('says nothing of a pod on no node, and forgets one that is deleted then', async () => {
    await see(aPod('Pending', undefined, ''));
    expect(heard).toEqual([]);
    watch.delete(aPod('Pending', undefined, ''));
    await settle();
    expect(heard).toEqual(['pod-ended', 'pod-gone']);
    expect(watch.find('p')).toBeUndefined();
  });

  it('tells every step, also of a pod that it sees for the first time when it has ended', async () => {
    await see(DONE);
    await see(DONE);
    expect(heard).toEqual(['pod-bound', 'pod-started', 'pod-ended', 'pod-gone']);
  });

  it('tells the end as soon as the container has ended, and that it is gone when the kubelet is done with it', async () => {
    await see(RUNNING);
    await see(aPod('Running', { terminated: { exitCode: 3 } }));
    expect(heard).toEqual(['pod-bound', 'pod-started', 'pod-ended']);
    await see(aPod('Failed', { terminated: { exitCode: 3 } }));
    expect(heard.slice(3)).toEqual(['pod-gone']);
  });

  it('tells later what nobody would take', async () => {
    refuses = true;
    watch.see(RUNNING);
    expect(() => {
      watch.look();
    }).toThrow('full');
    refuses = false;
    await see(DONE);
    expect(heard).toEqual(['pod-bound', 'pod-started', 'pod-ended', 'pod-gone']);
  });

  it.each<NodeState | undefined>(['suspect', 'lost', undefined])(
    'has no proof that a pod is gone which vanished from a node that is %s',
    async (state) => {
      await see(RUNNING);
      nodeState = state;
      watch.delete(RUNNING);
      await settle();
      expect(heard).toEqual(['pod-bound', 'pod-started', 'pod-ended']);
      nodeState = 'healthy';
      await settle();
      expect(heard.at(-1)).toBe('pod-gone');
    },
  );
});

const LIFE = ['pod-bound', 'pod-started', 'pod-ended', 'pod-gone'];
const NAME = 'wl-1-worker-0';

function aFoundPod(phase: string, uid = 'uid-f'): OwnPod {
  const object = {
    metadata: { name: 'web', namespace: 'team', uid },
    spec: { nodeName: 'a', containers: [{ name: 'web' }, { name: 'mesh' }] },
    status: { phase },
  };
  const pod = ownPodOf(object, { pod: { workload: 'wl', incarnation: 1, podSet: 'worker', index: 0 }, slots: [] });
  if (pod === undefined) throw new Error('it was bound');
  return pod;
}

describe('a found pod', () => {
  const placing = { pod: { workload: 'wl', incarnation: 1, podSet: 'worker', index: 0 }, slots: [] };
  const rows: Record<string, { metadata?: Partial<KubePod['metadata']>; spec?: KubePod['spec']; want: boolean }> = {
    'made by a person is bare': { want: true },
    'of a controller is not': { metadata: { ownerReferences: [{ controller: true }] }, want: false },
    'that is only to be removed with another is bare': { metadata: { ownerReferences: [{}] }, want: true },
    'of a gang is not': { metadata: { labels: { 'berth.dev/gang': 'g' } }, want: false },
    'of a group is not': { spec: { schedulingGroup: { podGroupName: 'g' } }, want: false },
  };
  it.each(Object.entries(rows))('%s', (_title, { metadata = {}, spec = {}, want }) => {
    const object = { metadata: { name: 'web', uid: 'u', ...metadata }, spec: { nodeName: 'a', ...spec } };
    expect(ownPodOf(object, placing)?.isBare).toBe(want);
  });
});

describe('the life of a found pod', () => {
  it('begins with its binding', async () => {
    await see(aFoundPod('Pending'));
    expect(heard).toEqual(['pod-bound', 'pod-started']);
    expect(watch.list()).toEqual([
      {
        name: NAME,
        pod: { workload: 'wl', incarnation: 1, podSet: 'worker', index: 0 },
        node: 'a',
        state: 'started',
      },
    ]);
    expect(watch.find(NAME)?.pod.object).toEqual({ namespace: 'team', name: 'web', uid: 'uid-f' });
  });

  it('ends once, though its object stays and changes', async () => {
    await see(aFoundPod('Running'));
    await see(aFoundPod('Succeeded'));
    expect(heard).toEqual(LIFE);
    watch.forget(NAME);
    await see(aFoundPod('Succeeded'));
    expect(heard).toEqual(LIFE);
    expect(watch.list()).toEqual([]);
  });

  it('may begin again on its node until it is gone', async () => {
    expect(watch.hasFoundOn('a')).toBe(false);
    await see(RUNNING);
    expect(watch.hasFoundOn('a')).toBe(false);
    await see(aFoundPod('Running'));
    expect([watch.hasFoundOn('a'), watch.hasFoundOn('b')]).toEqual([true, false]);
    await see(aFoundPod('Failed'));
    expect(watch.hasFoundOn('a')).toBe(false);
  });

  it('is over for one that is first seen after its end', async () => {
    await see(aFoundPod('Failed'));
    expect(heard).toEqual([]);
    expect(watch.list()).toEqual([]);
  });

  it('is told once of one whose end may have been missed', async () => {
    awaited.add('uid-f');
    await see(aFoundPod('Succeeded'));
    expect(heard).toEqual(LIFE);
    watch.forget(NAME);
    await see(aFoundPod('Succeeded'));
    expect(heard).toEqual(LIFE);
  });

  it('is told of one that ended before its binding was seen', async () => {
    binding = NAME;
    await see(aFoundPod('Succeeded'));
    expect(heard).toEqual(LIFE);
  });

  it('is not that of another pod which says the same of itself', async () => {
    await see(aFoundPod('Running'));
    await see(aFoundPod('Succeeded', 'uid-g'));
    watch.delete(aFoundPod('Succeeded', 'uid-g'));
    await settle();
    expect(heard).toEqual(['pod-bound', 'pod-started']);
  });
});
