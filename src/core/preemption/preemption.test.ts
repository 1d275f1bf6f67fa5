import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Policy, QueueSpec, WorkloadSpec } from '../index.js';

type Wish = Partial<WorkloadSpec> & Parameters<typeof aWorkload>[1];

/** A fleet of one-model nodes; who runs was started in the order given, one after the other. */
function rigOf(world: {
  readonly nodes: Readonly<Record<string, number>>;
  readonly queues: readonly QueueSpec[];
  readonly running: Readonly<Record<string, Wish>>;
  readonly policy?: Partial<Policy>;
}): CoreRig {
  const rig = new CoreRig();
  const { preemption } = aPolicy();
  rig.tell({
    kind: 'policy-set',
    policy: aPolicy({ preemption: { ...preemption, minRuntimeMs: 0 }, ...world.policy }),
  });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  for (const queue of world.queues) rig.tell({ kind: 'queue-set', queue });
  for (const [name, devices] of Object.entries(world.nodes)) {
    rig.tell({ kind: 'node-seen', node: aNode(name, { devices, rack: `rack-${name.slice(0, 1)}` }) });
  }
  for (const [name, wish] of Object.entries(world.running)) {
    rig.submit(aWorkload(name, wish));
    rig.settle();
    if (rig.stateOf(name) !== 'running') throw new Error(`${name} does not run`);
  }
  return rig;
}

/** Submits it and settles; the workloads that were evicted, in the order decided. */
function arrive(rig: CoreRig, name: string, wish: Wish): readonly string[] {
  rig.submit(aWorkload(name, wish));
  return rig.settle().flatMap((decision) => (decision.kind === 'evict' ? [decision.workload] : []));
}

const LAB = [aQueue('root'), aQueue('lab', { parent: 'root', h100: 16 })];

describe('preemption inside a queue', () => {
  it('takes the lowest priority', () => {
    const rig = rigOf({
      nodes: { n: 6 },
      queues: LAB,
      running: {
        gold: { priority: 9, pods: { gpus: 2 } },
        silver: { priority: 5, pods: { gpus: 2 } },
        bronze: { priority: 1, pods: { gpus: 2 } },
      },
    });
    expect(arrive(rig, 'urgent', { priority: 7, pods: { gpus: 2 } })).toEqual(['bronze']);
    expect(rig.stateOf('urgent')).toBe('running');
    expect(rig.stateOf('bronze')).toBe('pending');
  });

  it('gives back who does not help, although its priority is the lowest', () => {
    const rig = rigOf({
      nodes: { n: 7 },
      queues: LAB,
      running: {
        small: { priority: 1, pods: { gpus: 1 } },
        mid: { priority: 3, pods: { gpus: 2 } },
        top: { priority: 8, pods: { gpus: 4 } },
      },
    });
    expect(arrive(rig, 'urgent', { priority: 8, pods: { gpus: 2 } })).toEqual(['mid']);
  });

  it('evicts nobody when only a part of the gang would fit', () => {
    const rig = rigOf({
      nodes: { a: 4, b: 4 },
      queues: LAB,
      running: { weak: { pods: { gpus: 4 } }, strong: { priority: 20, pods: { gpus: 2 } } },
    });
    expect(arrive(rig, 'pair', { priority: 10, pods: { gpus: 4, count: 2 } })).toEqual([]);
  });

  it('leaves alone who is not preemptible, of equal priority, or in a queue that forbids it', () => {
    const queues = [aQueue('root'), aQueue('lab', { parent: 'root', h100: 16, withinQueue: 'never' })];
    const forbids = rigOf({ nodes: { n: 4 }, queues, running: { humble: { pods: { gpus: 3 } } } });
    expect(arrive(forbids, 'proud', { priority: 90, pods: { gpus: 4 } })).toEqual([]);
    const rig = rigOf({ nodes: { n: 4 }, queues: LAB, running: { rock: { preemptible: false, pods: { gpus: 4 } } } });
    expect(arrive(rig, 'storm', { priority: 9, pods: { gpus: 4 } })).toEqual([]);
    const equal = rigOf({ nodes: { n: 4 }, queues: LAB, running: { sitting: { pods: { gpus: 4 } } } });
    expect(arrive(equal, 'standing', { pods: { gpus: 4 } })).toEqual([]);
  });

  it('waits until the protection after a start is over, and asks to be woken then', () => {
    const rig = rigOf({ nodes: { n: 4 }, queues: LAB, running: {}, policy: { preemption: aPolicy().preemption } });
    expect(arrive(rig, 'fresh', { pods: { gpus: 4 } })).toEqual([]);
    rig.nowMs = 100_000;
    expect(arrive(rig, 'eager', { priority: 9, pods: { gpus: 4 } })).toEqual([]);
    expect(rig.decide().wakeAtMs).toBe(300_000);
    rig.nowMs = 300_000;
    rig.settle();
    expect(rig.stateOf('eager')).toBe('running');
  });

  it('takes all fractions of one device and of no other', () => {
    const rig = rigOf({
      nodes: { a: 1, b: 1 },
      queues: LAB,
      running: {
        a1: { priority: 1, pods: { milli: 500 } },
        a2: { priority: 1, pods: { milli: 500 } },
        b1: { priority: 1, pods: { milli: 500 } },
        b2: { priority: 9, pods: { milli: 500 } },
      },
    });
    expect(arrive(rig, 'whole', { priority: 5 })).toEqual(['a2', 'a1']);
    expect(rig.nodesOf('whole')).toEqual({ a: 1 });
  });
});

