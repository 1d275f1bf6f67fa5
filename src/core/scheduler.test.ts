import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../test/support/core-rig.js';
import { aNode, aPodSet, aQueue, aWorkload } from '../../test/support/fleet-builders.js';

describe('the life of a workload', () => {
  it('starts a gang whole, and finishes when all of its pods have succeeded and are gone', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(aWorkload('trio', { pods: { count: 3, gpus: 4 } }));
    expect(kindsOf(rig.settle())).toEqual(['start trio']);
    expect(rig.stateOf('trio')).toBe('running');
    expect(rig.nodesOf('trio')).toEqual({ a: 2, b: 1 });
    for (const pod of rig.podsOf('trio')) rig.endPod(pod);
    expect(rig.settle()).toEqual([]);
    rig.goPods(rig.podsOf('trio'));
    expect(kindsOf(rig.settle())).toEqual(['release trio', 'finish trio succeeded']);
    expect(rig.view().nodes.map(({ pods }) => pods)).toEqual([0, 0]);
    expect(rig.stateOf('trio')).toBe('gone');
  });

  it('says that a gang waits, and starts it when a node joins', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('duo', { pods: { count: 2, gpus: 8 } }));
    expect(kindsOf(rig.settle())).toEqual(['wait duo capacity']);
    expect(rig.settle()).toEqual([]);
    rig.tell({ kind: 'node-seen', node: aNode('b', { rack: 'r2' }) });
    expect(kindsOf(rig.settle())).toEqual(['start duo']);
  });

  it('grows an elastic gang only after every waiting minimum', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(
      aWorkload('spring', { submittedAtMs: 1, pods: { count: 8, minCount: 2 } }),
      aWorkload('late', { submittedAtMs: 2, pods: { count: 3 } }),
    );
    rig.settle();
    expect(rig.podsOf('spring')).toHaveLength(5);
    expect(rig.podsOf('late')).toHaveLength(3);
  });

  it('lets a blocked workload hold up nobody', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(
      aWorkload('large', { priority: 5, pods: { gpus: 8, count: 2 } }),
      aWorkload('small', { pods: { gpus: 1 } }),
    );
    expect(kindsOf(rig.settle())).toEqual(['start small', 'wait large capacity']);
  });

  it('keeps to quota, and goes on when quota comes free', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 4 }) });
    rig.submit(aWorkload('one', { pods: { gpus: 3 } }), aWorkload('two', { pods: { gpus: 2 } }));
    expect(kindsOf(rig.settle())).toEqual(['start one', 'wait two quota']);
    for (const pod of rig.podsOf('one')) rig.endPod(pod);
    rig.goPods(rig.podsOf('one'));
    expect(kindsOf(rig.settle())).toEqual(['release one', 'finish one succeeded', 'start two']);
  });

  it('places several pod sets together', () => {
    const rig = CoreRig.withRacks({ r1: ['a', 'b'] });
    rig.submit(
      aWorkload('band', {
        podSets: [aPodSet({ name: 'leader', gpus: 0 }), aPodSet({ name: 'player', count: 4, gpus: 4 })],
      }),
    );
    expect(kindsOf(rig.settle())).toEqual(['start band']);
  });
});
