import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf, setsOf } from '../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../test/support/fleet-builders.js';
import type { Decision } from './index.js';
import { isForDisplay } from './index.js';

/** A gang that lost pods, and those who have a better right to what is left of its place. */

const SECOND = 1000;
const { preemption } = aPolicy();

function rigOf(
  nodes: readonly string[],
  nominal: Readonly<Record<string, number>>,
  { devices = 4, minRuntimeMs = 300 * SECOND } = {},
): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy({ preemption: { ...preemption, minRuntimeMs } }) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('root') });
  for (const [name, h100] of Object.entries(nominal)) {
    rig.tell({ kind: 'queue-set', queue: aQueue(name, { parent: 'root', h100, reclaim: 'any' }) });
  }
  for (const name of nodes) rig.tell({ kind: 'node-seen', node: aNode(name, { rack: 'r1', devices }) });
  return rig;
}

/** Settles and commits until nothing is said; pods that must stop take their time. */
function decided(rig: CoreRig): readonly Decision[] {
  const said: Decision[] = [];
  for (;;) {
    const { decisions } = rig.decide();
    if (decisions.length === 0) return said.filter((one) => !isForDisplay(one));
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
    said.push(...decisions);
  }
}

const pair = (name: string, queue: string, wish: Partial<Parameters<typeof aWorkload>[1]> = {}) =>
  aWorkload(name, { queue, pods: { count: 2, gpus: 4 }, ...wish });

