import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../test/support/fleet-builders.js';

describe('the decisions of one settle', () => {
  it('are numbered as they were made, though starts that may still grow are said last', () => {
    const rig = new CoreRig();
    const policy = aPolicy({ preemption: { ...aPolicy().preemption, minRuntimeMs: 0 } });
    rig.tell({ kind: 'policy-set', policy }, { kind: 'flavor-set', flavor: aFlavor('h100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('root') });
    for (const name of ['lab', 'dev']) {
      rig.tell({ kind: 'queue-set', queue: aQueue(name, { parent: 'root', h100: 2 }) });
    }
    rig.tell({ kind: 'node-seen', node: aNode('n', { devices: 3 }) });
    rig.submit(aWorkload('old', { queue: 'lab', pods: { gpus: 2 } }));
    rig.settle();

    rig.submit(
      aWorkload('new', { queue: 'lab', priority: 2 }),
      aWorkload('owner', { queue: 'dev', pods: { gpus: 2 } }),
    );
    const { decisions } = rig.decide();

    // Only with `new` does the lab borrow: before it, nobody had a right over `old`.
    const asMade = [...decisions].sort((a, b) => a.id - b.id);
    expect(kindsOf(asMade)).toEqual(['start new', 'evict old reclaimed requeue', 'start owner']);
    expect(kindsOf(decisions)).toEqual(['evict old reclaimed requeue', 'start owner', 'start new']);
  });
});
