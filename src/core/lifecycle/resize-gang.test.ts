import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../../test/support/core-rig.js';
import { aNode, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Decision, PodRef } from '../index.js';

const MINUTE = 60_000;

/** A gang that may have 1 to 3 pods of 4 devices, on nodes of 8. */
function anElastic(id: string, minCount = 1, count = 3): ReturnType<typeof aWorkload> {
  return aWorkload(id, { pods: { count, minCount, gpus: 4 } });
}

function refsOf(decision: Decision | undefined): readonly PodRef[] {
  if (decision?.kind === 'grow') return decision.seats.map(({ pod }) => pod);
  return decision?.kind === 'shrink' || decision?.kind === 'release' ? decision.pods : [];
}

const indexesOf = (decision: Decision | undefined) => refsOf(decision).map(({ index }) => index);

describe('an elastic gang that runs', () => {
  it('grows when something comes free, with indexes never used before, and pays for it', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('big', { pods: { gpus: 4 } }), anElastic('gang'));
    rig.settle();
    expect(rig.podsOf('gang')).toHaveLength(1);
    for (const pod of rig.podsOf('big')) {
      rig.endPod(pod);
      rig.goPods([pod]);
    }
    const said = rig.settle();
    expect(kindsOf(said)).toEqual(['release big', 'finish big succeeded', 'grow gang']);
    expect(indexesOf(said[2])).toEqual([1]);
    expect(rig.view().queues[0]?.flavors[0]?.used).toBe(8000);
  });

  it('waits until every waiting minimum had its turn', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('big', { pods: { gpus: 4 } }), anElastic('gang'));
    rig.settle();
    rig.submit(aWorkload('later', { priority: -1, pods: { gpus: 4 } }));
    rig.settle();
    for (const pod of rig.podsOf('big')) {
      rig.endPod(pod);
      rig.goPods([pod]);
    }
    expect(kindsOf(rig.settle())).toEqual(['release big', 'finish big succeeded', 'start later']);
  });

  it('goes on when it loses pods above its minimum, and grows again on a node that is there', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(anElastic('gang', 2));
    rig.settle();
    expect(rig.nodesOf('gang')).toEqual({ a: 2, b: 1 });
    rig.nodeState('b', 'lost');
    expect(kindsOf(rig.settle())).toEqual(['release gang']);
    rig.nodeState('b', 'healthy');
    const [grow] = rig.settle();
    expect(grow).toMatchObject({ kind: 'grow', incarnation: 1 });
    expect(indexesOf(grow)).toEqual([3]);
  });

  it('stays inside the domain that it requires', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    const topology = { kind: 'required', level: 'rack' } as const;
    rig.submit(aWorkload('gang', { pods: { count: 4, minCount: 1, gpus: 4, topology } }));
    rig.settle();
    rig.tell({ kind: 'node-seen', node: { ...aNodeOf('b'), topology: { rack: 'r2' } } });
    expect(rig.settle()).toEqual([]);
    rig.tell({ kind: 'node-seen', node: { ...aNodeOf('c'), topology: { rack: 'r1' } } });
    expect(kindsOf(rig.settle())).toEqual(['grow gang']);
  });

  it('stays inside its quota, and grows when that is raised', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 8 }) });
    rig.submit(anElastic('gang'));
    rig.settle();
    expect(rig.podsOf('gang')).toHaveLength(2);
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 11 }) });
    expect(rig.settle()).toEqual([]);
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 12 }) });
    expect(kindsOf(rig.settle())).toEqual(['grow gang']);
  });

  it('gives its growth back when that is refused, and tries it again after the first backoff', () => {
    const rig = grown();
    const { decisions } = rig.decide();
    rig.tell({ kind: 'set-refused', set: decisions[0]?.set ?? 0, why: 'slot', at: 'b' });
    expect(rig.view().queues[0]?.flavors[0]?.used).toBe(8000);
    expect(rig.decide()).toMatchObject({ decisions: [], wakeAtMs: 10_000 });
    rig.nowMs = 10_000;
    expect(indexesOf(rig.settle()[0])).toEqual([3]);
  });

  it('grows at once when it comes up after the rest that a failed pod has cost it', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(anElastic('gang', 1, 2));
    rig.settle('only-commit');
    const [first, second] = rig.podsOf('gang');
    if (first === undefined || second === undefined) throw new Error('two pods start');
    rig.endPod(second, { outcome: 'failed', blame: 'workload', exitCode: 1 });
    rig.goPods([second]);
    expect(kindsOf(rig.settle('only-commit'))).toEqual(['release gang']);
    rig.nowMs = 10_000;
    rig.startPods([first]);
    expect(kindsOf(rig.decide().decisions)).toEqual(['grow gang']);
  });

  it('gives up pods that do not come up in time, and rests before it grows again', () => {
    const rig = grown();
    rig.settle('only-commit');
    expect(rig.decide().wakeAtMs).toBe(5 * MINUTE);
    rig.nowMs = 5 * MINUTE;
    const said = rig.settle('only-commit');
    expect(kindsOf(said)).toEqual(['shrink gang']);
    expect(indexesOf(said[0])).toEqual([2]);
    rig.goPods(refsOf(said[0]));
    expect(rig.decide()).toMatchObject({ decisions: [], wakeAtMs: 10 * MINUTE });
    rig.nowMs = 10 * MINUTE;
    expect(indexesOf(rig.settle()[0])).toEqual([3]);
  });

  it('gives up the highest indexes when its counts are lowered, and follows them up again at once', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(anElastic('gang'));
    rig.settle();
    rig.tell({ kind: 'workload-changed', workload: 'gang', change: { counts: { worker: { count: 1, minCount: 1 } } } });
    const [shrink] = rig.settle();
    expect(shrink).toMatchObject({ kind: 'shrink', because: { rule: 'counts-lowered' } });
    expect(indexesOf(shrink)).toEqual([2, 1]);
    rig.tell({ kind: 'workload-changed', workload: 'gang', change: { counts: { worker: { count: 2, minCount: 1 } } } });
    expect(indexesOf(rig.settle()[0])).toEqual([3]);
  });

  it('starts anew when more pods are its minimum than it has', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(anElastic('gang', 1, 1));
    rig.settle();
    rig.tell({ kind: 'workload-changed', workload: 'gang', change: { counts: { worker: { count: 2, minCount: 2 } } } });
    expect(kindsOf(rig.settle())).toEqual(['evict gang gang-incomplete requeue', 'start gang']);
  });

  it('counts a change of pod sets that it does not have as a misfit', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(anElastic('gang'));
    rig.tell({ kind: 'workload-changed', workload: 'gang', change: { counts: { other: { count: 1, minCount: 1 } } } });
    expect(rig.view().misfits).toBe(1);
  });
});

