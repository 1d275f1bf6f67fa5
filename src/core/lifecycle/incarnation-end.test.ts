import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../../test/support/core-rig.js';
import { aWorkload } from '../../../test/support/fleet-builders.js';
import type { Decision, PodRef, WorkloadSpec } from '../index.js';

const RACK = { r1: ['a', 'b', 'c'] };

/** A gang of three on nodes a, b and c, one pod each, at its minimum, and what befalls it. */
interface Case {
  readonly happens: (rig: CoreRig, pods: readonly PodRef[]) => void;
  readonly spec?: Partial<WorkloadSpec>;
  readonly want: string;
  readonly notBeforeMs?: number;
  readonly retries?: number;
}

const exit =
  (...codes: readonly number[]): Case['happens'] =>
  (rig, pods) => {
    for (const [index, exitCode] of codes.entries()) {
      const pod = pods[index];
      if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', exitCode });
    }
  };

const cases: Record<string, Case> = {
  'is cancelled': {
    happens: (rig) => {
      rig.tell({ kind: 'workload-cancelled', workload: 'gang' });
    },
    want: 'evict gang cancelled end',
  },
  'has a pod that exits by its own fault': {
    happens: exit(1),
    want: 'evict gang gang-incomplete requeue',
    notBeforeMs: 10_000,
    retries: 1,
  },
  'waits longer after each failure': {
    happens: exit(1),
    spec: { retries: 2 },
    want: 'evict gang gang-incomplete requeue',
    notBeforeMs: 40_000,
    retries: 3,
  },
  'waits five minutes at most': {
    happens: exit(1),
    spec: { retries: 20, maxRetries: 99 },
    want: 'evict gang gang-incomplete requeue',
    notBeforeMs: 300_000,
    retries: 21,
  },
  'has used its retries': {
    happens: exit(1),
    spec: { retries: 3, maxRetries: 3 },
    want: 'evict gang failed fail',
    retries: 3,
  },
  'exits with a usage error': { happens: exit(64), want: 'evict gang failed fail' },
  'exits with a data error': { happens: exit(65), want: 'evict gang failed fail' },
  'exits since its input is unavailable': { happens: exit(69), want: 'evict gang failed fail' },
  'has a data error in one pod, of which the others fail first': {
    happens: exit(1, 65),
    want: 'evict gang failed fail',
  },
  'asks to be started again': {
    happens: exit(75),
    want: 'evict gang gang-incomplete requeue',
    notBeforeMs: 10_000,
    retries: 0,
  },
  'has an end of which the node is to blame': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', blame: 'node', exitCode: 255 });
    },
    want: 'evict gang gang-incomplete requeue',
    retries: 0,
  },
  'has a pod evicted by others': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.endPod(pod, { outcome: 'evicted', blame: 'node' });
    },
    want: 'evict gang gang-incomplete requeue',
    retries: 0,
  },
  'has a pod that vanished': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.tell({ kind: 'pod-gone', pod });
    },
    want: 'evict gang node-lost requeue',
    retries: 0,
  },
  'has a peer that failed of the first': {
    happens: (rig, [one, two]) => {
      if (one !== undefined) rig.tell({ kind: 'pod-gone', pod: one });
      if (two !== undefined) rig.endPod(two, { outcome: 'failed', exitCode: 1 });
    },
    want: 'evict gang node-lost requeue',
    retries: 0,
  },
  'stands on a lost node': {
    happens: (rig) => {
      rig.nodeState('b', 'lost');
    },
    want: 'evict gang node-lost requeue',
  },
  'stands on a removed node': {
    happens: (rig) => {
      rig.tell({ kind: 'node-removed', node: 'b' });
    },
    want: 'evict gang node-lost requeue',
  },
  'stands on a node that was fenced': {
    happens: (rig) => {
      rig.tell({ kind: 'node-fenced', node: 'b' });
    },
    want: 'evict gang node-lost requeue',
  },
  'stands on a draining node': {
    happens: (rig) => {
      rig.nodeState('b', 'draining');
    },
    want: 'evict gang drained requeue',
  },
  'holds a device that failed': {
    happens: (rig) => {
      rig.tell({ kind: 'device-state-changed', node: 'b', slot: 0, state: 'failed' });
    },
    want: 'evict gang device-failed requeue',
  },
  'has a pod that was refused here': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.tell({ kind: 'pod-refused', pod, why: 'disk', retry: 'elsewhere' });
    },
    want: 'evict gang gang-incomplete requeue',
    notBeforeMs: 10_000,
  },
  'has a pod that was refused for good': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.tell({ kind: 'pod-refused', pod, why: 'image', retry: 'never' });
    },
    want: 'evict gang failed fail',
  },
  'is quarantined': {
    happens: (rig) => {
      rig.nodeState('b', 'quarantined');
    },
    want: '',
  },
  'stands on a suspect device': {
    happens: (rig) => {
      rig.tell({ kind: 'device-state-changed', node: 'b', slot: 0, state: 'suspect' });
    },
    want: '',
  },
  'is held: that stops nobody': {
    happens: (rig) => {
      rig.tell({ kind: 'workload-changed', workload: 'gang', change: { hold: true } });
    },
    want: '',
  },
  'has one pod that succeeded': {
    happens: (rig, [pod]) => {
      if (pod !== undefined) rig.endPod(pod);
    },
    want: '',
  },
};

