import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { PodSetSpec, Policy, Snapshot } from '../index.js';

type Score = Policy['placement']['score'];

/** Nodes `whole` of 8 devices and `half` of 4; 1,000 pods like `mix` were asked for before. */
function rigWith(score: Score, mix: PodSetSpec | undefined): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy({ placement: { score } }) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 1000 }) });
  rig.tell({ kind: 'node-seen', node: aNode('half', { devices: 4 }) });
  rig.tell({ kind: 'node-seen', node: aNode('whole', { devices: 8 }) });
  rig.tell({ kind: 'node-seen', node: aNode('without', { devices: 0 }) });
  const before = mix === undefined ? [] : Array.from({ length: 1000 }, (_, at) => `before-${at}`);
  for (const id of before) rig.submit(aWorkload(id, { hold: true, podSets: [mix ?? aPodSet()] }));
  return rig;
}

function nodeOf(rig: CoreRig, podSet: PodSetSpec): string {
  rig.submit(aWorkload('asked', { podSets: [podSet] }));
  rig.settle();
  return rig.startOf('asked')?.seats[0]?.node ?? 'nowhere';
}

const FOUR = aPodSet({ gpus: 4 });

const cases: Record<string, { score: Score; mix?: PodSetSpec; pods: PodSetSpec; want: string }> = {
  'best-fit takes the node on which the fewest still fit': {
    score: 'best-fit',
    mix: FOUR,
    pods: aPodSet(),
    want: 'half',
  },
  'spread takes the emptiest node': { score: 'spread', mix: FOUR, pods: aPodSet(), want: 'whole' },
  'fragmentation is best-fit until the mix is learnt': { score: 'fragmentation', pods: aPodSet(), want: 'half' },
  'fragmentation leaves four devices together for those who ask for four': {
    score: 'fragmentation',
    mix: FOUR,
    pods: aPodSet(),
    want: 'whole',
  },
  'fragmentation puts pods without devices where there are none': {
    score: 'fragmentation',
    mix: FOUR,
    pods: aPodSet({ gpus: 0 }),
    want: 'without',
  },
  'fragmentation gives the smaller rank to equals': {
    score: 'fragmentation',
    mix: aPodSet(),
    pods: aPodSet(),
    want: 'half',
  },
};

describe('the score of a node', () => {
  it.each(Object.entries(cases))('%s', (_title, { score, mix, pods, want }) => {
    expect(nodeOf(rigWith(score, mix), pods)).toBe(want);
  });

  it('breaks the device whose rest the mix cannot use, rather than the tightest', () => {
    const rig = rigWith('fragmentation', aPodSet({ milli: 500 }));
    rig.nodeState('whole', 'draining');
    const slots = new Map<string, number | undefined>();
    for (const [id, milli] of Object.entries({ one: 500, two: 100, three: 400 })) {
      rig.submit(aWorkload(id, { podSets: [aPodSet({ milli })] }));
      rig.settle();
      slots.set(id, rig.startOf(id)?.seats[0]?.slots[0]?.slot);
    }
    // A half fits in the 500 that one left; two and three leave another.
    expect([slots.get('one') === slots.get('two'), slots.get('three') === slots.get('two')]).toEqual([false, true]);
  });

  it('is the same after a restart', () => {
    const rig = rigWith('fragmentation', FOUR);
    rig.settle();
    const snapshot = JSON.parse(JSON.stringify(rig.scheduler.snapshot())) as Snapshot;
    expect(nodeOf(CoreRig.restored(snapshot, rig.nowMs), aPodSet())).toBe(nodeOf(rig, aPodSet()));
  });
});
