import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf, setsOf } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Decision, Policy } from '../index.js';

/** One node of four devices and one queue; nothing is protected. */
function rigOf(preemption: Partial<Policy['preemption']> = {}): CoreRig {
  const rig = new CoreRig();
  const policy = aPolicy({ preemption: { ...aPolicy().preemption, minRuntimeMs: 0, ...preemption } });
  rig.tell({ kind: 'policy-set', policy });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 4 }) });
  rig.tell({ kind: 'node-seen', node: aNode('n', { devices: 4 }) });
  return rig;
}

function running(rig: CoreRig, ...names: readonly string[]): void {
  for (const name of names) rig.submit(aWorkload(name, { pods: { gpus: 2 } }));
  rig.settle();
}

function podsOf(decisions: readonly Decision[], workload: string) {
  return decisions.flatMap((one) => (one.kind === 'evict' && one.workload === workload ? one.pods : []));
}

describe('pods that others made', () => {
  it('are not placed again once one is bound: their eviction is the end', () => {
    const rig = rigOf();
    rig.submit(aWorkload('web', { isFound: true, pods: { gpus: 2 } }));
    rig.settle();
    rig.submit(aWorkload('urgent', { priority: 9, pods: { gpus: 4 } }));
    expect(kindsOf(rig.settle())).toEqual(['evict web preempted end', 'start urgent', 'finish web cancelled']);
  });

  it('are not placed again either when they have gone by the time that anybody looks', () => {
    const rig = rigOf();
    rig.submit(aWorkload('web', { isFound: true, pods: { gpus: 2 } }));
    rig.settle();
    for (const pod of rig.podsOf('web')) {
      rig.tell({ kind: 'pod-ended', pod, outcome: 'evicted', blame: 'node' }, { kind: 'pod-gone', pod });
    }
    expect(kindsOf(rig.settle())).toEqual(['evict web gang-incomplete end', 'finish web cancelled']);
  });

  it('wait again when all of them still waited for others to leave', () => {
    const rig = rigOf();
    rig.submit(aWorkload('old', { pods: { gpus: 4 } }));
    rig.settle();
    rig.submit(aWorkload('web', { isFound: true, priority: 5, pods: { gpus: 4 } }));
    rig.settle('only-commit');
    rig.tell({ kind: 'node-state-changed', node: 'n', state: 'draining', cause: 'maintenance' });
    expect(kindsOf(rig.settle('only-commit'))).toContain('evict web drained requeue');
  });
});

describe('a set in which several give way', () => {
  it('leaves everything as it was when it is refused', () => {
    const rig = rigOf();
    running(rig, 'a', 'b');
    const before = rig.view();
    rig.submit(aWorkload('urgent', { priority: 9, pods: { gpus: 4 } }));
    const { decisions } = rig.decide();
    expect(kindsOf(decisions)).toEqual(['evict b preempted requeue', 'evict a preempted requeue', 'start urgent']);
    expect(setsOf(decisions)).toHaveLength(1);
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'n' });
    expect([rig.stateOf('a'), rig.stateOf('b'), rig.stateOf('urgent')]).toEqual(['running', 'running', 'pending']);
    expect(rig.view().nodes).toEqual(before.nodes);
    expect(rig.view().queues).toEqual(before.queues.map((queue) => ({ ...queue, pending: 1 })));
  });

  it('takes from an elastic gang what it can spare, and evicts nobody', () => {
    const rig = rigOf();
    rig.submit(aWorkload('wide', { pods: { count: 4, minCount: 2 } }));
    rig.settle();
    rig.submit(aWorkload('urgent', { priority: 9, pods: { gpus: 1 } }));
    expect(kindsOf(rig.settle())).toEqual(['shrink wide', 'start urgent']);
    expect([rig.stateOf('wide'), rig.stateOf('urgent')]).toEqual(['running', 'running']);
  });

  it('refunds all that a gang pays of which first the surplus fell and then, looked at twice, the rest', () => {
    const rig = rigOf();
    rig.submit(aWorkload('wide', { pods: { count: 2, minCount: 1 } }));
    rig.settle();
    rig.nowMs += 60_000;
    for (const name of ['x', 'y']) rig.submit(aWorkload(name, { pods: { gpus: 1 } }));
    rig.settle();
    rig.submit(aWorkload('urgent', { priority: 9, pods: { gpus: 4 } }));
    const evicted = rig.settle().flatMap((one) => (one.kind === 'evict' ? [one] : []));
    const wide = evicted.find(({ workload }) => workload === 'wide');
    expect(wide).toMatchObject({ charges: [{ queue: 'lab', flavor: 'h100', milli: 2000 }] });
    expect(wide?.pods).toHaveLength(2);
  });
});

describe('a victim whose pod may not go yet', () => {
  it('makes the pre-emptor give its place back whole', () => {
    const rig = rigOf();
    running(rig, 'a', 'b');
    rig.submit(aWorkload('urgent', { priority: 9, pods: { gpus: 2 } }));
    const { decisions } = rig.decide();
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
    const [pod] = podsOf(decisions, 'b');
    if (pod === undefined) throw new Error('b does not give way');
    rig.tell({ kind: 'eviction-refused', pod, retryAtMs: 60_000 });
    const said = rig.decide().decisions;
    expect(said.some(({ kind, workload }) => kind === 'evict' && workload === 'urgent')).toBe(true);
  });

  it('is a misfit for a pod that was never asked to go', () => {
    const rig = rigOf();
    running(rig, 'a');
    const [pod] = rig.podsOf('a');
    if (pod === undefined) throw new Error('a does not run');
    const { misfits } = rig.view();
    rig.tell({ kind: 'eviction-refused', pod, retryAtMs: 60_000 });
    expect(rig.view().misfits).toBe(misfits + 1);
  });
});

