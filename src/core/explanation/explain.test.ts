import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Change, Constraint, NodeState, PodSetSpec, SchedulerInput } from '../index.js';

interface Case {
  /** Node `a` has 4 devices, `b` too; racks r1 and r2. Others are running already. */
  readonly others?: Readonly<
    Record<string, { readonly at: string; readonly gpus: number; readonly priority?: number }>
  >;
  readonly states?: Readonly<Record<string, NodeState>>;
  readonly told?: readonly SchedulerInput[];
  readonly pods: PodSetSpec;
  readonly hold?: boolean;
  readonly want: Partial<Constraint>;
  readonly also?: readonly Constraint['kind'][];
  readonly change: readonly Change[];
}

const limited: SchedulerInput = { kind: 'queue-set', queue: aQueue('lab', { h100: 3 }) };
const REQUIRED = { kind: 'required', level: 'rack' } as const;

const cases: Record<string, Case> = {
  'a hold, that its owner may lift': {
    pods: aPodSet(),
    hold: true,
    want: { kind: 'hold', by: 'owner' },
    change: [{ kind: 'lift-hold' }],
  },
  'a selector that no node has, by number of nodes': {
    pods: aPodSet({ nodeSelector: { pool: 'gold' } }),
    want: { kind: 'selector', ruledOut: [{ by: 'label', value: 'pool=gold', nodes: 2 }] },
    change: [{ kind: 'drop-requirement', podSet: 'worker', requirement: 'selector' }],
  },
  'pods larger than any node': {
    pods: aPodSet({ gpus: 5 }),
    want: { kind: 'selector', ruledOut: [{ by: 'size', value: '5 devices', nodes: 2 }] },
    change: [],
  },
  'another model than the fleet has': {
    pods: aPodSet({ flavors: ['a100'] }),
    want: { kind: 'selector', ruledOut: [{ by: 'model', value: 'a100', nodes: 2 }] },
    change: [],
  },
  'quota, with who holds it': {
    others: { one: { at: 'a', gpus: 2 } },
    told: [limited],
    pods: aPodSet({ gpus: 2 }),
    want: {
      kind: 'quota',
      queue: 'lab',
      flavor: 'h100',
      resource: 'devices',
      short: 1000,
      holders: [{ workload: 'one', amount: 2000 }],
    },
    change: [{ kind: 'raise-quota', queue: 'lab', flavor: 'h100', milli: 1000 }],
  },
  'quota first, and capacity beside it': {
    others: { one: { at: 'a', gpus: 3 }, two: { at: 'b', gpus: 4 } },
    told: [{ kind: 'queue-set', queue: aQueue('lab', { h100: 7 }) }],
    pods: aPodSet({ gpus: 2 }),
    want: { kind: 'quota', short: 2000 },
    also: ['capacity'],
    change: [{ kind: 'end-workloads', workloads: ['one'] }],
  },
  'a required rack without room, though the fleet has some': {
    pods: aPodSet({ count: 6, topology: REQUIRED }),
    want: { kind: 'topology', level: 'rack', podsNeeded: 6, podsAtBest: 4, best: 'r1' },
    change: [{ kind: 'drop-requirement', podSet: 'worker', requirement: 'topology', level: 'rack' }],
  },
  'a gang of which only a part fits': {
    others: { one: { at: 'a', gpus: 2 } },
    pods: aPodSet({ count: 4, gpus: 2 }),
    want: { kind: 'gang', podsNeeded: 4, podsThatFit: 3 },
    change: [{ kind: 'end-workloads', workloads: ['one'] }],
  },
  'a gang larger than the fleet is short of capacity': {
    pods: aPodSet({ count: 9 }),
    want: { kind: 'capacity', resource: 'devices', short: 1000 },
    change: [{ kind: 'ask-less', podSet: 'worker', count: 8 }],
  },
  'nodes that are not well': {
    states: { a: 'quarantined', b: 'suspect' },
    pods: aPodSet(),
    want: { kind: 'node-state', nodes: ['b'] },
    also: ['capacity'],
    change: [{ kind: 'heal-nodes', nodes: ['b'] }],
  },
  'capacity, with who holds it; the least important would have to end': {
    others: { one: { at: 'a', gpus: 3, priority: 5 }, two: { at: 'b', gpus: 4, priority: 1 } },
    pods: aPodSet({ gpus: 2 }),
    want: {
      kind: 'capacity',
      flavor: 'h100',
      resource: 'devices',
      short: 2000,
      holders: [
        { workload: 'two', amount: 4000 },
        { workload: 'one', amount: 3000 },
      ],
    },
    change: [{ kind: 'end-workloads', workloads: ['two'] }],
  },
  'memory, when devices are free': {
    told: [{ kind: 'foreign-use-seen', node: 'a', use: { cpuMilli: 0, memoryMib: 1_048_000, pods: 1 }, slots: [] }],
    states: { b: 'retired' },
    pods: aPodSet({ memoryMib: 1000 }),
    want: { kind: 'node-state', nodes: ['b'] },
    also: ['capacity'],
    change: [{ kind: 'heal-nodes', nodes: ['b'] }],
  },
  'a queue that takes no workloads': {
    told: [{ kind: 'queue-set', queue: aQueue('below', { parent: 'lab' }) }],
    pods: aPodSet(),
    want: { kind: 'quota', queue: 'lab', short: 0 },
    change: [],
  },
};