describe('a gang that lost pods', () => {
  it('is given back to the owner who waits for it, however often it fails', () => {
    const rig = rigOf(['a', 'b'], { owner: 8, guest: 0 });
    rig.submit(pair('visit', 'guest'));
    rig.settle();
    rig.nowMs = 10 * SECOND;
    rig.submit(pair('home', 'owner', { submittedAtMs: rig.nowMs }));
    rig.settle();
    rig.nowMs = 250 * SECOND;
    const pods = rig.podsOf('visit');
    const [failed] = pods;
    if (failed !== undefined) rig.endPod(failed, { outcome: 'failed', blame: 'node', exitCode: 255 });
    expect(kindsOf(decided(rig))).toEqual(['evict visit gang-incomplete requeue']);
    rig.nowMs = 260 * SECOND;
    rig.goPods(pods);
    expect(kindsOf(decided(rig))).toEqual(['start home']);
  });

  it('makes no planned start of its queue later that counts on its end', () => {
    const rig = rigOf(['a', 'b'], { lab: 8 });
    rig.submit(pair('low', 'lab'));
    rig.settle();
    rig.nowMs = 10 * SECOND;
    rig.submit(pair('high', 'lab', { priority: 5 }));
    rig.settle();
    rig.nowMs = 250 * SECOND;
    const pods = rig.podsOf('low');
    rig.goPods(pods.slice(0, 1));
    expect(kindsOf(decided(rig))).toEqual(['evict low node-lost requeue']);
    rig.goPods(pods);
    expect(kindsOf(decided(rig))).toEqual(['start high']);
  });

  it('is repaired all the same when the owner could do nothing with its place', () => {
    const rig = rigOf(['a', 'b', 'c'], { owner: 16, guest: 0 });
    rig.submit(pair('visit', 'guest'));
    rig.settle();
    rig.submit(aWorkload('home', { queue: 'owner', pods: { count: 4, gpus: 4 } }));
    rig.settle();
    rig.nodeState('a', 'lost');
    expect(kindsOf(decided(rig))).toEqual(['evict visit node-lost requeue', 'start visit']);
  });

  it.each([
    ['that could evict it', true],
    ['that may not evict it', false],
  ])('takes no node from the planned start of a higher priority %s', (_title, preemptible) => {
    const rig = rigOf(['a', 'b', 'c', 'd'], { lab: 100 }, { devices: 8 });
    rig.submit(aWorkload('low', { queue: 'lab', preemptible, pods: { count: 2, gpus: 8 } }));
    rig.settle();
    rig.submit(aWorkload('short', { queue: 'lab', estimateMs: 100 * SECOND, pods: { gpus: 8 } }));
    rig.settle();
    rig.submit(aWorkload('high', { queue: 'lab', priority: 9, pods: { count: 2, gpus: 8 } }));
    rig.settle();
    expect(rig.nodesOf('low')).toEqual({ a: 1, b: 1 });
    rig.nowMs = 90 * SECOND;
    rig.nodeState('a', 'lost');
    expect(kindsOf(decided(rig))).toEqual(['evict low node-lost requeue']);
    expect(rig.decisions.filter(({ kind }) => kind === 'unplan')).toEqual([]);
    rig.nowMs = 95 * SECOND;
    rig.goPods(rig.podsOf('low'));
    expect(kindsOf(decided(rig))).toEqual(['start high']);
  });

  it('takes a node from the planned start of a higher priority for a time that ends before', () => {
    const rig = rigOf(['a', 'b'], { lab: 100 });
    const low = { preemptible: false, estimateMs: 50 * SECOND };
    rig.submit(aWorkload('low', { queue: 'lab', ...low, pods: { gpus: 4 } }));
    rig.submit(aWorkload('short', { queue: 'lab', estimateMs: 100 * SECOND, pods: { gpus: 4 } }));
    rig.settle();
    expect([rig.nodesOf('low'), rig.nodesOf('short')]).toEqual([{ a: 1 }, { b: 1 }]);
    rig.tell({ kind: 'node-seen', node: aNode('c', { rack: 'r1', devices: 4 }) });
    rig.submit(pair('high', 'lab', { priority: 9 }));
    rig.settle();
    rig.nowMs = 10 * SECOND;
    rig.nodeState('a', 'lost');
    expect(kindsOf(decided(rig))).toEqual(['evict low node-lost requeue', 'start low']);
    expect(rig.nodesOf('low')).toEqual({ c: 1 });
    const plan = rig.decisions.findLast(({ kind }) => kind === 'plan' || kind === 'unplan');
    expect(plan).toMatchObject({ kind: 'plan', workload: 'high', startMs: 100 * SECOND });
  });

  it('takes what is left where a gang repaired before it has ended the planned start of a higher priority', () => {
    const rig = rigOf(['a', 'b'], { ops: 3, lab: 3 });
    const gang = { pods: { count: 3, gpus: 1 } };
    rig.submit(aWorkload('first', { queue: 'lab', priority: 9, preemptible: false, ...gang }));
    rig.submit(aWorkload('low', { queue: 'ops' }));
    rig.settle();
    rig.submit(aWorkload('high', { queue: 'ops', priority: 5, ...gang }));
    rig.settle();
    expect([rig.nodesOf('first'), rig.nodesOf('low')]).toEqual([{ a: 3 }, { a: 1 }]);
    const plan = rig.decisions.find(({ kind }) => kind === 'plan');
    expect(plan).toMatchObject({ workload: 'high', startMs: 300 * SECOND, seats: Array(3).fill({ node: 'b' }) });
    rig.nowMs = 10 * SECOND;
    rig.nodeState('a', 'lost');
    const said = kindsOf(decided(rig)).filter((one) => one.startsWith('start'));
    expect(said).toEqual(['start first', 'start low']);
    expect([rig.nodesOf('first'), rig.nodesOf('low')]).toEqual([{ b: 3 }, { b: 1 }]);
  });

  it('lets another go first that lost pods too and could take its place back', () => {
    const rig = rigOf(['a', 'b', 'c', 'd', 'e'], { owner: 20, guest: 0 }, { minRuntimeMs: 0 });
    rig.submit(pair('visit', 'guest', { priority: 5 }), pair('home', 'owner'));
    rig.settle();
    const firstOf = (workload: string) => Object.keys(rig.nodesOf(workload))[0] ?? '';
    for (const workload of ['visit', 'home']) rig.nodeState(firstOf(workload), 'lost');
    const said = kindsOf(decided(rig)).filter((one) => one.startsWith('start'));
    expect(said).toEqual(['start home']);
  });

  it('does not let one go first who could take back only what another of its queue got before', () => {
    const rig = rigOf(['a'], { lab: 1, dev: 1, pool: 4 }, { devices: 5, minRuntimeMs: 0 });
    rig.submit(aWorkload('small', { queue: 'lab', pods: { gpus: 1 } }));
    rig.submit(aWorkload('large', { queue: 'lab', pods: { gpus: 2 }, submittedAtMs: 1 }));
    rig.submit(aWorkload('other', { queue: 'dev', pods: { gpus: 2 }, submittedAtMs: 2 }));
    rig.settle();
    rig.tell({ kind: 'node-seen', node: aNode('b', { rack: 'r1', devices: 4 }) });
    rig.nodeState('a', 'lost');
    const said = kindsOf(decided(rig)).filter((one) => !one.includes('node-lost'));
    // Nobody has a right over `large`: without it `lab` borrows less than `dev` would.
    expect(said).toEqual(['start small', 'start large', 'evict small fair-share requeue', 'start other']);
  });
});