describe('the brake', () => {
  it('lets a set larger than it go alone in an empty window, and keeps the next back until that is over', () => {
    const rig = rigOf({ brake: { evictions: 1, windowMs: 600_000 } });
    for (const name of ['a', 'b', 'c', 'd']) rig.submit(aWorkload(name, { pods: { gpus: 1 } }));
    rig.settle();
    rig.submit(aWorkload('wide', { priority: 9, pods: { gpus: 2 } }));
    rig.settle();
    rig.submit(aWorkload('slim', { priority: 9, pods: { gpus: 1 } }));
    rig.settle();
    expect([rig.stateOf('wide'), rig.stateOf('slim')]).toEqual(['running', 'pending']);
    expect(rig.decide().wakeAtMs).toBe(600_000);
    rig.nowMs = 600_000;
    rig.settle();
    expect(rig.stateOf('slim')).toBe('running');
  });
});

describe('a refused set with evictions', () => {
  it('gives the brake back what it had counted', () => {
    const rig = rigOf({ brake: { evictions: 1, windowMs: 600_000 } });
    for (const name of ['a', 'b', 'c', 'd']) rig.submit(aWorkload(name, { pods: { gpus: 1 } }));
    rig.settle();
    rig.submit(aWorkload('slim', { priority: 9, pods: { gpus: 1 } }));
    for (const set of setsOf(rig.decide().decisions)) rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'n' });
    expect(rig.stateOf('slim')).toBe('pending');
    rig.nowMs = 60_000;
    rig.settle();
    expect(rig.stateOf('slim')).toBe('running');
  });

  it('wakes whom the brake kept back, also where other devices are asked for', () => {
    const rig = rigOf({ brake: { evictions: 1, windowMs: 600_000 } });
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('a100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('ops', { quotas: { a100: { nominal: 4000 } } }) });
    rig.tell({ kind: 'node-seen', node: aNode('o', { devices: 4, model: 'a100' }) });
    const other = { queue: 'ops', pods: { gpus: 4, flavors: ['a100'] } };
    rig.submit(aWorkload('a', { pods: { gpus: 4 } }), aWorkload('b', other));
    rig.settle();
    rig.submit(aWorkload('slim', { priority: 9 }), aWorkload('next', { ...other, priority: 8 }));
    const { decisions } = rig.decide();
    expect(kindsOf(decisions)).toContain('start slim');
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'n' });
    expect(kindsOf(rig.decide().decisions)).toContain('start next');
  });
});

describe('who was evicted', () => {
  it('takes nothing back from the one that evicted it, until what gives rights has changed', () => {
    const rig = rigOf();
    rig.tell({ kind: 'queue-set', queue: aQueue('root', { h100: 12 }) });
    for (const name of ['ant', 'bee', 'cat'])
      rig.tell({ kind: 'queue-set', queue: aQueue(name, { parent: 'root', h100: 0 }) });
    rig.tell({ kind: 'node-seen', node: aNode('n', { devices: 12 }) });
    const submit = (name: string, wish: Parameters<typeof aWorkload>[1]) => {
      rig.submit(aWorkload(name, wish));
      rig.nowMs += 1000;
    };
    submit('rock', { queue: 'ant', preemptible: false, pods: { gpus: 3 } });
    submit('wing', { queue: 'bee', preemptible: false, pods: { gpus: 6 } });
    submit('sting', { queue: 'bee', pods: { gpus: 3 } });
    rig.settle();
    submit('march', { queue: 'ant', pods: { gpus: 3 } });
    rig.settle();
    expect([rig.stateOf('sting'), rig.stateOf('march')]).toEqual(['pending', 'running']);
    for (const pod of rig.podsOf('wing')) rig.endPod(pod);
    rig.goPods(rig.podsOf('wing'));
    submit('nap', { queue: 'cat', priority: 99, preemptible: false, pods: { gpus: 6 } });
    rig.settle();
    expect([rig.stateOf('nap'), rig.stateOf('sting'), rig.stateOf('march')]).toEqual(['running', 'pending', 'running']);
    rig.tell({ kind: 'workload-changed', workload: 'rock', change: { priority: 1 } });
    rig.settle();
    expect([rig.stateOf('sting'), rig.stateOf('march')]).toEqual(['running', 'pending']);
  });
});

describe('a set that the ledger refuses', () => {
  it('wakes who may now take from the one that it was about', () => {
    const rig = rigOf();
    rig.tell({ kind: 'queue-set', queue: aQueue('root') });
    rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: 0 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('owner', { parent: 'root', h100: 4 }) });
    rig.submit(aWorkload('g', { queue: 'guest', pods: { gpus: 1, count: 4, minCount: 2 } }));
    rig.settle();
    const [lost] = rig.podsOf('g');
    if (lost === undefined) throw new Error('nobody runs');
    rig.endPod(lost, { outcome: 'failed', exitCode: 1 });
    rig.goPods([lost]);
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4 } }));
    const { decisions } = rig.decide();
    const [set] = setsOf(decisions);
    if (set === undefined) throw new Error('nothing is released');
    rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'n' });
    expect(kindsOf(rig.decide().decisions)).toContain('start o');
  });
});