describe('pods that start each by itself and are replaced', () => {
  it('start when there is room for one, and the others when there is', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('web', { pods: { count: 3, gpus: 4, start: 'each', onLoss: 'replace' } }));
    rig.settle();
    expect(rig.podsOf('web')).toHaveLength(2);
    rig.tell({ kind: 'node-seen', node: aNodeOf('b') });
    expect(kindsOf(rig.settle())).toEqual(['grow web']);
  });

  it('get a new one for a lost one, while the others run on', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('web', { pods: { count: 2, gpus: 4, start: 'each', onLoss: 'replace' } }));
    rig.settle();
    const [first] = rig.podsOf('web');
    if (first === undefined) throw new Error('web has started');
    rig.endPod(first, { outcome: 'evicted', blame: 'node' });
    expect(kindsOf(rig.settle())).toEqual(['release web']);
    rig.goPods([first]);
    const [grow] = rig.settle();
    expect(grow).toMatchObject({ kind: 'grow', incarnation: 1 });
    expect(indexesOf(grow)).toEqual([2]);
  });
});

function aNodeOf(name: string): ReturnType<typeof aNode> {
  return aNode(name, { rack: 'r1' });
}

/** A gang of two on one node whose growth onto another is decided next. */
function grown(): CoreRig {
  const rig = CoreRig.withRacks({ r1: ['a'] });
  rig.submit(anElastic('gang'));
  rig.settle();
  rig.tell({ kind: 'node-seen', node: aNodeOf('b') });
  return rig;
}
