import { describe, expect, it } from '@jest/globals';
import type { KubeContainerStatus } from '../kube-types.js';
import { outputOfFound, type PodOutput } from './pod-output.js';

interface Wishes {
  readonly named?: string;
  readonly phase?: string;
  readonly second?: Omit<KubeContainerStatus, 'name'>;
}

function outputOf({ named, phase = 'Pending', second }: Wishes): PodOutput {
  const annotations = named === undefined ? {} : { 'kubectl.kubernetes.io/default-container': named };
  const containerStatuses = second === undefined ? [] : [{ name: 'second', ...second }];
  return outputOfFound({
    metadata: { name: 'p', uid: 'u', annotations },
    spec: { nodeName: 'a', containers: [{ name: 'first' }, { name: 'second' }] },
    status: { phase, containerStatuses },
  });
}

describe('the output of a found pod', () => {
  it.each([
    { wishes: {}, want: 'first' },
    { wishes: { named: 'second' }, want: 'second' },
    { wishes: { named: 'third' }, want: 'first' },
  ])('is that of its first container, unless another is named: $want', ({ wishes, want }) => {
    expect(outputOf(wishes).container).toBe(want);
  });

  const rows: Record<string, { wishes: Wishes; want: boolean }> = {
    'not there before its kubelet says anything': { wishes: {}, want: false },
    'not there while its container is being made': { wishes: { second: { state: { waiting: {} } } }, want: false },
    'there when it runs': { wishes: { second: { state: { running: {} } } }, want: true },
    'there when it has ended': { wishes: { second: { state: { terminated: { exitCode: 0 } } } }, want: true },
    'there when it waits to be started again': {
      wishes: { second: { state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 2 } },
      want: true,
    },
    'all there is when the pod has ended without it': { wishes: { phase: 'Failed' }, want: true },
  };
  it.each(Object.entries(rows))('is %s', (_title, { wishes, want }) => {
    expect(outputOf({ named: 'second', ...wishes }).hasBegun).toBe(want);
  });
});
