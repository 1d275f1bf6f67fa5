import { describe, expect, it } from '@jest/globals';
import { CoreRig, setsOf } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import { DEFAULT_POLICY } from '../index.js';

const PATIENCE = 1000;

/** Nodes of four devices, with work of unknown length on each device, and a gang that waits for one node. */
function full(nodes: readonly string[], patienceMs = PATIENCE): CoreRig {
  const rig = new CoreRig();
  const preemption = { ...DEFAULT_POLICY.preemption, minRuntimeMs: 0 };
  const backfill = { ...DEFAULT_POLICY.backfill, patienceMs };
  rig.tell({ kind: 'policy-set', policy: aPolicy({ backfill, preemption }) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 4 * nodes.length }) });
  for (const name of nodes) rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 4 }) });
  for (let index = 0; index < 4 * nodes.length; index++) small(rig, `run${index}`);
  rig.settle();
  rig.submit(aWorkload('gang', { queue: 'lab', submittedAtMs: 1, pods: { gpus: 4, count: 1, flavors: ['h100'] } }));
  for (let index = 0; index < 4; index++) small(rig, `next${index}`);
  rig.settle();
  return rig;
}

function small(rig: CoreRig, id: string, priority = 0): void {
  rig.submit(
    aWorkload(id, { queue: 'lab', submittedAtMs: 2, priority, pods: { gpus: 1, count: 1, flavors: ['h100'] } }),
  );
}

function end(rig: CoreRig, id: string): void {
  for (const pod of rig.podsOf(id)) rig.endPod(pod);
  rig.goPods(rig.podsOf(id));
  rig.settle();
}

/** Who runs, of those that came after the fleet was full. */
function later(rig: CoreRig): string {
  const running = rig.view().workloads.filter(({ id, state }) => state === 'running' && !id.startsWith('run'));
  return running.map(({ id }) => id).join(' ');
}

function endAll(rig: CoreRig, node: string): void {
  const standing = rig.view().workloads.filter(({ id }) => rig.startOf(id)?.seats[0]?.node === node);
  for (const { id } of standing) if (id.startsWith('run')) end(rig, id);
}

describe('a standing hold', () => {
  it('keeps what comes free in one place, from the end of patience on', () => {
    const rig = full(['n']);
    end(rig, 'run0');
    expect(later(rig)).toBe('next0');
    expect(rig.decide().wakeAtMs).toBe(PATIENCE);
    rig.nowMs = PATIENCE;
    rig.settle();
    expect(rig.decisions.filter((decision) => decision.kind === 'plan')).toMatchObject([
      { workload: 'gang', holds: 'standing' },
    ]);
    for (const id of ['run1', 'run2', 'run3']) end(rig, id);
    expect(later(rig)).toBe('next0');
    end(rig, 'next0');
    expect(later(rig)).toBe('gang');
    end(rig, 'gang');
    expect(later(rig)).toBe('next1 next2 next3');
  });

  it('holds one place, and leaves the others to everybody', () => {
    const rig = full(['n', 'o']);
    rig.nowMs = PATIENCE;
    rig.settle();
    endAll(rig, 'o');
    expect(later(rig)).toBe('next0 next1 next2 next3');
    endAll(rig, 'n');
    expect(later(rig)).toBe('gang next0 next1 next2 next3');
  });

  it('gives way to a higher priority', () => {
    const rig = full(['n']);
    rig.nowMs = PATIENCE;
    small(rig, 'urgent', 5);
    rig.settle();
    end(rig, 'run0');
    expect(later(rig)).toBe('urgent');
  });

  it('ends with a node of its place, and moves to another', () => {
    const rig = full(['n', 'o']);
    rig.nowMs = PATIENCE;
    rig.settle();
    rig.nodeState('n', 'quarantined');
    rig.settle();
    endAll(rig, 'o');
    expect(later(rig)).toBe('gang');
  });

  it('is never for who could not stand there anyway, nor without patience', () => {
    const never = full(['n'], 0);
    never.nowMs = 100 * PATIENCE;
    never.settle();
    end(never, 'run0');
    expect(later(never)).toBe('next0');

    const large = full(['n']);
    large.submit(aWorkload('huge', { queue: 'lab', submittedAtMs: 0, pods: { gpus: 4, count: 2, flavors: ['h100'] } }));
    large.tell({ kind: 'workload-cancelled', workload: 'gang' });
    large.settle();
    large.nowMs = 3 * PATIENCE;
    large.settle();
    end(large, 'run0');
    expect(later(large)).toBe('next0');
  });

  it.each(['free', 'a guest'])('keeps its quota from who would start on other devices: on those is %s', (there) => {
    const rig = new CoreRig();
    const preemption = { ...DEFAULT_POLICY.preemption, minRuntimeMs: 0 };
    const backfill = { ...DEFAULT_POLICY.backfill, patienceMs: PATIENCE };
    rig.tell({ kind: 'policy-set', policy: aPolicy({ backfill, preemption }) });
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('root') });
    rig.tell({ kind: 'queue-set', queue: aQueue('q', { parent: 'root', h100: 8, borrow: 0 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('others', { parent: 'root', h100: 3 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: 0 }) });
    rig.tell({ kind: 'node-seen', node: aNode('k') });
    const submit = (id: string, queue: string, gpus: number) => {
      rig.submit(aWorkload(id, { queue, submittedAtMs: rig.nowMs, preemptible: queue === 'guest', pods: { gpus } }));
      rig.settle();
    };
    submit('long', 'others', 1);
    submit('h', 'q', 8);
    rig.nowMs = PATIENCE;
    rig.settle();
    rig.tell({ kind: 'node-seen', node: aNode('o', { devices: 2 }) });
    if (there === 'a guest') submit('visit', 'guest', 2);
    submit('p', 'q', 2);
    expect(rig.stateOf('p')).toBe('pending');
    expect(rig.scheduler.explain('p', rig.nowMs)).toMatchObject({ change: [{ kind: 'raise-priority', to: 1 }] });
    end(rig, 'long');
    expect(rig.stateOf('h')).toBe('running');
  });

  it('goes on when the start is refused, and patience does too', () => {
    const rig = full(['n']);
    rig.nowMs = PATIENCE;
    rig.settle();
    for (const id of ['run0', 'run1', 'run2', 'run3']) {
      for (const pod of rig.podsOf(id)) rig.endPod(pod);
      rig.goPods(rig.podsOf(id));
    }
    for (const set of setsOf(rig.decide().decisions)) rig.tell({ kind: 'set-committed', set });
    const start = rig.decide().decisions.find((one) => one.kind === 'start') ?? rig.startOf('gang');
    if (start === undefined) throw new Error('nobody starts');
    expect(rig.scheduler.snapshot().plans.kept).toMatchObject([
      { workload: 'gang', unplannedSinceMs: 0, hold: { nodes: ['n'] } },
    ]);
    rig.tell({ kind: 'set-refused', set: start.set, why: 'slot', at: 'n' });
    rig.settle();
    expect(later(rig)).toBe('');
    const after = rig.scheduler.snapshot().plans;
    expect(after.holds).toMatchObject([{ workload: 'gang' }]);
    expect(after.unplanned).toContainEqual(['gang', 0]);
    rig.nowMs += DEFAULT_POLICY.retry.backoffMs;
    rig.settle();
    expect(later(rig)).toBe('gang');
  });
});
