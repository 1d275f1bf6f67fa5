import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf, setsOf } from '../../../test/support/core-rig.js';
import { aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { PodRef, SchedulerInput, Seat } from '../index.js';

describe('cancelling', () => {
  it('finishes a pending workload at once', () => {
    const rig = CoreRig.withRacks({ r1: [] });
    rig.submit(aWorkload('job'));
    rig.settle();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    expect(kindsOf(rig.settle())).toEqual(['finish job cancelled']);
    expect(rig.stateOf('job')).toBe('gone');
  });

  it('waits for the answer to a start that is in flight, then stops it', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    const { decisions } = rig.decide();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    expect(rig.decide().decisions).toEqual([]);
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
    expect(kindsOf(rig.settle())).toEqual(['evict job cancelled end', 'finish job cancelled']);
  });

  it('finishes at once when the start in flight is refused', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    const { decisions } = rig.decide();
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'a' });
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    expect(kindsOf(rig.settle())).toEqual(['finish job cancelled']);
  });

  it('finishes at once, too, when that refusal comes after the wish', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    const { decisions } = rig.decide();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'a' });
    expect(kindsOf(rig.settle())).toEqual(['finish job cancelled']);
  });

  it('waits until the pods of a running workload are gone, but not for those of a silent node', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(aWorkload('job', { pods: { count: 2, gpus: 8 } }));
    rig.settle();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['evict job cancelled end']);
    expect(rig.stateOf('job')).toBe('evicting');
    rig.goPods(rig.podsOf('job').slice(0, 1));
    expect(rig.settle()).toEqual([]);
    rig.nodeState('b', 'lost');
    expect(kindsOf(rig.settle())).toEqual(['finish job cancelled']);
    expect(rig.view().nodes.map(({ pods }) => pods)).toEqual([0, 1]);
  });
});

describe('a refused set', () => {
  it('gives a start back, keeps its number, and waits for the node that was named', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    const [start] = rig.decide().decisions;
    rig.tell({ kind: 'set-refused', set: start?.set ?? 0, why: 'node-state', at: 'a' });
    expect(rig.view().nodes[0]?.freeMilli).toEqual(Array(8).fill(1000));
    expect(rig.view().queues[0]?.flavors[0]?.used).toBe(0);
    expect(kindsOf(rig.settle())).toEqual(['wait job hold']);
    rig.nodeState('a', 'suspect');
    rig.nodeState('a', 'healthy');
    expect(rig.settle()[0]).toMatchObject({ kind: 'start', incarnation: 1 });
  });

  it('is tried again after the first backoff, whatever was named', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    const [start] = rig.decide().decisions;
    rig.tell({ kind: 'set-refused', set: start?.set ?? 0, why: 'quota', at: 'lab' });
    expect(rig.decide().wakeAtMs).toBe(10_000);
    rig.nowMs = 10_000;
    expect(kindsOf(rig.settle())).toEqual(['start job']);
  });

  it('is not tried again for the same news of a node', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    const sickAndForeign: readonly SchedulerInput[] = [
      { kind: 'device-state-changed', node: 'a', slot: 7, state: 'suspect' },
      { kind: 'foreign-use-seen', node: 'a', use: { cpuMilli: 10, memoryMib: 10, pods: 1 }, slots: [6] },
    ];
    rig.tell(...sickAndForeign);
    rig.submit(aWorkload('job'));
    const [start] = rig.decide().decisions;
    rig.tell({ kind: 'set-refused', set: start?.set ?? 0, why: 'node-state', at: 'a' });
    rig.settle();
    rig.tell(...sickAndForeign, { kind: 'node-seen', node: aNode('a', { rack: 'r1' }) });
    rig.nodeState('a', 'healthy');
    expect(rig.settle()).toEqual([]);
    rig.tell({ kind: 'foreign-use-seen', node: 'a', use: { cpuMilli: 10, memoryMib: 10, pods: 1 }, slots: [5] });
    expect(kindsOf(rig.settle())).toEqual(['start job']);
  });

  it('says the end of a late start again, though its deadline has long passed', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    rig.settle('only-commit');
    rig.nowMs = 300_000;
    const [evict] = rig.decide().decisions;
    rig.tell({ kind: 'set-refused', set: evict?.set ?? 0, why: 'workload-state' });
    expect(rig.decide()).toMatchObject({ decisions: [], wakeAtMs: 310_000 });
    rig.nowMs = 310_000;
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['evict job gang-incomplete requeue']);
  });

  it('leaves an eviction undone, and says it again later', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    rig.settle();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    const [evict] = rig.decide().decisions;
    rig.tell({ kind: 'set-refused', set: evict?.set ?? 0, why: 'workload-state' });
    expect(rig.stateOf('job')).toBe('running');
    expect(rig.settle()).toEqual([]);
    rig.nowMs = 10_000;
    expect(kindsOf(rig.settle())).toEqual(['evict job cancelled end', 'finish job cancelled']);
  });

  it('says an eviction again at once when the owner changes something, but not when told of the same wish twice', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    rig.settle();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    const [evict] = rig.decide().decisions;
    rig.tell({ kind: 'set-refused', set: evict?.set ?? 0, why: 'workload-state' });
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    expect(rig.settle()).toEqual([]);
    rig.tell({ kind: 'workload-changed', workload: 'job', change: {} });
    expect(kindsOf(rig.settle())).toEqual(['evict job cancelled end', 'finish job cancelled']);
  });
});

