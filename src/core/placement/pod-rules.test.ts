import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { LabelSelector, PodAffinityTerm, PodSetSpec, TopologySpread } from '../index.js';

type Wish = Parameters<typeof aPodSet>[0];

const HOST = 'kubernetes.io/hostname';
const isApp = (...values: string[]): LabelSelector => [{ key: 'app', operator: 'In', values }];
const near = (app: string, topologyKey = 'zone', more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey,
  selector: isApp(app),
  ...more,
});
const app = (name: string): Pick<PodSetSpec, 'labels'> => ({ labels: { app: name } });
const on = (node: string): Pick<PodSetSpec, 'nodeSelector'> => ({ nodeSelector: { name: node } });
const spread = (wish: Partial<TopologySpread> = {}): Pick<PodSetSpec, 'topologySpread'> => ({
  topologySpread: [
    { topologyKey: 'zone', selector: isApp('web'), maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', ...wish },
  ],
});
const port = (number: number, more: { readonly protocol?: string; readonly ip?: string } = {}) => ({
  hostPorts: [{ port: number, ...more }],
});

/**
 * Nodes a and b in zone 1, c in zone 2, d in none; 8 CPUs each. `standing` are there when the pods come, one workload
 * each. Without rules the first pods fill node a.
 */
const cases: Record<string, { standing?: readonly Wish[]; pods: Wish; want: readonly string[] }> = {
  'two pods with one host port never share a node': { pods: { count: 2, ...port(80) }, want: ['a', 'b'] },
  'more pods with one host port than nodes wait': { pods: { count: 5, ...port(80) }, want: [] },
  'a host port that is taken keeps away': { standing: [{ ...on('a'), ...port(80) }], pods: port(80), want: ['b'] },
  'another port is another port': { standing: [{ ...on('a'), ...port(80) }], pods: port(81), want: ['a'] },
  'another protocol is another port': {
    standing: [{ ...on('a'), ...port(80, { protocol: 'UDP' }) }],
    pods: port(80),
    want: ['a'],
  },
  'another address is another port': {
    standing: [{ ...on('a'), ...port(80, { ip: '10.0.0.1' }) }],
    pods: port(80, { ip: '10.0.0.2' }),
    want: ['a'],
  },
  'all addresses conflict with any': {
    standing: [{ ...on('a'), ...port(80, { ip: '0.0.0.0' }) }],
    pods: port(80, { ip: '10.0.0.2' }),
    want: ['b'],
  },
  'anti-affinity keeps away from the domain of who stands': {
    standing: [{ ...on('a'), ...app('db') }],
    pods: { podAntiAffinity: { required: [near('db')] } },
    want: ['c'],
  },
  'anti-affinity by host keeps away from the node alone': {
    standing: [{ ...on('a'), ...app('db') }],
    pods: { podAntiAffinity: { required: [near('db', HOST)] } },
    want: ['b'],
  },
  'anti-affinity to oneself puts each pod into a domain of its own': {
    pods: { count: 2, ...app('db'), podAntiAffinity: { required: [near('db')] } },
    want: ['a', 'c'],
  },
  'a node without the label is no domain to keep away from': {
    standing: [
      { ...on('a'), ...app('db') },
      { ...on('c'), ...app('db') },
    ],
    pods: { podAntiAffinity: { required: [near('db')] } },
    want: ['d'],
  },
  'who stands may keep newcomers away': {
    standing: [{ ...on('a'), podAntiAffinity: { required: [near('web')] } }],
    pods: app('web'),
    want: ['c'],
  },
  'who stands keeps nobody away whom it does not see': {
    standing: [{ ...on('a'), podAntiAffinity: { required: [near('web')] } }],
    pods: app('db'),
    want: ['a'],
  },
  'another namespace is not seen': {
    standing: [{ ...on('a'), ...app('db'), namespace: 'x' }],
    pods: { namespace: 'y', podAntiAffinity: { required: [near('db')] } },
    want: ['a'],
  },
  'unless the term names it': {
    standing: [{ ...on('a'), ...app('db'), namespace: 'x' }],
    pods: { namespace: 'y', podAntiAffinity: { required: [near('db', 'zone', { namespaces: ['x'] })] } },
    want: ['c'],
  },
  'affinity draws into the domain of who stands': {
    standing: [{ ...on('c'), ...app('db') }],
    pods: { podAffinity: { required: [near('db')] } },
    want: ['c'],
  },
  'affinity to nobody keeps waiting': { pods: { podAffinity: { required: [near('db')] } }, want: [] },
  'the first of a group that matches its own affinity may start': {
    pods: { count: 3, cpu: 3, ...app('db'), podAffinity: { required: [near('db')] } },
    want: ['a', 'a', 'b'],
  },
  'a group that stands together needs one domain for all': {
    standing: [{ ...on('a'), cpu: 8 }],
    pods: { count: 2, cpu: 6, ...app('db'), podAffinity: { required: [near('db')] } },
    want: [],
  },
  'a group looks for the domain that holds it': {
    standing: [
      { ...on('a'), cpu: 8 },
      { ...on('b'), cpu: 7 },
    ],
    pods: { count: 2, cpu: 4, ...app('db'), podAffinity: { required: [near('db')] } },
    want: ['c', 'c'],
  },
  'affinity asks for the label': {
    standing: [{ ...on('d'), ...app('db') }],
    pods: { podAffinity: { required: [near('db')] } },
    want: [],
  },
  'all terms of an affinity must see one pod': {
    standing: [
      { ...on('a'), ...app('db') },
      { ...on('a'), ...app('web') },
    ],
    pods: { podAffinity: { required: [near('db'), near('web')] } },
    want: [],
  },
  'preferred affinity draws, and binds nobody': {
    standing: [{ ...on('c'), ...app('db') }],
    pods: { podAffinity: { preferred: [{ weight: 1, term: near('db') }] } },
    want: ['c'],
  },
  'preferred anti-affinity drives away': {
    standing: [{ ...on('a'), ...app('db') }],
    pods: { podAntiAffinity: { preferred: [{ weight: 1, term: near('db', HOST) }] } },
    want: ['b'],
  },
  'preferred anti-affinity keeps nobody waiting': {
    pods: { count: 2, cpu: 8, ...app('db'), podAntiAffinity: { preferred: [{ weight: 1, term: near('db') }] } },
    want: ['a', 'c'],
  },
  'spread puts one into each domain first': { pods: { count: 2, ...app('web'), ...spread() }, want: ['a', 'c'] },
  'spread counts who stands': {
    standing: [{ ...on('a'), ...app('web') }],
    pods: { ...app('web'), ...spread() },
    want: ['c'],
  },
  'spread with more skew allows more': {
    standing: [{ ...on('a'), ...app('web') }],
    pods: { ...app('web'), ...spread({ maxSkew: 2 }) },
    want: ['a'],
  },
  'spread waits when the emptiest domain is full': {
    standing: [{ ...on('c'), cpu: 8 }],
    pods: { count: 2, ...app('web'), ...spread() },
    want: [],
  },
  'fewer domains than asked for count as one that is empty': {
    pods: { count: 4, ...app('web'), ...spread({ minDomains: 3 }) },
    want: [],
  },
  'a pod that its own selector does not see adds nothing': {
    pods: { count: 3, cpu: 2, ...app('db'), ...spread() },
    want: ['a', 'a', 'a'],
  },
  'nodes that the selector rules out have no say in the spread': {
    pods: { count: 2, ...app('web'), nodeSelector: { zone: '1' }, ...spread() },
    want: ['a', 'a'],
  },
  'unless the policy lets them': {
    pods: { count: 2, ...app('web'), nodeSelector: { zone: '1' }, ...spread({ nodeAffinityPolicy: 'Ignore' }) },
    want: [],
  },
  'soft spread goes where there are fewest': {
    standing: [{ ...on('a'), ...app('web') }],
    pods: { ...app('web'), ...spread({ whenUnsatisfiable: 'ScheduleAnyway' }) },
    want: ['c'],
  },
  'soft spread keeps nobody waiting': {
    standing: [
      { ...on('c'), cpu: 8 },
      { ...on('d'), cpu: 8 },
    ],
    pods: { count: 3, cpu: 4, ...app('web'), ...spread({ whenUnsatisfiable: 'ScheduleAnyway' }) },
    want: ['a', 'a', 'b'],
  },
};

describe('rules of pods that look beyond their node', () => {
  it.each(Object.entries(cases))('%s', (_title, { standing = [], pods, want }) => {
    const rig = fourNodes();
    for (const [index, wish] of standing.entries()) rig.submit(aWorkload(`s${index}`, cpuPods(wish)));
    rig.settle();
    expect(rig.scheduler.snapshot().pods).toHaveLength(standing.length);
    rig.submit(aWorkload('w', cpuPods(pods)));
    rig.settle();
    expect(nodesOf(rig, 'w')).toEqual(want);
    expect(nodesOf(CoreRig.restored(rig.scheduler.snapshot(), 0), 'w')).toEqual(want);
  });

  it('lets a pod in when the one that kept it away is gone, and draws it in when the one it waits for comes', () => {
    const rig = fourNodes();
    rig.submit(aWorkload('first', cpuPods({ ...on('a'), ...port(80) })));
    rig.settle();
    rig.submit(aWorkload('same', cpuPods({ ...on('a'), ...port(80) })));
    rig.submit(aWorkload('drawn', cpuPods({ podAffinity: { required: [near('db')] } })));
    rig.settle();
    expect([nodesOf(rig, 'same'), nodesOf(rig, 'drawn')]).toEqual([[], []]);
    rig.tell({ kind: 'workload-cancelled', workload: 'first' });
    rig.submit(aWorkload('db', cpuPods({ ...on('c'), ...app('db') })));
    rig.settle();
    expect([nodesOf(rig, 'same'), nodesOf(rig, 'drawn')]).toEqual([['a'], ['c']]);
  });

  it('counts on nobody who has ended, though the gang goes on and keeps the place', () => {
    const rig = fourNodes();
    const gang = (done: Wish, runs: Wish) => ({
      podSets: [aPodSet({ name: 'done', gpus: 0, ...done }), aPodSet({ name: 'runs', gpus: 0, ...runs })],
    });
    rig.submit(aWorkload('dbs', gang({ ...on('a'), ...app('db') }, { ...on('c'), ...app('db') })));
    rig.submit(aWorkload('webs', gang({ ...on('b'), ...app('web') }, on('d'))));
    rig.submit(aWorkload('full', cpuPods({ ...on('c'), cpu: 7 })));
    rig.settle();
    rig.submit(aWorkload('spread', cpuPods({ ...app('web'), ...spread() })));
    rig.settle();
    expect(nodesOf(rig, 'spread')).toEqual([]);
    for (const workload of ['dbs', 'webs']) rig.endPod({ workload, incarnation: 1, podSet: 'done', index: 0 });
    rig.submit(aWorkload('drawn', cpuPods({ ...on('a'), podAffinity: { required: [near('db', HOST)] } })));
    rig.settle();
    expect([nodesOf(rig, 'dbs'), nodesOf(rig, 'webs')]).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
    expect([nodesOf(rig, 'spread'), nodesOf(rig, 'drawn')]).toEqual([['a'], []]);
  });

  it('lets in whom it kept away when the node of a pod with anti-affinity is of another domain than before', () => {
    const rig = fourNodes();
    // What comes free on node a does not by itself wake who may stand on node b alone.
    rig.tell({ kind: 'flavor-set', flavor: { name: 'b-only', nodeLabels: { name: 'b' } } });
    rig.submit(aWorkload('alone', cpuPods({ ...on('a'), ...app('db'), podAntiAffinity: { required: [near('web')] } })));
    rig.settle();
    rig.submit(aWorkload('kept', cpuPods({ ...app('web'), flavors: ['b-only'] })));
    rig.settle();
    expect(nodesOf(rig, 'kept')).toEqual([]);
    rig.tell({ kind: 'node-seen', node: aNode('a', { devices: 0, cpu: 8, labels: { name: 'a', zone: '3' } }) });
    rig.settle();
    expect(nodesOf(rig, 'kept')).toEqual(['b']);
  });

  it('takes the place of a running pod whose anti-affinity stands in the way', () => {
    const rig = fourNodes();
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 16 }) });
    rig.tell({ kind: 'node-seen', node: aNode('g', { labels: { zone: '9' } }) });
    const low = { ...app('db'), podAntiAffinity: { required: [near('web', HOST)] } };
    rig.submit(aWorkload('low', { podSets: [aPodSet(low)] }));
    rig.settle();
    expect(nodesOf(rig, 'low')).toEqual(['g']);
    rig.nowMs = 86_400_000;
    rig.submit(aWorkload('high', { priority: 100, podSets: [aPodSet(app('web'))] }));
    rig.settle();
    expect([nodesOf(rig, 'low'), nodesOf(rig, 'high')]).toEqual([[], ['g']]);
  });

  it('explains which rule keeps a pod from nodes that have room', () => {
    const rig = fourNodes();
    for (const name of ['a', 'b', 'c', 'd']) rig.submit(aWorkload(name, cpuPods({ ...on(name), ...port(80) })));
    rig.submit(aWorkload('w', cpuPods(port(80))));
    rig.settle();
    expect(rig.scheduler.explain('w', 0)).toMatchObject({
      binding: { kind: 'selector', ruledOut: [{ by: 'rule', value: 'host port', nodes: 4 }] },
      also: [],
      change: [{ kind: 'end-workloads' }],
      searched: 'complete',
    });
  });
});

function fourNodes(): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'queue-set', queue: aQueue('lab') });
  for (const [name, zone] of Object.entries({ a: '1', b: '1', c: '2', d: undefined })) {
    const labels = { name, ...(zone === undefined ? {} : { zone }) };
    rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 0, cpu: 8, labels }) });
  }
  return rig;
}

function cpuPods(wish: Wish): { readonly podSets: readonly PodSetSpec[] } {
  return { podSets: [aPodSet({ gpus: 0, ...wish })] };
}

function nodesOf(rig: CoreRig, workload: string): readonly string[] {
  const pods = rig.scheduler.snapshot().pods.filter(({ seat }) => seat.pod.workload === workload);
  return pods.map(({ seat }) => seat.node).sort();
}
