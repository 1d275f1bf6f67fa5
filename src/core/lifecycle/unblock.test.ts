import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf, setsOf } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { PodRef } from '../index.js';

/** Four devices, two on each node. What asks for any device pays for none. */
const ANY = { flavors: [] };
const high = aWorkload('high', { priority: 9 });

/** Settles, and answers nothing yet. */
function leaveOpen(rig: CoreRig): (answer: 'commit' | 'refuse') => void {
  const sets = setsOf(rig.decide().decisions);
  expect(sets).toHaveLength(1);
  return (answer) => {
    for (const set of sets)
      rig.tell(
        answer === 'commit' ? { kind: 'set-committed', set } : { kind: 'set-refused', set, why: 'slot', at: 'n' },
      );
  };
}

function running(rig: CoreRig, pods: { readonly count: number; readonly minCount: number }): readonly PodRef[] {
  rig.submit(aWorkload('low', { pods: { ...ANY, ...pods } }));
  rig.settle();
  return rig.podsOf('low');
}

function releasing(rig: CoreRig): (answer: 'commit' | 'refuse') => void {
  const [pod] = running(rig, { count: 4, minCount: 2 });
  if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', exitCode: 75 });
  rig.submit(high);
  return leaveOpen(rig);
}

/** Each leaves `high` asleep behind a workload of its queue that was no victim, and then lets that be one. */
const cases: Record<string, (rig: CoreRig) => void> = {
  'its start is committed': (rig) => {
    rig.submit(aWorkload('low', { pods: { ...ANY, count: 4 } }));
    const answer = leaveOpen(rig);
    rig.submit(high);
    expect(kindsOf(rig.decide().decisions)).toEqual(['wait high capacity']);
    answer('commit');
  },
  'its growth is committed': (rig) => {
    running(rig, { count: 6, minCount: 4 });
    rig.tell({ kind: 'node-seen', node: aNode('more', { devices: 2 }) });
    const answer = leaveOpen(rig);
    rig.submit(high);
    expect(kindsOf(rig.decide().decisions)).toEqual(['wait high capacity']);
    answer('commit');
  },
  'a pod of it is released': (rig) => {
    releasing(rig)('commit');
  },
  'a release of it is refused': (rig) => {
    releasing(rig)('refuse');
  },
  'it has shrunk for another': (rig) => {
    running(rig, { count: 4, minCount: 1 });
    rig.submit(aWorkload('first', { priority: 10 }), aWorkload('high', { priority: 9, pods: ANY }));
    leaveOpen(rig)('commit');
  },
  'it waits for nobody to leave any more': (rig) => {
    const quotas = { a100: { nominal: 1000 } };
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('a100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 4, quotas }) });
    rig.tell({ kind: 'node-seen', node: aNode('o', { model: 'a100', devices: 1 }) });
    rig.submit(aWorkload('old', { pods: { flavors: ['a100'] } }));
    rig.settle();
    const podSets = [aPodSet({ ...ANY, name: 'many', count: 4 }), aPodSet({ flavors: ['a100'] })];
    rig.submit(aWorkload('low', { priority: 5, podSets }));
    rig.settle('only-commit');
    rig.submit(high);
    expect(kindsOf(rig.decide().decisions)).toEqual(['wait high capacity']);
    rig.goPods(rig.podsOf('old'));
  },
  'its priority is lowered': (rig) => {
    rig.submit(aWorkload('low', { priority: 9, pods: { ...ANY, count: 4 } }));
    rig.settle();
    rig.submit(high);
    rig.settle();
    rig.tell({ kind: 'workload-changed', workload: 'low', change: { priority: 0 } });
  },
};

describe('who may take from a workload of its queue', () => {
  it.each(Object.keys(cases))('is woken, whatever flavor it asks for, when %s', (name) => {
    const rig = new CoreRig();
    rig.tell({ kind: 'policy-set', policy: aPolicy({ preemption: { ...aPolicy().preemption, minRuntimeMs: 0 } }) });
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') }, { kind: 'queue-set', queue: aQueue('lab', { h100: 4 }) });
    for (const node of ['n', 'm']) rig.tell({ kind: 'node-seen', node: aNode(node, { devices: 2 }) });
    cases[name]?.(rig);
    expect(rig.startOf('high')).toBeUndefined();
    rig.decide();
    expect(rig.startOf('high')).toBeDefined();
  });
});
