import { beforeEach, describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../../test/support/core-rig.js';
import { aWorkload } from '../../../test/support/fleet-builders.js';
import { Scheduler } from '../index.js';

let rig: CoreRig;

beforeEach(() => {
  rig = CoreRig.withRacks({ r1: ['a'] });
});

function succeed(workload: string): readonly string[] {
  for (const pod of rig.podsOf(workload)) rig.endPod(pod);
  rig.goPods(rig.podsOf(workload));
  return kindsOf(rig.settle());
}

/** Runs `prepare`, fails it, and leaves `train` waiting for it. */
function failPrepare(): void {
  rig.submit(aWorkload('prepare'), aWorkload('train', { dependsOn: ['prepare'] }));
  rig.settle();
  rig.tell({ kind: 'workload-cancelled', workload: 'prepare' });
  rig.settle();
}

describe('a workload that depends on others', () => {
  it('waits until the last of them has succeeded', () => {
    rig.submit(aWorkload('one'), aWorkload('two'), aWorkload('train', { dependsOn: ['one', 'two'] }));
    expect(kindsOf(rig.settle())).toEqual(['wait train dependency', 'start one', 'start two']);
    expect(succeed('one')).toEqual(['release one', 'finish one succeeded']);
    expect(succeed('two')).toEqual(['release two', 'finish two succeeded', 'start train']);
  });

  it('does not wait for one that nobody knows of', () => {
    rig.submit(aWorkload('train', { dependsOn: ['long-ago'] }));
    expect(kindsOf(rig.settle())).toEqual(['start train']);
  });

  it('waits for one that is submitted before it has started, and not for one that comes later', () => {
    rig.submit(aWorkload('train', { dependsOn: ['one', 'two'] }), aWorkload('one'));
    expect(kindsOf(rig.settle())).toEqual(['wait train dependency', 'start one']);
    succeed('one');
    rig.submit(aWorkload('two'));
    rig.nodeState('a', 'draining');
    rig.settle();
    rig.nodeState('a', 'healthy');
    expect(kindsOf(rig.settle())).toContain('start train');
  });

  it('goes on waiting for one that was cancelled, until one of that id succeeds', () => {
    failPrepare();
    expect(rig.scheduler.explain('train', 0)).toMatchObject({ binding: { kind: 'dependency', on: ['prepare'] } });
    rig.submit(aWorkload('late', { dependsOn: ['prepare'] }));
    expect(kindsOf(rig.settle())).toEqual(['wait late dependency']);
    rig.submit(aWorkload('prepare'));
    rig.settle();
    expect(succeed('prepare').filter((said) => said.startsWith('start'))).toEqual(['start late', 'start train']);
  });

  it('remembers that after a restore, and forgets it with the last who waits for it', () => {
    failPrepare();
    rig.scheduler = Scheduler.restore(rig.scheduler.snapshot());
    expect(rig.settle()).toEqual([]);
    rig.tell({ kind: 'workload-cancelled', workload: 'train' });
    rig.settle();
    rig.submit(aWorkload('late', { dependsOn: ['prepare'] }));
    expect(kindsOf(rig.settle())).toEqual(['start late']);
  });

  it('waits also after its start was refused, when one of them was submitted meanwhile', () => {
    rig.submit(aWorkload('train', { dependsOn: ['prepare'] }));
    const [start] = rig.decide().decisions;
    rig.submit(aWorkload('prepare'));
    rig.tell({ kind: 'set-refused', set: start?.set ?? 0, why: 'slot', at: 'a' });
    rig.settle();
    rig.nowMs = 10_000;
    expect(kindsOf(rig.settle())).toEqual(['wait train dependency']);
  });
});

describe('what would start it', () => {
  it('is that they finish, with whatever else it needs', () => {
    rig.submit(aWorkload('prepare', { pods: { gpus: 8 } }), aWorkload('other', { pods: { gpus: 8 }, priority: -1 }));
    rig.submit(aWorkload('train', { pods: { gpus: 8 }, dependsOn: ['prepare'], hold: true }));
    rig.settle();
    expect(rig.scheduler.explain('train', 0)).toMatchObject({
      binding: { kind: 'hold' },
      also: [{ kind: 'dependency', on: ['prepare'] }, { kind: 'capacity' }],
      change: [{ kind: 'lift-hold' }, { kind: 'finish-dependency', workloads: ['prepare'] }],
    });
  });
});
