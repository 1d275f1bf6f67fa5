import { describe, expect, it } from '@jest/globals';
import { CoreRig, setsOf } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import { DEFAULT_POLICY } from '../index.js';

const SECOND = 1000;
const { backoffMs } = DEFAULT_POLICY.retry;

/** One node; `now` runs on all of it for 100 s, then `first` is planned, and behind it `second`. */
function rigWithPlans(): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy({ backfill: { ...DEFAULT_POLICY.backfill, depth: 2 } }) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 8 }) });
  rig.tell({ kind: 'node-seen', node: aNode('n') });
  for (const [index, id] of ['now', 'first', 'second'].entries()) {
    rig.submit(aWorkload(id, { pods: { gpus: 8 }, estimateMs: 100 * SECOND, submittedAtMs: index }));
  }
  rig.settle();
  return rig;
}

function end(rig: CoreRig, id: string): void {
  for (const pod of rig.podsOf(id)) rig.endPod(pod);
  rig.goPods(rig.podsOf(id));
  const { decisions } = rig.decide();
  for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
}

function plansOf(rig: CoreRig): Readonly<Record<string, number>> {
  const planned = rig.view().workloads.flatMap(({ id, plannedStartMs }) => {
    return plannedStartMs === undefined ? [] : [[id, plannedStartMs / SECOND] as const];
  });
  return Object.fromEntries(planned);
}

/** `now` has ended, and the start of `first` was refused because of what has this name. */
function refuseFirst(rig: CoreRig, at: string): void {
  rig.nowMs = 100 * SECOND;
  end(rig, 'now');
  const [set] = setsOf(rig.decide().decisions);
  expect(rig.startOf('first')).toBeDefined();
  if (set === undefined) throw new Error('nobody starts');
  rig.tell({ kind: 'set-refused', set, why: 'slot', at });
}

describe('a planned start that the ledger refuses', () => {
  it('is planned for the end of its pause, in front of those planned after it, and nobody takes its place', () => {
    const rig = rigWithPlans();
    expect(plansOf(rig)).toEqual({ first: 100, second: 200 });
    refuseFirst(rig, 'n');
    rig.submit(aWorkload('third', { queue: 'lab', pods: { gpus: 2 }, estimateMs: 900 * SECOND, submittedAtMs: 9 }));
    rig.settle();
    expect([rig.stateOf('first'), rig.stateOf('second'), rig.stateOf('third')]).toEqual(
      Array.from({ length: 3 }, () => 'pending'),
    );
    const againMs = rig.nowMs + backoffMs;
    for (const atMs of [rig.nowMs, rig.nowMs + 1, rig.nowMs + SECOND, againMs - 1]) {
      rig.nowMs = atMs;
      expect(rig.decide().wakeAtMs).toBe(againMs);
      expect(plansOf(rig)).toEqual({ first: againMs / SECOND, second: againMs / SECOND + 100 });
    }
    rig.nowMs = againMs;
    rig.settle();
    expect([rig.stateOf('first'), rig.stateOf('second')]).toEqual(['running', 'pending']);
  });

  it('lets those start that end before its pause does', () => {
    const rig = rigWithPlans();
    refuseFirst(rig, 'n');
    rig.submit(aWorkload('short', { pods: { gpus: 2 }, estimateMs: backoffMs, submittedAtMs: 8 }));
    rig.submit(aWorkload('long', { pods: { gpus: 2 }, estimateMs: backoffMs + 1, submittedAtMs: 9 }));
    rig.settle();
    expect([rig.stateOf('short'), rig.stateOf('long')]).toEqual(['running', 'pending']);
  });

  it('is planned for no earlier time when it loses its place during the pause', () => {
    const rig = rigWithPlans();
    refuseFirst(rig, 'lab');
    rig.settle();
    rig.tell({ kind: 'node-seen', node: aNode('o') });
    rig.nodeState('n', 'quarantined');
    rig.settle();
    expect(plansOf(rig)).toMatchObject({ first: 100 + backoffMs / SECOND });
  });

  it('starts at once when what was in the way changes', () => {
    const rig = rigWithPlans();
    refuseFirst(rig, 'n');
    rig.settle();
    rig.nowMs += SECOND;
    rig.tell({ kind: 'node-seen', node: aNode('n', { labels: { pool: 'new' } }) });
    rig.settle();
    expect([rig.stateOf('first'), plansOf(rig)]).toEqual(['running', { second: 201 }]);
  });

  it('is planned no more when it was cancelled meanwhile', () => {
    const rig = rigWithPlans();
    rig.nowMs = 100 * SECOND;
    end(rig, 'now');
    const [set] = setsOf(rig.decide().decisions);
    if (set === undefined) throw new Error('nobody starts');
    rig.tell({ kind: 'workload-cancelled', workload: 'first' });
    rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'n' });
    rig.settle();
    expect(plansOf(rig)).toEqual({});
    expect(rig.stateOf('second')).toBe('running');
  });
});

describe('a finish that the ledger refuses', () => {
  it('is expected when it is said again: the plan that waits for it moves there, and stays', () => {
    const rig = rigWithPlans();
    rig.nowMs = 100 * SECOND;
    for (const pod of rig.podsOf('now')) rig.endPod(pod);
    rig.goPods(rig.podsOf('now'));
    const [set] = setsOf(rig.decide().decisions);
    if (set === undefined) throw new Error('nobody finishes');
    rig.tell({ kind: 'set-refused', set, why: 'slot', at: 'n' });
    const againMs = rig.nowMs + backoffMs;
    for (const afterMs of [0, 1, SECOND, backoffMs - 1]) {
      rig.nowMs = againMs - backoffMs + afterMs;
      rig.decide();
      expect(plansOf(rig)).toEqual({ first: againMs / SECOND, second: againMs / SECOND + 100 });
    }
    rig.nowMs = againMs;
    rig.settle();
    expect(rig.stateOf('first')).toBe('running');
  });
});
