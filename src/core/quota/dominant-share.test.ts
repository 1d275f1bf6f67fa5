import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { anyQueues, LEAVES } from '../../../test/support/core-world.js';
import { aQueue } from '../../../test/support/fleet-builders.js';
import type { Charge, QueueSpec } from '../index.js';
import { Journal } from '../journal.js';
import { availableMilli } from './check-charge.js';
import { dominantShare, pastShare, perMille } from './dominant-share.js';
import { QuotaTree } from './quota-tree.js';

const HOUR = 3_600_000;

function treeOf(queues: readonly QueueSpec[], charges: readonly Charge[] = []): QuotaTree {
  const tree = new QuotaTree(new Journal());
  tree.past.advance(0);
  for (const queue of queues) tree.set(queue);
  for (const charge of charges) tree.charge(charge);
  return tree;
}

const h100 = (queue: string, devices: number): Charge => ({ queue, flavor: 'h100', milli: devices * 1000 });
const ROOT = aQueue('root');
const pair = (wish: Partial<QueueSpec> = {}) => [
  ROOT,
  aQueue('lab', { parent: 'root', h100: 4, ...wish }),
  aQueue('ops', { parent: 'root', h100: 4 }),
];

const cases: Record<
  string,
  { queues: readonly QueueSpec[]; used?: readonly Charge[]; more?: readonly Charge[]; of: string; want: number }
> = {
  'is 0 within the nominal quota': { queues: pair(), used: [h100('lab', 4)], of: 'lab', want: 0 },
  'is what is borrowed of what the parent can lend': {
    queues: pair(),
    used: [h100('lab', 5)],
    of: 'lab',
    want: 125_000,
  },
  'counts the request as if it were charged': { queues: pair(), more: [h100('lab', 6)], of: 'lab', want: 250_000 },
  'is divided by the weight': { queues: pair({ weight: 2 }), used: [h100('lab', 6)], of: 'lab', want: 125_000 },
  'is infinite with a loan and a weight of 0': {
    queues: pair({ weight: 0 }),
    used: [h100('lab', 5)],
    of: 'lab',
    want: Infinity,
  },
  'is 0 without a loan, also with a weight of 0': { queues: pair({ weight: 0 }), of: 'lab', want: 0 },
  'is infinite when the parent can lend nothing': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 0 })],
    more: [h100('lab', 1)],
    of: 'lab',
    want: Infinity,
  },
  'is that of the flavor of which most is borrowed': {
    queues: [
      ROOT,
      aQueue('lab', { parent: 'root', quotas: { h100: { nominal: 0 }, l4: { nominal: 0 } } }),
      aQueue('ops', { parent: 'root', quotas: { h100: { nominal: 8000 }, l4: { nominal: 4000 } } }),
    ],
    used: [h100('lab', 1), { queue: 'lab', flavor: 'l4', milli: 1000 }],
    of: 'lab',
    want: 250_000,
  },
  'leaves out what no quota manages': {
    queues: pair(),
    used: [{ queue: 'lab', flavor: 'l4', milli: 9000 }],
    of: 'lab',
    want: 0,
  },
  'of a department counts what its teams use beyond what they keep': {
    queues: [
      ROOT,
      aQueue('dept', { parent: 'root' }),
      aQueue('lab', { parent: 'dept', h100: 4, lend: 1 }),
      aQueue('ops', { parent: 'root', h100: 8 }),
    ],
    used: [h100('lab', 2)],
    more: [h100('lab', 3)],
    of: 'dept',
    want: 111_111,
  },
  'of a root is 0: it borrows from nobody': { queues: pair(), used: [h100('lab', 9)], of: 'root', want: 0 },
  'of an unknown queue is 0': { queues: pair(), of: 'nowhere', want: 0 },
  'of a queue without a way to a root is 0': {
    queues: [aQueue('lab', { parent: 'nowhere', h100: 1 })],
    more: [h100('lab', 3)],
    of: 'lab',
    want: 0,
  },
};

describe(dominantShare.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { queues, used, more, of, want }) => {
    expect(dominantShare(treeOf(queues, used), of, more)).toBe(want);
  });

  it('is shown per mille, rounded down', () => {
    expect([0, 999, 111_111, 222_222, Infinity].map(perMille)).toEqual([0, 0, 111, 222, Infinity]);
  });

  it('with a request is what it is once the request is charged', () => {
    fc.assert(
      fc.property(anyQueues, fc.array(anyCharge, { maxLength: 8 }), fc.array(anyCharge), (queues, used, more) => {
        const [before, after] = [treeOf(queues, used), treeOf(queues, [...used, ...more])];
        for (const charge of more.slice(0, 1)) {
          const alone = treeOf(queues, [...used, charge]);
          for (const { name } of queues) {
            expect(dominantShare(before, name, [charge])).toBe(dominantShare(alone, name));
          }
        }
        const oneQueue = more.filter(({ queue }) => queue === 'lab');
        const all = treeOf(queues, [...used, ...oneQueue]);
        expect(dominantShare(before, 'team', sum(oneQueue))).toBe(dominantShare(all, 'team'));
        expect(dominantShare(after, 'root')).toBe(0);
      }),
      lawCases(100),
    );
  });

  it('lends at most what a parent could have when nothing is used', () => {
    fc.assert(
      fc.property(anyQueues, fc.array(anyCharge, { maxLength: 8 }), (queues, used) => {
        const tree = treeOf(queues, used);
        const idle = tree.rows().map((row) => ({ ...row, usage: {} }));
        for (const { name, parent } of queues) {
          const lender = parent ?? name;
          const most = availableMilli(idle, lender, 'h100');
          if (most !== undefined) expect(tree.lendable(name, 'h100')).toBe(most);
        }
      }),
      lawCases(100),
    );
  });
});

describe(pastShare.name, () => {
  it('is past usage of what the parent can lend, by weight, of a queue and all below it', () => {
    const queues = [
      aQueue('root', { h100: 10 }),
      aQueue('dept', { parent: 'root', weight: 2 }),
      aQueue('lab', { parent: 'dept', pastUsage: { h100: 4_000_000 } }),
      aQueue('ops', { parent: 'dept' }),
    ];
    const tree = treeOf(queues, [h100('ops', 2)]);
    expect(pastShare(tree, 'ops')).toBe(0);
    expect(pastShare(tree, 'lab')).toBe(400_000_000);
    tree.past.advance(1000);
    expect(pastShare(tree, 'ops')).toBe(200_000);
    expect(pastShare(tree, 'dept')).toBe(200_100_000);
  });

  it('decays, and is not told again by a later change of the queue', () => {
    const tree = treeOf([aQueue('root', { h100: 1, pastUsage: { h100: 8_000_000 } })]);
    tree.past.setHalfLife(HOUR);
    tree.past.advance(3 * HOUR);
    tree.set(aQueue('root', { h100: 1, pastUsage: { h100: 8_000_000 } }));
    expect(pastShare(tree, 'root')).toBe(1_000_000_000);
  });
});

const anyCharge = fc
  .record({ queue: fc.constantFrom(...LEAVES), flavor: fc.constantFrom('h100', 'a100'), devices: fc.nat(5) })
  .map(({ queue, flavor, devices }): Charge => ({ queue, flavor, milli: devices * 1000 }));

/** One charge for each flavor, as a workload makes them. */
function sum(charges: readonly Charge[]): readonly Charge[] {
  return ['h100', 'a100'].map((flavor) => ({
    queue: 'lab',
    flavor,
    milli: charges.filter((charge) => charge.flavor === flavor).reduce((total, { milli }) => total + milli, 0),
  }));
}