describe('a waiting workload is told', () => {
  it.each(Object.entries(cases))(
    '%s',
    (_title, { others = {}, states = {}, told = [], want, change, also, ...wish }) => {
      const rig = new CoreRig();
      rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
      rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 100 }) });
      for (const [index, name] of ['a', 'b'].entries()) {
        rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 4, rack: `r${index + 1}`, labels: { at: name } }) });
      }
      for (const [id, { at, gpus, priority = 0 }] of Object.entries(others)) {
        rig.submit(aWorkload(id, { priority, podSets: [aPodSet({ gpus, nodeSelector: { at } })] }));
      }
      rig.settle();
      rig.tell(...told);
      for (const [node, state] of Object.entries(states)) rig.nodeState(node, state);
      rig.submit(aWorkload('asks', { hold: wish.hold ?? false, podSets: [wish.pods] }));
      const waits = rig.settle();
      const verdict = rig.scheduler.explain('asks', rig.nowMs);
      expect(verdict).toMatchObject({ kind: 'pending', binding: want, change, searched: 'complete' });
      expect(waits).toMatchObject([{ kind: 'wait', workloads: ['asks'], binding: want.kind }]);
      if (also !== undefined && verdict.kind === 'pending') expect(verdict.also.map(({ kind }) => kind)).toEqual(also);
    },
  );

  it('whose turn comes first, before the settle that starts it', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('first', { priority: 1 }), aWorkload('second'));
    expect(rig.scheduler.explain('second', 0)).toMatchObject({
      binding: { kind: 'priority', behind: 'first', ahead: 1 },
      change: [],
    });
  });

  it('which planned start it would delay, when it is planned, and the priority that would win', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('runs', { estimateMs: 60_000, pods: { gpus: 4 } }));
    rig.settle();
    rig.submit(aWorkload('large', { submittedAtMs: 1, estimateMs: 60_000, pods: { gpus: 8 } }));
    rig.submit(aWorkload('long', { submittedAtMs: 2, estimateMs: 600_000, pods: { gpus: 4 } }));
    rig.settle();
    expect(rig.scheduler.explain('long', 0)).toMatchObject({
      binding: { kind: 'priority', behind: 'large', plan: { workload: 'large', startMs: 60_000 } },
      change: [{ kind: 'raise-priority', to: 1 }],
    });
    expect(rig.scheduler.explain('large', 0)).toMatchObject({
      binding: { kind: 'capacity' },
      eta: { lowMs: 0, likelyMs: 60_000, highMs: 120_000 },
    });
  });

  it('the least priority that may evict enough, once time protects nobody', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(
      aWorkload('low', { priority: 2, pods: { gpus: 4 } }),
      aWorkload('top', { priority: 9, pods: { gpus: 4 } }),
    );
    rig.settle();
    rig.nowMs = 400_000;
    rig.submit(aWorkload('asks', { priority: 1, pods: { gpus: 4 } }));
    rig.settle();
    expect(rig.scheduler.explain('asks', rig.nowMs)).toMatchObject({
      binding: { kind: 'capacity' },
      change: [{ kind: 'raise-priority', to: 3 }],
    });
  });

  it('until when a backoff lasts, which nothing but time changes', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job', { notBeforeMs: 50 }));
    rig.settle();
    expect(rig.scheduler.explain('job', 49)).toMatchObject({
      binding: { kind: 'hold', by: 'backoff', untilMs: 50 },
      change: [],
    });
    expect(rig.scheduler.explain('job', 50)).toMatchObject({ binding: { kind: 'priority', ahead: 0 } });
    expect(JSON.stringify(rig.scheduler.explain('job', 50))).not.toContain('behind');
  });

  it('nothing, when it does not wait or is not known', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(aWorkload('job'));
    rig.settle();
    expect(rig.scheduler.explain('job', 0)).toEqual({ kind: 'not-pending' });
    expect(rig.scheduler.explain('nobody', 0)).toEqual({ kind: 'unknown-workload' });
  });

  it('two changes when no single one is enough', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 4 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('other', { h100: 6 }) });
    rig.submit(aWorkload('foreign', { queue: 'other', pods: { gpus: 6 } }));
    rig.settle();
    rig.submit(aWorkload('asks', { pods: { gpus: 6 } }));
    rig.settle();
    expect(rig.scheduler.explain('asks', 0)).toMatchObject({
      change: [
        { kind: 'raise-quota', queue: 'lab', flavor: 'h100', milli: 2000 },
        { kind: 'end-workloads', workloads: ['foreign'] },
      ],
    });
  });
});

describe('a group of equal workloads', () => {
  it('is told once, newcomers by themselves, and all again when the reason changes', () => {
    const rig = CoreRig.withRacks({ r1: ['a'] });
    rig.submit(...['x', 'y', 'z'].map((id) => aWorkload(id, { pods: { gpus: 8 } })));
    expect(rig.settle().slice(1)).toMatchObject([{ kind: 'wait', workloads: ['y', 'z'], binding: 'capacity' }]);
    rig.submit(aWorkload('zz', { pods: { gpus: 8 } }));
    expect(rig.settle()).toMatchObject([{ workloads: ['zz'], binding: 'capacity' }]);
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 8 }) });
    expect(rig.settle()).toMatchObject([{ workloads: ['y', 'z', 'zz'], binding: 'quota' }]);
    expect(rig.settle()).toEqual([]);
  });
});
