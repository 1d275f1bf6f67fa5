import { describe, expect, it } from '@jest/globals';
import type { PodSetSpec, WorkloadSpec } from '../../../core/index.js';
import { aPod, aPodGroup } from '../../../../test/support/kube-pods.js';
import type { Gang } from './gang-of.js';
import { gangOf, latecomerOf } from './gang-of.js';
import { podMembership, teamOf } from './pod-membership.js';
import type { PodGroupObject, PodObject } from '../reading/pod-object.js';
import { podSetOf } from '../reading/pod-set-of.js';

const NAMESPACE_LABELS = { 'berth.dev/queue': 'lab' };
const SURROUNDINGS = {
  flavors: { ofResource: () => undefined, ofCpu: [] },
  storage: { claim: () => undefined, volume: () => undefined, nodes: [] },
};

interface Case {
  readonly pods: readonly Parameters<typeof aPod>[0][];
  readonly group?: PodGroupObject['spec'];
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly want:
    | string
    | { readonly workload?: Partial<WorkloadSpec>; readonly sets: Readonly<Record<string, Partial<PodSetSpec>>> };
}

const noteOf = (gang: Gang) => (gang.kind === 'waits' ? `${gang.note.reason}: ${gang.note.message}` : gang);

function gangWith({ pods, group, namespaceLabels = NAMESPACE_LABELS }: Case): Gang {
  const members = pods.map((wish) => aPod(wish)).map((pod) => ({ pod, reading: podSetOf(pod, SURROUNDINGS) }));
  const [first] = members;
  if (first === undefined) throw new Error('a gang has a pod');
  const groups = (_namespace: string, name: string) => (group === undefined ? undefined : aPodGroup(name, group));
  const levelOf = (label: string) => (label === 'rack' ? 'rack' : undefined);
  return gangOf(podMembership(first.pod, groups), members, { namespaceLabels, levelOf });
}

const labelled = (name: string, size: string, labels: Readonly<Record<string, string>> = {}) => ({
  metadata: { name, labels: { 'berth.dev/gang': 'g', 'berth.dev/gang-size': size, ...labels } },
});
const grouped = (name: string, spec: Partial<PodObject['spec']> = {}) => ({
  metadata: { name },
  spec: { schedulingGroup: { podGroupName: 'g' }, ...spec },
});
const gang = (minCount: number, more: Partial<PodGroupObject['spec']> = {}) => ({
  schedulingPolicy: { gang: { minCount } },
  ...more,
});
const cpu = (quantity: string) => ({ containers: [{ name: 'c', resources: { requests: { cpu: quantity } } }] });
const at = (second: number) => ({ creationTimestamp: `2026-01-01T00:00:0${second}Z` });

const cases: Record<string, Case> = {
  'a pod for itself': {
    pods: [{ metadata: { name: 'p', ...at(1) }, spec: { priority: 7 } }],
    want: {
      workload: {
        id: 'uid-p',
        name: 'default/p',
        queue: 'lab',
        kind: 'pods',
        priority: 7,
        hold: false,
        submittedAtMs: Date.UTC(2026, 0, 1, 0, 0, 1),
      },
      sets: { pods: { count: 1, minCount: 1, start: 'together' } },
    },
  },
  'a pod that names its queue': {
    pods: [{ metadata: { labels: { 'berth.dev/queue': 'own' } } }],
    want: { workload: { queue: 'own' }, sets: { pods: {} } },
  },
  'a pod without a queue': {
    pods: [{}],
    namespaceLabels: {},
    want: 'QueueNotFound: neither the pod nor its namespace has the label berth.dev/queue',
  },
  'a pod with what is not supported': {
    pods: [{ spec: { resourceClaims: [{ name: 'gpu' }] } }],
    want: 'NotSupported: spec.resourceClaims: Berth does not allocate claims of devices',
  },
  'a gang by labels that is not all there': {
    pods: [labelled('b', '3'), labelled('a', '3')],
    want: 'WaitingForGang: waits for 1 of 3 pods',
  },
  'a gang by labels': {
    pods: [labelled('b', '2', { index: '1' }), labelled('a', '2', { index: '0' })],
    want: {
      workload: { name: 'default/g' },
      sets: { pods: { count: 2, minCount: 2, labels: labelled('', '2').metadata.labels } },
    },
  },
  'a gang by labels without a size': {
    pods: [labelled('a', 'many')],
    want: 'GangNotClear: label berth.dev/gang-size says how many pods gang g has: 1 to 99999',
  },
  'a gang by labels whose sizes differ': {
    pods: [labelled('a', '2'), labelled('b', '3')],
    want: 'GangNotClear: its pods name different sizes by the label berth.dev/gang-size',
  },
  'a gang whose pods name different queues': {
    pods: [labelled('a', '2'), labelled('b', '2', { 'berth.dev/queue': 'own' })],
    want: 'GangNotClear: its pods name different queues by the label berth.dev/queue',
  },
  'a gang with one pod that is not supported': {
    pods: [labelled('a', '2'), { ...labelled('b', '2'), spec: { resourceClaims: [{ name: 'gpu' }] } }],
    want: 'NotSupported: pod b: spec.resourceClaims: Berth does not allocate claims of devices',
  },
  'a pod group that is not there': { pods: [grouped('a')], want: 'WaitingForGang: waits for pod group g' },
  'a pod group that is not all there': {
    pods: [grouped('a')],
    group: gang(8),
    want: 'WaitingForGang: waits for 7 of 8 pods',
  },
  'a pod group with more pods than it needs': {
    pods: [grouped('c'), grouped('a'), grouped('b')],
    group: gang(2, { priority: 5 }),
    want: { workload: { name: 'default/g', priority: 5 }, sets: { pods: { count: 2, minCount: 2 } } },
  },
  'a pod group of pods that differ needs all of them': {
    pods: [grouped('a', cpu('1')), grouped('b', cpu('2')), grouped('c', cpu('2'))],
    group: gang(2),
    want: { sets: { 'pods-1': { count: 1, minCount: 1 }, 'pods-2': { count: 2, minCount: 2 } } },
  },
  'a pod group takes the least priority of its pods': {
    pods: [grouped('a', { priority: 3 }), grouped('b', { priority: 2 })],
    group: gang(2),
    want: { workload: { priority: 2 }, sets: { pods: { count: 2 } } },
  },
  'a pod group without a gang leaves each pod alone': {
    pods: [grouped('a')],
    group: { schedulingPolicy: { basic: {} } },
    want: { workload: { id: 'uid-a' }, sets: { pods: { count: 1 } } },
  },
  'a pod group in one rack': {
    pods: [grouped('a'), grouped('b')],
    group: gang(2, { schedulingConstraints: { topology: [{ key: 'rack' }] } }),
    want: { sets: { pods: { count: 2, topology: { kind: 'required', level: 'rack' } } } },
  },
  'a pod group in one domain that is no level': {
    pods: [grouped('a')],
    group: gang(1, { schedulingConstraints: { topology: [{ key: 'hall' }] } }),
    want: 'NotSupported: pod group g: spec.schedulingConstraints.topology[0].key: no level of the topology is read from the label hall',
  },
  'a pod group with claims of devices': {
    pods: [grouped('a')],
    group: gang(1, { resourceClaims: [{}] }),
    want: 'NotSupported: pod group g: spec.resourceClaims: Berth does not allocate claims of devices',
  },
  'labels that its own rules look at part the pods of a gang': {
    pods: ['0', '1'].map((index) => ({
      ...labelled(`p${index}`, '2', { half: index }),
      spec: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'rack', labelSelector: { matchLabels: { half: '0' } } },
            ],
          },
        },
      },
    })),
    want: { sets: { 'pods-1': { count: 1 }, 'pods-2': { count: 1 } } },
  },
};

