import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf, setsOf } from '../../../test/support/core-rig.js';
import { aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Decision, PodRef, Snapshot, WorkloadSpec } from '../index.js';
import { isForDisplay } from '../index.js';

/** A gang of two on nodes a and b, one pod each, all devices; c is free. Its pods take their time to leave. */
function pairOn(nodes: readonly string[] = ['a', 'b', 'c'], spec: Partial<WorkloadSpec> = {}): CoreRig {
  const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
  rig.submit(aWorkload('pair', { pods: { count: 2, gpus: 8 }, ...spec }));
  rig.settle();
  for (const name of nodes.slice(2)) rig.tell({ kind: 'node-seen', node: aNode(name, { rack: 'r1' }) });
  return rig;
}

/** What is decided with the end of the gang, and once that is in the ledger, besides it and what is for display. */
function afterTheEnd(rig: CoreRig): readonly Decision[] {
  const first = rig.decide().decisions;
  commit(rig, first);
  const said = [...first, ...rig.decide().decisions];
  return said.filter((one) => !isForDisplay(one) && !(one.kind === 'evict' && one.for === undefined));
}

function commit(rig: CoreRig, decisions: readonly Decision[]): void {
  for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
}

function waitsFor(rig: CoreRig, workload = 'pair'): readonly string[] {
  return rig.startOf(workload)?.waitsFor.map(nameOf) ?? [];
}

const nameOf = ({ workload, incarnation, index }: PodRef) => `${workload}/${incarnation}/${index}`;

interface Case {
  readonly happens: (rig: CoreRig, pods: readonly PodRef[]) => void;
  readonly spec?: Partial<WorkloadSpec>;
  readonly want: readonly string[];
  readonly on?: Readonly<Record<string, number>>;
  /** Pods of before that still stand where it comes. */
  readonly behind?: readonly string[];
}

const cases: Record<string, Case> = {
  'has lost a node': {
    happens: (rig) => {
      rig.nodeState('a', 'lost');
    },
    want: ['start pair'],
    on: { b: 1, c: 1 },
    behind: ['pair/1/1'],
  },
  'has lost a node that was fenced': {
    happens: (rig) => {
      rig.nodeState('a', 'lost');
      rig.tell({ kind: 'node-fenced', node: 'a' });
    },
    want: ['start pair'],
    on: { b: 1, c: 1 },
    behind: ['pair/1/1'],
  },
  'must leave a node: its pods get their time to save': {
    happens: (rig) => {
      rig.nodeState('b', 'draining');
    },
    want: ['start small'],
  },
  'has a pod that the node failed': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', blame: 'node', exitCode: 255 });
    },
    want: ['start pair', 'start small'],
    on: { a: 1, b: 1 },
    behind: ['pair/1/0', 'pair/1/1'],
  },
  'has a pod that vanished, and takes its place again when no other is free': {
    happens: (rig, [pod]) => {
      rig.tell({ kind: 'node-removed', node: 'c' });
      if (pod !== undefined) rig.tell({ kind: 'pod-gone', pod });
    },
    want: ['start pair'],
    on: { a: 1, b: 1 },
    behind: ['pair/1/1'],
  },
  'has a pod that failed by its own fault: it waits first': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', exitCode: 1 });
    },
    want: ['start small'],
  },
  'is held': {
    happens: (rig) => {
      rig.tell({ kind: 'workload-changed', workload: 'pair', change: { hold: true } });
      rig.nodeState('a', 'lost');
    },
    want: ['start small'],
  },
  'has no node left to come to': {
    happens: (rig) => {
      rig.tell({ kind: 'node-seen', node: aNode('c', { rack: 'r1', devices: 4 }) });
      rig.nodeState('a', 'lost');
    },
    want: ['start small'],
  },
  'would be over its quota by now': {
    happens: (rig) => {
      rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 8 }) });
      rig.nodeState('a', 'lost');
    },
    want: ['start small'],
  },
  'asks for less by now': {
    happens: (rig) => {
      const counts = { worker: { count: 1, minCount: 1 } };
      rig.nodeState('a', 'lost');
      commit(rig, rig.decide().decisions);
      rig.tell({ kind: 'workload-changed', workload: 'pair', change: { counts } });
    },
    want: ['start pair', 'start small'],
    on: { b: 1 },
    behind: ['pair/1/1'],
  },
};