/** The only node has refused the pod of a workload. */
function rigAfterRefusal(): CoreRig {
  const rig = CoreRig.withRacks({ r1: ['a'] });
  rig.submit(aWorkload('job'));
  rig.settle('only-commit');
  const [pod] = rig.podsOf('job');
  if (pod !== undefined) rig.tell({ kind: 'pod-refused', pod, why: 'disk full', retry: 'elsewhere' });
  rig.settle('only-commit');
  return rig;
}

describe('starting again', () => {
  it('raises the incarnation, and goes elsewhere while the lost node keeps its slots blocked', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(aWorkload('job', { pods: { gpus: 8 } }));
    rig.settle();
    rig.nodeState('a', 'lost');
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['evict job node-lost requeue', 'start job']);
    expect(rig.startOf('job')).toMatchObject({ incarnation: 2, seats: [{ node: 'b' }] });
    rig.nodeState('a', 'healthy');
    rig.submit(aWorkload('next', { pods: { gpus: 8 } }));
    expect(kindsOf(rig.settle())).toEqual(['wait next capacity']);
  });

  it('waits for pods of the last incarnation that still run on nodes that answer, when it was not repaired at once', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(aWorkload('job', { pods: { count: 2, gpus: 8 } }));
    rig.settle();
    const pods = rig.podsOf('job');
    rig.nodeState('a', 'lost');
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['evict job node-lost requeue']);
    rig.tell({ kind: 'node-seen', node: aNode('c', { rack: 'r1' }) });
    expect(kindsOf(rig.settle('only-commit'))).toEqual([]);
    rig.goPods(pods.slice(1));
    expect(kindsOf(rig.settle())).toEqual(['start job']);
  });

  it('waits again for a pod on a node that answers again before there was room elsewhere', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job', { pods: { gpus: 2 } }));
    rig.settle();
    const pods = rig.podsOf('job');
    rig.nodeState('a', 'lost');
    rig.settle('only-commit');
    expect(rig.stateOf('job')).toBe('pending');
    rig.nodeState('a', 'healthy');
    expect(kindsOf(rig.settle('only-commit'))).toEqual([]);
    expect(rig.stateOf('job')).toBe('evicting');
    rig.goPods(pods);
    expect(kindsOf(rig.settle())).toEqual(['start job']);
  });

  it('waits for its backoff, and wakes for it', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    rig.settle();
    const [pod] = rig.podsOf('job');
    if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', exitCode: 1 });
    expect(kindsOf(rig.settle())).toEqual(['evict job gang-incomplete requeue', 'wait job hold']);
    expect(rig.decide().wakeAtMs).toBe(10_000);
    rig.nowMs = 9_999;
    expect(rig.settle()).toEqual([]);
    rig.nowMs = 10_000;
    expect(kindsOf(rig.settle())).toEqual(['start job']);
  });

  it('keeps away from a node that refused its pods, until it changes', () => {
    const rig = rigAfterRefusal();
    rig.nowMs = 10_000;
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['wait job node-state']);
    rig.tell({ kind: 'node-seen', node: aNode('a', { rack: 'r1', cpu: 97 }) });
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['start job']);
  });

  it('forgives that node after five minutes', () => {
    const rig = rigAfterRefusal();
    rig.nowMs = 300_000;
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['start job']);
  });
});

