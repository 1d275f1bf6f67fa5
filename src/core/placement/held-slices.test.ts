import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';

/** One slice of two hosts with four devices each, of these models, and quota for so many H100. */
function rigWithSlice(devices: number, models: readonly string[]): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['slice', 'host'] }) });
  for (const model of ['h100', 'a100']) rig.tell({ kind: 'flavor-set', flavor: aFlavor(model) });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: devices, quotas: { a100: { nominal: 8000 } } }) });
  for (const [index, model] of models.entries()) {
    rig.tell({ kind: 'node-seen', node: aNode(`s-${index}`, { model, devices: 4, topology: { slice: 's' } }) });
  }
  return rig;
}

describe('slices that are given whole', () => {
  it('keep others out while somebody holds a device, and let them in when it comes free', () => {
    // Of two models: what wakes those who want the one does not by itself wake those who want the other.
    const rig = rigWithSlice(8, ['h100', 'a100']);
    rig.submit(aWorkload('first', { pods: { flavors: ['h100'] } }));
    rig.settle();
    rig.submit(aWorkload('second', { pods: { flavors: ['a100'], cpu: 0 } }));
    rig.settle();
    expect(rig.stateOf('second')).toBe('pending');

    for (const pod of rig.podsOf('first')) rig.endPod(pod);
    rig.goPods(rig.podsOf('first'));
    rig.settle();
    expect(rig.nodesOf('second')).toEqual({ 's-1': 1 });
  });

  const ways: Record<string, (rig: CoreRig) => void> = {
    'is removed': (rig) => {
      rig.tell({ kind: 'node-removed', node: 's-1' });
    },
    'is told of elsewhere': (rig) => {
      rig.tell({ kind: 'node-seen', node: aNode('s-1', { model: 'a100', devices: 4 }) });
    },
  };

  it.each(Object.keys(ways))('let others in when the only other host %s', (name) => {
    const rig = rigWithSlice(8, ['h100', 'a100']);
    rig.submit(aWorkload('first', { pods: { flavors: ['h100'] } }), aWorkload('second'));
    rig.settle();
    expect(rig.stateOf('second')).toBe('pending');
    ways[name]?.(rig);
    rig.settle();
    expect(rig.nodesOf('second')).toEqual({ 's-0': 1 });
  });

  it('may be filled by the gang that stands there', () => {
    const rig = rigWithSlice(4, ['h100', 'h100']);
    rig.submit(aWorkload('gang', { pods: { gpus: 4, count: 2, minCount: 1 } }));
    rig.settle();
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 8 }) });
    rig.settle();
    expect(rig.view().nodes.map(({ pods }) => pods)).toEqual([1, 1]);
  });
});