describe(gangOf.name, () => {
  it.each(Object.entries(cases))('%s', (_title, one) => {
    const found = gangWith(one);
    if (found.kind === 'waits' || typeof one.want === 'string') {
      expect(noteOf(found)).toEqual(one.want);
      return;
    }
    const { workload, pods } = found;
    expect({ ...workload, ...one.want.workload }).toEqual(workload);
    expect(Object.keys(pods)).toEqual(Object.keys(one.want.sets));
    expect(workload.podSets.map(({ name }) => name)).toEqual(Object.keys(one.want.sets));
    for (const podSet of workload.podSets) {
      expect({ ...podSet, ...one.want.sets[podSet.name] }).toEqual(podSet);
      expect(pods[podSet.name]).toHaveLength(podSet.count);
    }
  });

  it('numbers pods by their names', () => {
    const found = gangWith({ pods: [labelled('b', '2'), labelled('a', '2')], want: '' });
    expect(found).toMatchObject({ pods: { pods: ['a', 'b'] } });
  });
});

describe('the id of a workload', () => {
  const idOf = (...pods: readonly Parameters<typeof aPod>[0][]) => {
    const found = gangWith({ pods, want: '' });
    return found.kind === 'complete' ? found.workload.id : found.note;
  };

  it('is the uid of a pod that starts alone, and does not hang on the order of others', () => {
    expect(idOf({ metadata: { uid: 'u' } })).toBe('u');
    expect(idOf(labelled('a', '2'), labelled('b', '2'))).toBe(idOf(labelled('b', '2'), labelled('a', '2')));
    expect(idOf(labelled('a', '2'), labelled('b', '2'))).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is another when a pod has a successor, or when one is missing', () => {
    const successor = { metadata: { ...labelled('b', '2').metadata, uid: 'successor' } };
    const ids = [idOf(labelled('a', '2'), labelled('b', '2')), idOf(labelled('a', '2'), successor)];
    const surplus = (names: readonly string[]) =>
      gangWith({ pods: names.map((name) => grouped(name)), group: gang(2), want: '' });
    const both = [surplus(['b', 'c', 'd']), surplus(['c', 'd'])];
    expect(new Set([...ids, ...both.map((one) => (one.kind === 'complete' ? one.workload.id : ''))]).size).toBe(4);
  });
});

describe(latecomerOf.name, () => {
  const late = (spec: PodGroupObject['spec']) => {
    const pod = aPod(grouped('late'));
    const membership = podMembership(pod, () => aPodGroup('g', spec));
    const member = { pod, reading: podSetOf(pod, SURROUNDINGS) };
    const levelOf = (label: string) => (label === 'rack' ? 'rack' : undefined);
    return latecomerOf(membership, member, { namespaceLabels: NAMESPACE_LABELS, levelOf });
  };

  it('is a pod alone, under its own name, on the terms of its gang', () => {
    expect(late(gang(8, { priority: 5 }))).toMatchObject({
      workload: { id: 'uid-late', name: 'default/late', priority: 5, podSets: [{ count: 1, minCount: 1 }] },
    });
  });

  it('waits where its gang is kept in a domain', () => {
    const constrained = gang(8, { schedulingConstraints: { topology: [{ key: 'rack' }] } });
    expect(late(constrained)).toMatchObject({ kind: 'waits', note: { reason: 'NotSupported' } });
  });
});

describe(teamOf.name, () => {
  it('is what the namespace says, else its name', () => {
    const pod = aPod({ metadata: { namespace: 'shop' } });
    expect([teamOf(pod, { 'berth.dev/team': 'retail' }), teamOf(pod, {})]).toEqual(['retail', 'shop']);
  });
});