describe('reclaim from borrowers', () => {
  const owner = aQueue('owner', { parent: 'root', h100: 4 });
  const guest = aQueue('guest', { parent: 'root', h100: 0 });

  it('takes a borrower, of whatever priority, before a lower priority of its own', () => {
    const rig = rigOf({
      nodes: { n: 4 },
      queues: [aQueue('root'), owner, guest],
      running: {
        chore: { queue: 'owner', priority: -2, pods: { gpus: 2 } },
        visit: { queue: 'guest', priority: 50, pods: { gpus: 2 } },
      },
    });
    expect(arrive(rig, 'home', { queue: 'owner', pods: { gpus: 2 } })).toEqual(['visit']);
  });

  it('takes no more than its nominal, and nobody who is within theirs', () => {
    const queues = [aQueue('root', { h100: 2 }), owner, guest];
    const two = { queue: 'guest', pods: { gpus: 2 } };
    const rig = rigOf({ nodes: { n: 6 }, queues, running: { g1: two, g2: two, g3: two }, policy: { order: 'fifo' } });
    const more = { queue: 'owner', pods: { gpus: 2 } };
    expect(arrive(rig, 'o1', more)).toEqual(['g3']);
    expect(arrive(rig, 'o2', more)).toEqual(['g2']);
    expect(arrive(rig, 'o3', more)).toEqual([]);
  });

  it('asks for nothing where the owner never reclaims', () => {
    const queues = [aQueue('root'), { ...owner, reclaim: 'never' as const }, guest];
    const rig = rigOf({ nodes: { n: 4 }, queues, running: { visit: { queue: 'guest', pods: { gpus: 4 } } } });
    expect(arrive(rig, 'home', { queue: 'owner', pods: { gpus: 2 } })).toEqual([]);
  });

  it('takes from a department that borrows and not from one at its quota', () => {
    const rig = rigOf({
      nodes: { n: 4, o: 4, p: 4 },
      queues: [
        aQueue('org'),
        ...['sun', 'moon', 'star'].flatMap((name) => [
          aQueue(name, { parent: 'org' }),
          aQueue(`${name}-a`, { parent: name, h100: 4 }),
        ]),
      ],
      running: {
        s1: { queue: 'star-a', pods: { gpus: 4 } },
        s2: { queue: 'star-a', pods: { gpus: 4 } },
        m1: { queue: 'moon-a', priority: -5, pods: { gpus: 4 } },
      },
    });
    expect(arrive(rig, 'day', { queue: 'sun-a', pods: { count: 4 } })).toEqual(['s2']);
  });
});

describe('taking from the larger share', () => {
  it('takes as long as the victim has at least as much afterwards', () => {
    const queue = (name: string, weight = 1) => aQueue(name, { parent: 'root', h100: 3, weight });
    const rig = rigOf({
      nodes: { a: 3, b: 3, c: 3 },
      queues: [aQueue('root'), queue('ant', 3), queue('bee'), queue('cat')],
      running: {
        'ant-1': { queue: 'ant', pods: { count: 3 } },
        'bee-1': { queue: 'bee', pods: { count: 3 } },
        'bee-2': { queue: 'bee' },
        'bee-3': { queue: 'bee' },
        'bee-4': { queue: 'bee' },
      },
    });
    expect(arrive(rig, 'ant-2', { queue: 'ant', pods: { count: 2 } })).toEqual(['bee-4', 'bee-3']);
    const start = rig.startOf('ant-2');
    expect(start?.because.rule).toBe('fair-share');
    expect(arrive(rig, 'ant-3', { queue: 'ant', pods: { count: 2 } })).toEqual([]);
  });
});
