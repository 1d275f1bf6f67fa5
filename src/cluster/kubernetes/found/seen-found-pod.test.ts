import { describe, expect, it } from '@jest/globals';
import type { KubePod } from '../kube-types.js';
import { seenFoundPodOf } from './seen-found-pod.js';

interface Wish {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: KubePod['status'];
}

function aPod({ metadata = {}, spec = {}, status = {} }: Wish = {}): KubePod {
  const labels = { app: 'web', 'berth.dev/gang': 'g' };
  return {
    metadata: { name: 'p', namespace: 'shop', uid: 'u', labels, ...metadata },
    spec: { schedulerName: 'berth', containers: [], ...spec },
    status,
  };
}

const OWN = {
  'app.kubernetes.io/managed-by': 'berth',
  'berth.dev/workload': 'w',
  'berth.dev/incarnation': '1',
  'berth.dev/pod-set': 'worker',
  'berth.dev/index': '0',
};
const DELETED = { deletionTimestamp: '2026-01-01T00:00:00Z' };

describe(seenFoundPodOf.name, () => {
  const cases: Record<string, { readonly pod: Wish; readonly want: string | undefined }> = {
    'on no node': { pod: {}, want: 'waiting' },
    'behind a gate': { pod: { spec: { schedulingGates: [{ name: 'g' }] } }, want: 'gated' },
    'on a node': { pod: { spec: { nodeName: 'n' }, status: { phase: 'Running' } }, want: 'bound' },
    'being deleted': { pod: { metadata: DELETED }, want: 'leaving' },
    'ended while it is deleted': { pod: { metadata: DELETED, status: { phase: 'Failed' } }, want: 'failed' },
    done: { pod: { spec: { nodeName: 'n' }, status: { phase: 'Succeeded' } }, want: 'succeeded' },
    'for another scheduler': { pod: { spec: { schedulerName: 'other' } }, want: undefined },
    "of Berth's own": { pod: { metadata: { labels: OWN } }, want: undefined },
  };
  it.each(Object.entries(cases))('%s', (_title, { pod, want }) => {
    expect(seenFoundPodOf(aPod(pod))?.state).toBe(want);
  });

  it('keeps the whole pod only while it waits, and nothing that changes of itself', () => {
    const managed = { managedFields: [{}], resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' };
    const waiting = seenFoundPodOf(aPod({ metadata: managed, status: { phase: 'Pending' } }));
    const later = seenFoundPodOf(aPod({ metadata: { ...managed, resourceVersion: '8' }, status: { reason: 'x' } }));
    expect(waiting).toEqual(later);
    expect(waiting?.object).toMatchObject({ metadata: { labels: { app: 'web' } }, spec: { containers: [] } });
    const bound = seenFoundPodOf(aPod({ metadata: managed, spec: { nodeName: 'n' } }));
    const metadata = { name: 'p', namespace: 'shop', uid: 'u', labels: { 'berth.dev/gang': 'g' } };
    expect(bound?.object).toEqual({ metadata, spec: {} });
  });
});
