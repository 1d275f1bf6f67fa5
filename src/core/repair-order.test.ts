import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf, setsOf } from '../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../test/support/fleet-builders.js';
import type { Decision } from './index.js';
import { isForDisplay } from './index.js';

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
});