describe('a gang that', () => {
  it.each(Object.entries(cases))('%s', (_title, { happens, spec = {}, want, on, behind = [] }) => {
    const rig = pairOn(undefined, spec);
    happens(rig, rig.podsOf('pair'));
    rig.submit(aWorkload('small', { priority: 9, pods: { gpus: 4 }, queue: 'other' }));
    rig.tell({ kind: 'queue-set', queue: aQueue('other', { h100: 8 }) });
    expect(kindsOf(afterTheEnd(rig))).toEqual(want);
    if (on === undefined) return;
    expect(rig.nodesOf('pair')).toEqual(on);
    expect(waitsFor(rig)).toEqual(behind);
  });
});

describe('while the end of a gang is not answered', () => {
  it('nothing new starts, and its refusal lets others go on', () => {
    const rig = pairOn();
    rig.nodeState('a', 'lost');
    rig.submit(aWorkload('small', { priority: 9, pods: { gpus: 4 } }));
    const { decisions } = rig.decide();
    expect(kindsOf(decisions)).toEqual(['evict pair node-lost requeue']);
    expect(rig.decide().decisions).toEqual([]);
    for (const set of setsOf(decisions)) rig.tell({ kind: 'set-refused', set, why: 'workload-state' });
    expect(kindsOf(rig.decide().decisions)).toEqual(['start small']);
  });

  it('a core that is restored from a snapshot repairs it all the same', () => {
    const rig = pairOn();
    rig.nodeState('a', 'lost');
    const { decisions } = rig.decide();
    const snapshot = JSON.parse(JSON.stringify(rig.scheduler.snapshot())) as Snapshot;
    const restored = CoreRig.restored(snapshot, 0);
    for (const one of [rig, restored]) commit(one, decisions);
    restored.submit(aWorkload('small', { priority: 9, pods: { gpus: 4 } }));
    expect(kindsOf(restored.decide().decisions)[0]).toBe('start pair');
    expect(restored.nodesOf('pair')).toEqual({ b: 1, c: 1 });
  });
});

describe('a start in the place of its own pods', () => {
  it('keeps their place from others, and comes when they are gone', () => {
    const rig = pairOn();
    const before = rig.podsOf('pair');
    rig.nodeState('a', 'lost');
    commit(rig, afterTheEnd(rig));
    expect(rig.stateOf('pair')).toBe('starting');
    rig.goPods(before.slice(1));
    rig.submit(aWorkload('small', { priority: 9, pods: { gpus: 1 } }));
    expect(rig.settle('only-commit').filter((one) => !isForDisplay(one))).toEqual([]);
    rig.startPods(rig.podsOf('pair'));
    rig.settle();
    expect(rig.stateOf('pair')).toBe('running');
  });

  it('waits like everybody else once it was refused', () => {
    const rig = pairOn();
    const before = rig.podsOf('pair');
    rig.nodeState('a', 'lost');
    const said = afterTheEnd(rig);
    for (const set of setsOf(said)) rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'c' });
    expect(rig.stateOf('pair')).toBe('evicting');
    rig.submit(aWorkload('small', { pods: { gpus: 4 } }));
    expect(kindsOf(rig.settle())).toEqual(['start small']);
    rig.nowMs = 10_000;
    rig.goPods(before.slice(1));
    rig.nodeState('a', 'healthy');
    rig.goPods(before.slice(0, 1));
    expect(kindsOf(rig.settle())).toEqual(['start pair']);
    expect(rig.startOf('pair')?.incarnation).toBe(2);
  });

  it('breaks again when one of them may not go, and is repaired around it', () => {
    const rig = pairOn(['a', 'b', 'c', 'd']);
    const [, pod] = rig.podsOf('pair');
    rig.nodeState('a', 'lost');
    commit(rig, afterTheEnd(rig));
    if (pod !== undefined) rig.tell({ kind: 'eviction-refused', pod, retryAtMs: 60_000 });
    expect(kindsOf(afterTheEnd(rig))).toEqual(['start pair']);
    expect(rig.nodesOf('pair')).toEqual({ c: 1, d: 1 });
    expect(rig.startOf('pair')?.incarnation).toBe(3);
  });

  it('may end before they are gone: the next one waits for all of them', () => {
    const rig = pairOn(['a', 'b', 'c', 'd']);
    rig.nodeState('a', 'lost');
    commit(rig, afterTheEnd(rig));
    rig.nodeState('c', 'lost');
    expect(kindsOf(afterTheEnd(rig))).toEqual(['start pair']);
    expect(rig.nodesOf('pair')).toEqual({ b: 1, d: 1 });
    expect(waitsFor(rig)).toEqual(['pair/1/1', 'pair/2/0']);
  });
});

