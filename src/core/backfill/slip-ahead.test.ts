import { describe, expect, it } from '@jest/globals';
import { CoreRig, kindsOf } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Policy } from '../index.js';

const HOUR = 3_600_000;

function fleetOf(nodes: readonly string[], policy: Partial<Policy> = {}): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy(policy) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  for (const queue of ['lab', 'b', 'c']) rig.tell({ kind: 'queue-set', queue: aQueue(queue, { h100: 100 }) });
  for (const node of nodes) rig.tell({ kind: 'node-seen', node: aNode(node, { rack: 'r' }) });
  return rig;
}

function end(rig: CoreRig, id: string): void {
  for (const pod of rig.podsOf(id)) {
    rig.endPod(pod);
    rig.goPods([pod]);
  }
}

/** `r` runs for an hour on one node; `f`, of unknown length, and `e` with one of its two pods on the others. */
function fleetWithGrower(
  policy: Partial<Policy>,
  e: { readonly priority?: number; readonly estimateMs?: number } = {},
) {
  const rig = fleetOf(['n1', 'n2', 'n3'], policy);
  rig.submit(aWorkload('r', { pods: { gpus: 8 }, estimateMs: HOUR }));
  rig.settle();
  rig.submit(aWorkload('f', { pods: { gpus: 8 }, preemptible: false }));
  rig.settle();
  rig.submit(aWorkload('e', { pods: { gpus: 8, count: 2, minCount: 1 }, submittedAtMs: 1, ...e }));
  rig.settle();
  return rig;
}

describe('who may go ahead of a planned start', () => {
  it('lets a short workload start that is gone before the plan begins', () => {
    const rig = fleetOf(['n1']);
    rig.submit(aWorkload('r', { pods: { gpus: 6 }, estimateMs: 100_000 }));
    rig.settle();
    rig.submit(aWorkload('a', { pods: { gpus: 6 }, estimateMs: 800_000, submittedAtMs: 1 }));
    rig.settle();
    rig.submit(aWorkload('b', { queue: 'b', pods: { gpus: 8 }, estimateMs: 800_000, submittedAtMs: 2 }));
    rig.settle();
    rig.submit(aWorkload('c', { queue: 'c', pods: { gpus: 2 }, estimateMs: 500_000, submittedAtMs: 3 }));
    expect(kindsOf(rig.settle())).toContain('start c');
  });

  it('plans one of unknown length behind a plan that it would delay, and comes to rest', () => {
    const rig = fleetOf(['n1', 'n2']);
    for (let run = 0; run < 20; run++) {
      rig.submit(aWorkload(`h${run}`, { pods: { gpus: 8 }, submittedAtMs: rig.nowMs, queue: 'b' }));
      rig.settle();
      rig.nowMs += 60_000;
      end(rig, `h${run}`);
      rig.settle();
    }
    const now = { submittedAtMs: rig.nowMs, estimateMs: HOUR };
    rig.submit(aWorkload('r', { pods: { gpus: 8 }, ...now }));
    rig.settle();
    rig.submit(aWorkload('q', { pods: { gpus: 8, count: 2 }, ...now }));
    rig.settle();
    rig.submit(aWorkload('p', { pods: { gpus: 8 }, queue: 'b', submittedAtMs: rig.nowMs }));
    const settlement = rig.decide();
    expect(settlement.truncated).toBe(false);
    expect(settlement.wakeAtMs).toBeGreaterThan(rig.nowMs);
    const visits = rig.scheduler.work().visits;
    expect(visits).toBeLessThan(100);
    rig.decide();
    expect(rig.scheduler.work().visits).toBe(visits);
  });

  it('counts of a restarted workload only the work that is left', () => {
    const rig = fleetOf(['n1', 'n2']);
    rig.submit(aWorkload('r', { pods: { gpus: 8 }, estimateMs: HOUR }));
    rig.settle();
    rig.submit(aWorkload('q', { pods: { gpus: 8, count: 2 }, submittedAtMs: 1 }));
    rig.settle();
    rig.submit(aWorkload('y', { pods: { gpus: 8 }, submittedAtMs: 3, estimateMs: 10 * HOUR, workDoneMs: 9.9 * HOUR }));
    expect(kindsOf(rig.settle())).toContain('start y');
  });
});

describe('growth beside planned starts', () => {
  it.each([
    ['a higher priority', {}, { priority: 10 }],
    ['an earlier submission', { order: 'fifo' }, {}],
  ] as const)('waits for every plan, also with %s', (_, policy, e) => {
    const rig = fleetWithGrower(policy, e);
    rig.submit(aWorkload('p', { pods: { gpus: 8, count: 2 }, submittedAtMs: 2 }));
    rig.settle();
    rig.nowMs = 1000;
    end(rig, 'f');
    expect(kindsOf(rig.settle())).not.toContain('grow e');
    rig.tell({ kind: 'workload-cancelled', workload: 'p' });
    expect(kindsOf(rig.settle())).toContain('grow e');
  });

  it('goes by what a workload says of its progress, not by its estimate', () => {
    const rig = fleetWithGrower({}, { estimateMs: HOUR / 2 });
    rig.tell({ kind: 'progress-seen', workload: 'e', remainingMs: 5 * HOUR });
    rig.submit(aWorkload('p', { pods: { gpus: 8, count: 2 }, submittedAtMs: 2 }));
    rig.settle();
    rig.nowMs = 1000;
    end(rig, 'f');
    expect(kindsOf(rig.settle())).not.toContain('grow e');
  });
});