describe('a gang with several pod sets that lost a pod', () => {
  it('is completed in the slice that its other pods hold', () => {
    const rig = new CoreRig();
    rig.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['slice', 'host'] }) });
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 100 }) });
    for (const slice of ['s', 't']) {
      for (const at of [0, 1, 2, 3]) {
        rig.tell({ kind: 'node-seen', node: aNode(`${slice}${at}`, { topology: { slice }, devices: 4 }) });
      }
    }
    const podSets = [aPodSet({ name: 'x', count: 2, gpus: 4 }), aPodSet({ name: 'y', count: 1, gpus: 4 })];
    rig.submit(aWorkload('job', { podSets }));
    rig.settle();
    expect(rig.nodesOf('job')).toEqual({ s0: 1, s1: 1, s2: 1 });
    const pod = rig.podsOf('job').find(({ podSet }) => podSet === 'y');
    if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', blame: 'node', exitCode: 255 });
    expect(kindsOf(decided(rig)).at(-1)).toBe('start job');
    expect(Object.keys(rig.nodesOf('job')).every((node) => node.startsWith('s'))).toBe(true);
  });

  it('does not come back to a slice in which another has come to stand', () => {
    const rig = new CoreRig();
    const policy = aPolicy({ topologyLevels: ['slice', 'host'], preemption: { ...preemption, minRuntimeMs: 0 } });
    rig.tell({ kind: 'policy-set', policy });
    for (const model of ['h100', 'a100']) rig.tell({ kind: 'flavor-set', flavor: aFlavor(model) });
    const quotas = { a100: { nominal: 8000 } };
    rig.tell({ kind: 'queue-set', queue: aQueue('root', { quotas }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('owner', { parent: 'root', h100: 8 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: 0, quotas }) });
    rig.tell({ kind: 'node-seen', node: aNode('s0', { topology: { slice: 's' }, devices: 2 }) });
    rig.tell({ kind: 'node-seen', node: aNode('s1', { topology: { slice: 's' }, devices: 0 }) });
    rig.tell({ kind: 'node-seen', node: aNode('t', { model: 'a100', devices: 2 }) });
    const podSets = [aPodSet({ name: 'x', gpus: 1 }), aPodSet({ name: 'y', gpus: 2, flavors: ['a100'] })];
    rig.submit(aWorkload('visit', { queue: 'guest', podSets }));
    rig.settle();
    const pods = rig.podsOf('visit');
    const lost = pods.find(({ podSet }) => podSet === 'y');
    if (lost !== undefined) rig.endPod(lost, { outcome: 'lost', blame: 'node' });
    const [set] = setsOf(rig.decide().decisions);
    if (set !== undefined) rig.tell({ kind: 'set-committed', set });
    rig.goPods(pods);
    rig.submit(aWorkload('home', { queue: 'owner', pods: { gpus: 1 } }));
    expect(kindsOf(decided(rig)).filter((one) => one.startsWith('start'))).toEqual(['start home']);
  });

  it('does not open a slice of others by pods without devices', () => {
    const rig = new CoreRig();
    rig.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['slice', 'host'] }) });
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 100 }) });
    const slice = { topology: { slice: 's' } };
    rig.tell({ kind: 'node-seen', node: aNode('s1', { ...slice, devices: 0, labels: { plain: 'yes' } }) });
    rig.tell({ kind: 'node-seen', node: aNode('t', { devices: 1 }) });
    const plain = aPodSet({ name: 'plain', gpus: 0, flavors: [], nodeSelector: { plain: 'yes' } });
    rig.submit(aWorkload('job', { podSets: [plain, aPodSet({ name: 'devices', gpus: 1 })] }));
    rig.settle();
    rig.tell({ kind: 'node-seen', node: aNode('s0', { ...slice, devices: 2 }) });
    rig.submit(aWorkload('other', { pods: { gpus: 1 } }));
    rig.settle();
    expect([rig.nodesOf('job'), rig.nodesOf('other')]).toEqual([{ s1: 1, t: 1 }, { s0: 1 }]);
    rig.nodeState('t', 'lost');
    expect(kindsOf(decided(rig)).filter((one) => one.startsWith('start'))).toEqual([]);
  });
});