describe('a hold', () => {
  it('keeps a pending workload from starting until it is lifted, and says so once', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job', { hold: true }));
    expect(kindsOf(rig.settle())).toEqual(['wait job hold']);
    rig.tell({ kind: 'workload-changed', workload: 'job', change: { hold: false } });
    expect(kindsOf(rig.settle())).toEqual(['start job']);
  });
});

describe('rebuilding from a ledger', () => {
  const seat = (index: number, node: string, incarnation = 4): Seat => ({
    pod: { workload: 'job', incarnation, podSet: 'worker', index },
    node,
    slots: [{ slot: index, milli: 1000 }],
    cpuMilli: 1000,
    memoryMib: 1024,
  });
  const rebuilt = (wish: Parameters<typeof aWorkload>[1] = {}): CoreRig => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(aWorkload('job', { incarnation: 4, retries: 2, pods: { count: 2 }, ...wish }));
    return rig;
  };

  it('takes back seats, charges and states', () => {
    const rig = rebuilt();
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a'), state: 'started' });
    rig.tell({ kind: 'pod-adopted', seat: seat(1, 'b'), state: 'started' });
    expect(rig.settle()).toEqual([]);
    expect(rig.stateOf('job')).toBe('running');
    expect(rig.view().queues[0]?.flavors[0]?.used).toBe(2000);
    expect(rig.view().nodes.map(({ freeMilli }) => freeMilli.slice(0, 2))).toEqual([
      [0, 1000],
      [1000, 0],
    ]);
  });

  it('charges a pod for devices that its node tells of no more', () => {
    const rig = rebuilt();
    const lost = { ...seat(0, 'a'), slots: [{ slot: 99, milli: 1000 }] };
    rig.tell({ kind: 'pod-adopted', seat: lost, state: 'started' });
    rig.tell({ kind: 'pod-adopted', seat: seat(1, 'b'), state: 'started' });
    expect(rig.settle()).toEqual([]);
    expect(rig.view().queues[0]?.flavors[0]?.used).toBe(2000);
  });

  it('goes on with a start that was half up, by its deadline', () => {
    const rig = rebuilt();
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a'), state: 'expected' });
    rig.tell({ kind: 'pod-adopted', seat: seat(1, 'b'), state: 'bound' });
    expect(rig.decide()).toMatchObject({ decisions: [], wakeAtMs: 300_000 });
    expect(rig.stateOf('job')).toBe('starting');
  });

  it('ends a gang of which a part is missing', () => {
    const rig = rebuilt();
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a'), state: 'started' });
    expect(kindsOf(rig.decide().decisions)).toEqual(['evict job gang-incomplete requeue']);
  });

  it('waits for pods that are leaving, then starts the next incarnation', () => {
    const rig = rebuilt();
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a'), state: 'leaving' });
    expect(rig.settle()).toEqual([]);
    rig.goPods([seat(0, 'a').pod]);
    expect(rig.settle()[0]).toMatchObject({ kind: 'start', incarnation: 5 });
  });

  it('finishes what was ending', () => {
    const rig = rebuilt({ ending: 'fail' });
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a'), state: 'leaving' });
    expect(rig.settle()).toEqual([]);
    rig.goPods([seat(0, 'a').pod]);
    expect(kindsOf(rig.settle())).toEqual(['finish job failed']);
  });

  it('blocks the slots of a pod that no workload knows any more', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    const stray = { ...seat(0, 'a'), slots: [{ slot: 3, milli: 1000 }] };
    rig.tell({ kind: 'pod-adopted', seat: stray, state: 'leaving' });
    expect(rig.view().nodes[0]?.freeMilli[3]).toBe(0);
    rig.goPods([stray.pod]);
    expect(rig.view().nodes[0]?.freeMilli[3]).toBe(1000);
  });

  it('gives no pod the name of one that still blocks slots, though the workload is told anew', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a', 1), state: 'leaving' });
    rig.submit(aWorkload('job'));
    expect(rig.settle('only-commit')[0]).toMatchObject({ kind: 'start', incarnation: 2 });
  });

  it('pays for no pod that is found after the end was decided', () => {
    const rig = rebuilt();
    rig.tell({ kind: 'workload-cancelled', workload: 'job' });
    const { decisions } = rig.decide();
    expect(kindsOf(decisions)).toEqual(['finish job cancelled']);
    rig.tell({ kind: 'pod-adopted', seat: seat(0, 'a'), state: 'started' });
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
    expect(rig.view().queues[0]?.flavors[0]?.used).toBe(0);
    expect(rig.view().nodes[0]?.freeMilli[0]).toBe(0);
  });

  it('starts at once what held nothing', () => {
    const rig = rebuilt();
    expect(rig.settle()[0]).toMatchObject({ kind: 'start', incarnation: 5 });
  });
});