describe('a gang at its minimum ends as a whole, when it', () => {
  it.each(Object.entries(cases))('%s', (_title, { happens, spec, want, notBeforeMs, retries }) => {
    const rig = running({ pods: { count: 3, gpus: 8 }, ...spec });
    happens(rig, rig.podsOf('gang'));
    const { decisions } = rig.decide();
    expect(kindsOf(decisions).join()).toBe(want);
    const evict = evictOf(decisions);
    if (evict === undefined) return;
    expect(evict.pods).toHaveLength(3);
    expect(evict.charges).toEqual([{ queue: 'lab', flavor: 'h100', milli: 24_000 }]);
    expect(evict.notBeforeMs).toBe(notBeforeMs);
    if (retries !== undefined) expect(evict.retries).toBe(retries);
    expect(rig.decide().decisions).toEqual([]);
  });
});

describe('an elastic gang above its minimum', () => {
  it('goes on without a pod that failed, and gives its seat back', () => {
    const rig = running({ pods: { count: 3, minCount: 2, gpus: 8 } });
    const [pod] = rig.podsOf('gang');
    if (pod !== undefined) rig.endPod(pod, { outcome: 'failed', exitCode: 1 });
    const [release] = rig.settle();
    expect(release).toMatchObject({ kind: 'release', pods: [pod], charges: [{ milli: 8000 }] });
    expect(rig.stateOf('gang')).toBe('running');
  });

  it('goes on without the node that is lost, whose slots stay blocked until it is fenced', () => {
    const rig = running({ pods: { count: 3, minCount: 2, gpus: 8 } });
    rig.nodeState('b', 'lost');
    expect(kindsOf(rig.settle())).toEqual(['release gang']);
    rig.nodeState('b', 'healthy');
    rig.submit(aWorkload('next', { pods: { gpus: 8 } }));
    expect(kindsOf(rig.settle())).toEqual(['wait next capacity']);
    rig.tell({ kind: 'node-fenced', node: 'b' });
    expect(kindsOf(rig.settle())).toEqual(['start next']);
  });

  it('succeeds when all that are left have succeeded', () => {
    const rig = running({ pods: { count: 3, minCount: 2, gpus: 8 } });
    const [one, ...others] = rig.podsOf('gang');
    if (one !== undefined) rig.endPod(one, { outcome: 'failed', exitCode: 1 });
    rig.settle();
    for (const pod of others) rig.endPod(pod);
    rig.goPods(others);
    expect(rig.settle()).toEqual([]);
    if (one !== undefined) rig.goPods([one]);
    expect(kindsOf(rig.settle())).toEqual(['release gang', 'finish gang succeeded']);
  });
});

describe('a start', () => {
  it('that is not up by its deadline is given back, and tried again after a growing wait', () => {
    const rig = CoreRig.withRacks(RACK);
    rig.submit(aWorkload('gang', { pods: { count: 2, gpus: 8 } }));
    rig.settle('only-commit');
    const [first] = rig.podsOf('gang');
    if (first !== undefined) rig.startPods([first]);
    const { wakeAtMs } = rig.decide();
    expect(wakeAtMs).toBe(300_000);
    rig.nowMs = 300_000;
    expect(evictOf(rig.settle())).toMatchObject({ reason: 'gang-incomplete', notBeforeMs: 310_000, retries: 0 });
    rig.nowMs = 310_000;
    rig.settle('only-commit');
    rig.nowMs = 610_000;
    expect(evictOf(rig.settle())).toMatchObject({ notBeforeMs: 630_000 });
  });

  it('counts no failed starts any more once all pods ran', () => {
    const rig = running({ pods: { count: 3, gpus: 8 } });
    rig.nowMs = 1_000_000;
    expect(rig.decide()).toMatchObject({ decisions: [], wakeAtMs: undefined });
  });
});

function running(wish: Parameters<typeof aWorkload>[1]): CoreRig {
  const rig = CoreRig.withRacks(RACK);
  rig.submit(aWorkload('gang', wish));
  rig.settle();
  expect(rig.stateOf('gang')).toBe('running');
  return rig;
}

function evictOf(decisions: readonly Decision[]): (Decision & { readonly kind: 'evict' }) | undefined {
  return decisions.filter((decision) => decision.kind === 'evict')[0];
}
