import { beforeEach, describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../../test/support/core-rig.js';
import { aWorkload } from '../../../test/support/fleet-builders.js';
import type { PodRef } from '../index.js';
import { Scheduler } from '../index.js';

let rig: CoreRig;

/** Five pods, of which two have room at a time. */
beforeEach(() => {
  rig = CoreRig.withRacks({ r1: ['a'] });
  rig.submit(aWorkload('batch', { pods: { count: 5, gpus: 4, start: 'each', onLoss: 'replace' } }));
  rig.settle();
});

function standing(): readonly PodRef[] {
  const pods = rig.scheduler.snapshot().pods.filter(({ claim }) => claim === 'granted');
  return pods.map(({ seat }) => seat.pod);
}

/** These pods succeed and leave; what was decided then. */
function succeed(pods: readonly PodRef[]): readonly string[] {
  for (const pod of pods) rig.endPod(pod);
  rig.goPods(pods);
  return kindsOf(rig.settle());
}

describe('pods that start each by itself on too little room', () => {
  it('make room for the rest of their set as they succeed; the workload has succeeded when all have', () => {
    expect(succeed(standing().slice(0, 1))).toEqual(['release batch', 'grow batch']);
    expect(succeed(standing().slice(0, 1))).toEqual(['release batch', 'grow batch']);
    expect(succeed(standing().slice(0, 1))).toEqual(['release batch', 'grow batch']);
    expect(succeed(standing().slice(0, 1))).toEqual([]);
    expect(succeed(standing().slice(-1))).toEqual(['release batch', 'finish batch succeeded']);
  });

  it('go on when all that stood have succeeded at once, also after a restore', () => {
    expect(succeed(standing())).toEqual(['release batch', 'grow batch']);
    rig.scheduler = Scheduler.restore(rig.scheduler.snapshot());
    expect(standing().map(({ index }) => index)).toEqual([2, 3]);
    expect(succeed(standing())).toEqual(['release batch', 'grow batch']);
    expect(succeed(standing())).toEqual(['release batch', 'finish batch succeeded']);
  });

  it('need no more once the count is lowered to those that have succeeded', () => {
    succeed(standing());
    const counts = { worker: { count: 2, minCount: 1 } };
    rig.tell({ kind: 'workload-changed', workload: 'batch', change: { counts } });
    expect(kindsOf(rig.settle())).toEqual(['shrink batch', 'release batch', 'finish batch succeeded']);
  });
});