describe('events that do not fit', () => {
  const pod: PodRef = { workload: 'job', incarnation: 1, podSet: 'worker', index: 0 };

  it('change nothing, and are counted', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    rig.settle();
    const before = { ...rig.scheduler.snapshot(), seq: 0, misfits: 0 };
    rig.tell(
      { kind: 'workload-submitted', workload: aWorkload('job') },
      { kind: 'workload-submitted', workload: aWorkload('twins', { podSets: [aPodSet(), aPodSet()] }) },
      { kind: 'workload-cancelled', workload: 'nobody' },
      { kind: 'node-removed', node: 'nowhere' },
      { kind: 'queue-removed', queue: 'lab' },
      { kind: 'queue-removed', queue: 'nowhere' },
      { kind: 'flavor-removed', flavor: 'nothing' },
      { kind: 'queue-set', queue: aQueue('lab', { parent: 'lab' }) },
      { kind: 'set-committed', set: 999 },
      { kind: 'pod-bound', pod },
      { kind: 'pod-started', pod },
      { kind: 'pod-gone', pod: { ...pod, incarnation: 9 } },
      { kind: 'pod-ended', pod: { ...pod, index: 9 }, outcome: 'lost', blame: 'node' },
      { kind: 'checkpoint-saved', workload: 'nobody', incarnation: 1, savedAtMs: 1 },
    );
    expect({ ...rig.scheduler.snapshot(), seq: 0, misfits: 0 }).toEqual(before);
    expect(rig.view().misfits).toBe(14);
  });

  it('are counted when they were heard before, and a gap in their numbers is a bug', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.scheduler.apply({ kind: 'node-removed', node: 'a', seq: 1, atMs: 0 });
    expect(rig.view()).toMatchObject({ misfits: 1, nodes: [{ name: 'a' }] });
    expect(() => {
      rig.scheduler.apply({ kind: 'node-removed', node: 'a', seq: 99, atMs: 0 });
    }).toThrow('no event is left out');
  });
});

describe('a pod that is given up while it waits for others', () => {
  it('was never there: its node is not overdrawn', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('low', { pods: { gpus: 8 } }));
    rig.settle();
    rig.nowMs = 1_000_000;
    rig.submit(aWorkload('high', { priority: 5, pods: { count: 2, gpus: 4 } }));
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['evict low preempted requeue', 'start high']);
    const [first] = rig.podsOf('high');
    if (first === undefined) throw new Error('high has started');
    rig.endPod(first, { outcome: 'deleted', blame: 'scheduler' });
    rig.goPods([first]);
    expect(rig.view().nodes[0]?.freeMilli).toEqual(Array(8).fill(0));
  });
});
