import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';

const SECOND = 1000;

/** Nodes of 4 devices, and quota by queue. */
function rigOf(nodes: readonly string[], quotas: Readonly<Record<string, number>>): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy() });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('root') });
  for (const [queue, h100] of Object.entries(quotas)) {
    rig.tell({ kind: 'queue-set', queue: aQueue(queue, { parent: 'root', h100 }) });
  }
  for (const name of nodes) {
    rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 4, labels: { node: name } }) });
  }
  return rig;
}

function plansOf(rig: CoreRig): Readonly<Record<string, number>> {
  const planned = rig.view().workloads.flatMap(({ id, plannedStartMs }) => {
    return plannedStartMs === undefined ? [] : [[id, plannedStartMs / SECOND] as const];
  });
  return Object.fromEntries(planned);
}

describe('an owner and a plan that borrows', () => {
  /** `own` of the owner ends at 1000 s; `b` of a guest never; another guest is planned for the end of `own`. */
  function rigWithGuest(ownEndMs = 1000 * SECOND): CoreRig {
    const rig = rigOf(['n', 'm'], { owner: 8, guest: 0 });
    const pods = { gpus: 4 };
    rig.submit(aWorkload('own', { queue: 'owner', pods, estimateMs: ownEndMs }));
    rig.submit(aWorkload('b', { queue: 'guest', pods, estimateMs: 1000 * SECOND }));
    rig.settle();
    rig.submit(aWorkload('p', { queue: 'guest', pods, submittedAtMs: 1 }));
    rig.settle();
    return rig;
  }

  it('goes before it when work of its own queue has ended by then', () => {
    const rig = rigWithGuest();
    expect(plansOf(rig)).toEqual({ p: 1000 });
    rig.nowMs = 800 * SECOND;
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4, count: 2 }, submittedAtMs: rig.nowMs }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ o: 1000 });
  });

  it('does not when that work ends later', () => {
    const rig = rigWithGuest(1100 * SECOND);
    rig.nowMs = 800 * SECOND;
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4, count: 2 }, submittedAtMs: rig.nowMs }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ p: 1000 });
  });

  it('does not when that borrows no more when work of its own queue has ended', () => {
    const rig = rigOf(['n', 'm'], { owner: 4, other: 4, guest: 4 });
    const pods = { gpus: 4 };
    rig.submit(aWorkload('c', { queue: 'other', pods, estimateMs: 1100 * SECOND }));
    rig.submit(aWorkload('b', { queue: 'guest', pods, estimateMs: 1000 * SECOND }));
    rig.settle();
    rig.submit(aWorkload('p', { queue: 'guest', pods, submittedAtMs: 1 }));
    rig.settle();
    rig.submit(aWorkload('o', { queue: 'owner', pods, submittedAtMs: 2 }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ p: 1000, o: 1100 });
  });

  it('does not when a plan of its own queue takes that quota before', () => {
    const rig = rigOf(['n1', 'n2', 'n3'], { owner: 4, other: 8, guest: 0 });
    const on = (node: string) => ({ gpus: 4, nodeSelector: { node } });
    rig.submit(aWorkload('own', { queue: 'owner', pods: on('n1'), estimateMs: 300 * SECOND }));
    rig.submit(aWorkload('b', { queue: 'other', pods: on('n2'), estimateMs: 500 * SECOND }));
    rig.settle();
    rig.submit(aWorkload('q', { queue: 'owner', pods: on('n1'), submittedAtMs: 1 }));
    rig.submit(aWorkload('p', { queue: 'guest', pods: { gpus: 4, count: 2 }, submittedAtMs: 1 }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ q: 300, p: 500 });
    rig.nowMs = SECOND;
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4 }, submittedAtMs: rig.nowMs }));
    rig.settle();
    expect(rig.stateOf('o')).toBe('pending');
    expect(plansOf(rig)).toEqual({ q: 300, p: 500 });
  });

  it.each([
    { who: 'as an owner of what that would borrow', queue: 'owner', priority: 0 },
    { who: 'by its priority', queue: 'guest', priority: 5 },
  ])('goes before it also when its own plan moves earlier: $who', ({ queue, priority }) => {
    const rig = rigOf(['n'], { owner: 4, guest: 0, other: 0 });
    const running = { queue: 'owner', priority: 9 };
    rig.submit(aWorkload('a', { ...running, pods: { gpus: 1 }, estimateMs: 1000 * SECOND }));
    rig.submit(aWorkload('b', { ...running, pods: { gpus: 3 }, estimateMs: 400 * SECOND }));
    rig.settle();
    const borrower = { queue: 'other', pods: { gpus: 3 }, estimateMs: 500 * SECOND };
    rig.submit(aWorkload('p', { ...borrower, submittedAtMs: 1 }));
    rig.settle();
    rig.submit(aWorkload('o', { queue, priority, pods: { gpus: 4 }, submittedAtMs: 2 }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ p: 400, o: 1000 });
    rig.nowMs = 300 * SECOND;
    for (const pod of rig.podsOf('a')) rig.endPod(pod);
    rig.goPods(rig.podsOf('a'));
    rig.settle();
    expect(plansOf(rig)).toEqual({ o: 400 });
  });

  it('goes before it together with one of its own side that borrows from it too', () => {
    const rig = rigOf(['n', 'm'], { side: 0, guest: 0 });
    rig.tell({ kind: 'queue-set', queue: aQueue('owner', { parent: 'side', h100: 8 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('near', { parent: 'side', h100: 0 }) });
    const pods = { gpus: 4 };
    const stays = { queue: 'guest', pods, estimateMs: 1000 * SECOND, preemptible: false };
    rig.submit(aWorkload('g', stays), aWorkload('h', stays));
    rig.settle();
    rig.submit(aWorkload('q', { queue: 'near', pods, submittedAtMs: 1 }));
    rig.submit(aWorkload('p', { queue: 'guest', pods, submittedAtMs: 1 }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ q: 1000, p: 1000 });
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4, count: 2 }, submittedAtMs: 2 }));
    rig.settle();
    expect(plansOf(rig)).toEqual({ o: 1000 });
  });
});