describe('a place that broke while victims were leaving it', () => {
  /** `urgent` has evicted `y` from c and `z` from d and waits for them; `w` and `x` run on a and b. */
  function evicting(): CoreRig {
    const rig = CoreRig.withRacks({ r1: ['a', 'b', 'c', 'd'] });
    const { preemption } = aPolicy();
    rig.tell({ kind: 'policy-set', policy: aPolicy({ preemption: { ...preemption, minRuntimeMs: 1000 } }) });
    for (const name of ['w', 'x', 'y', 'z']) {
      rig.submit(aWorkload(name, { pods: { gpus: 8 } }));
      rig.settle();
    }
    rig.nowMs = 5000;
    rig.submit(aWorkload('urgent', { priority: 9, pods: { count: 2, gpus: 8 } }));
    commit(rig, rig.decide().decisions);
    return rig;
  }

  function refuse(rig: CoreRig, victim: string): void {
    const [pod] = rig.podsOf(victim);
    if (pod !== undefined) rig.tell({ kind: 'eviction-refused', pod, retryAtMs: 60_000 });
  }

  it('keeps what stands of it, and evicts somebody else for the rest', () => {
    const rig = evicting();
    expect(rig.nodesOf('urgent')).toEqual({ c: 1, d: 1 });
    refuse(rig, 'z');
    expect(kindsOf(afterTheEnd(rig))).toEqual(['evict x preempted requeue', 'start urgent']);
    expect(rig.nodesOf('urgent')).toEqual({ b: 1, c: 1 });
    expect(waitsFor(rig, 'urgent')).toEqual(['urgent/1/0', 'y/1/0', 'x/1/0']);
  });

  it('is given back whole when it breaks once more: for a while it evicts nobody else', () => {
    const rig = evicting();
    refuse(rig, 'z');
    commit(rig, afterTheEnd(rig));
    refuse(rig, 'x');
    expect(kindsOf(afterTheEnd(rig))).toEqual([]);
    expect([rig.stateOf('urgent'), rig.stateOf('w')]).toEqual(['evicting', 'running']);
  });

  it('takes what is free in the place of an eviction', () => {
    const rig = evicting();
    refuse(rig, 'z');
    rig.tell({ kind: 'node-seen', node: aNode('e', { rack: 'r1' }) });
    expect(kindsOf(afterTheEnd(rig))).toEqual(['start urgent']);
    expect(rig.nodesOf('urgent')).toEqual({ c: 1, e: 1 });
    expect(waitsFor(rig, 'urgent')).toEqual(['urgent/1/0', 'y/1/0']);
  });
});
