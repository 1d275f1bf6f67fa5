import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { anyQueues } from '../../../test/support/core-world.js';
import { aQueue } from '../../../test/support/fleet-builders.js';
import type { QueueSpec } from '../index.js';
import { Journal } from '../journal.js';
import type { QuotaTreeRow } from './check-charge.js';
import { availableMilli, checkCharge } from './check-charge.js';
import { QuotaTree } from './quota-tree.js';

/** Devices used by queue. */
type Use = Readonly<Record<string, number>>;

const ROOT = aQueue('root');
const cases: Record<
  string,
  { queues: readonly QueueSpec[]; used?: Use; ask: readonly [string, number]; want: string }
> = {
  'a queue may use what it has': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 4 })],
    ask: ['lab', 4],
    want: 'fits',
  },
  'more than all that there is exceeds at the root': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 4 })],
    ask: ['lab', 5],
    want: 'exceeds root by 1',
  },
  'idle quota of a sibling is borrowed': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 4 }), aQueue('ops', { parent: 'root', h100: 2 })],
    ask: ['lab', 6],
    want: 'fits',
  },
  'what the sibling uses cannot be borrowed': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 4 }), aQueue('ops', { parent: 'root', h100: 2 })],
    used: { ops: 1 },
    ask: ['lab', 6],
    want: 'exceeds root by 1',
  },
  'a borrowing limit of zero stops at the nominal quota': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 4, borrow: 0 }), aQueue('ops', { parent: 'root', h100: 2 })],
    used: { lab: 3 },
    ask: ['lab', 2],
    want: 'exceeds lab by 1',
  },
  'a lending limit keeps the rest at home': {
    queues: [ROOT, aQueue('lab', { parent: 'root', h100: 2 }), aQueue('bank', { parent: 'root', h100: 8, lend: 3 })],
    ask: ['lab', 6],
    want: 'exceeds root by 1',
  },
  'what is never lent is there for its owner when all the rest is lent out': {
    queues: [
      ROOT,
      aQueue('client', { parent: 'root', h100: 1 }),
      aQueue('bank', { parent: 'root', h100: 10, lend: 4 }),
    ],
    used: { client: 5 },
    ask: ['bank', 6],
    want: 'fits',
  },
  'and no more than that': {
    queues: [
      ROOT,
      aQueue('client', { parent: 'root', h100: 1 }),
      aQueue('bank', { parent: 'root', h100: 10, lend: 4 }),
    ],
    used: { client: 5 },
    ask: ['bank', 7],
    want: 'exceeds root by 1',
  },
  'the borrowing limit of a department binds its teams together': {
    queues: [
      aQueue('org'),
      aQueue('chem', { parent: 'org', quotas: { h100: { nominal: 0, borrowingLimit: 2000 } } }),
      aQueue('organic', { parent: 'chem', h100: 2 }),
      aQueue('polymer', { parent: 'chem', h100: 2 }),
      aQueue('bio', { parent: 'org', h100: 8 }),
    ],
    used: { organic: 4, polymer: 2 },
    ask: ['organic', 1],
    want: 'exceeds chem by 1',
  },
  'quota held by the department serves its teams': {
    queues: [aQueue('dept', { h100: 6 }), aQueue('ada', { parent: 'dept' }), aQueue('bob', { parent: 'dept' })],
    used: { ada: 4 },
    ask: ['bob', 3],
    want: 'exceeds dept by 1',
  },
  'a quota lowered below its use leaves nothing': {
    queues: [aQueue('lab', { h100: 2 })],
    used: { lab: 4 },
    ask: ['lab', 1],
    want: 'exceeds lab by 3',
  },
  'a flavor that nobody names is not managed': {
    queues: [aQueue('lab', { quotas: { a100: { nominal: 1000 } } })],
    ask: ['lab', 99],
    want: 'fits',
  },
  'a flavor that a sibling names counts as nothing here': {
    queues: [ROOT, aQueue('lab', { parent: 'root', borrow: 0 }), aQueue('ops', { parent: 'root', h100: 2 })],
    ask: ['lab', 1],
    want: 'exceeds lab by 1',
  },
  'another tree lends nothing': {
    queues: [aQueue('lab', { h100: 1 }), aQueue('island', { h100: 9 })],
    ask: ['lab', 2],
    want: 'exceeds lab by 1',
  },
  'a queue without a way to a root gets nothing': {
    queues: [aQueue('lab', { parent: 'missing', h100: 4 })],
    ask: ['lab', 1],
    want: 'exceeds lab by 1',
  },
  'an unknown queue gets nothing': { queues: [ROOT], ask: ['nobody', 1], want: 'exceeds nobody by 1' },
};

describe('the quota law', () => {
  it.each(Object.entries(cases))('%s', (_title, { queues, used = {}, ask: [queue, devices], want }) => {
    const charge = { queue, flavor: 'h100', milli: devices * 1000 };
    const row = checkCharge(rowsOf(queues, used), charge);
    expect(row.kind === 'fits' ? 'fits' : `exceeds ${row.queue} by ${row.shortMilli / 1000}`).toBe(want);
    const column = treeOf(queues, used).fits(charge);
    expect(column.kind === 'fits' ? 'fits' : `exceeds ${column.queue} by ${column.shortMilli / 1000}`).toBe(want);
  });

  it('is the same on rows and on columns, through charges, refunds and changed quotas, and rolls back', () => {
    const anyStep = fc.record({
      queue: fc.constantFrom('lab', 'dev', 'ops'),
      flavor: fc.constantFrom('h100', 'a100', 'cpu'),
      devices: fc.integer({ min: 1, max: 4 }),
      raise: fc.boolean(),
    });
    fc.assert(
      fc.property(anyQueues, fc.array(anyStep), (queues, steps) => {
        const journal = new Journal();
        const tree = new QuotaTree(journal);
        for (const queue of queues) tree.set(queue);
        const before = JSON.stringify(availability(tree));
        const mark = journal.mark();
        for (const { queue, flavor, devices, raise } of steps) {
          const charge = { queue, flavor, milli: devices * 1000 };
          const want = checkCharge(tree.rows(), charge);
          const fit = tree.fits(charge);
          expect(fit.kind).toBe(want.kind);
          if (fit.kind === 'exceeds') expect(fit).toMatchObject({ queue: want.kind === 'exceeds' ? want.queue : '' });
          tree.charge(charge);
          for (const [name, one, available] of availability(tree)) {
            expect({ name, one, available }).toEqual({ name, one, available: availableMilli(tree.rows(), name, one) });
          }
          if (raise) tree.set(raised(queues, charge));
        }
        for (const queue of queues) tree.set(queue);
        journal.rollbackTo(mark);
        expect(JSON.stringify(availability(tree))).toBe(before);
      }),
      lawCases(100),
    );
  });

  it('raises the quota of a trial as a changed queue would', () => {
    fc.assert(
      fc.property(anyQueues, fc.constantFrom('root', 'team', 'lab', 'ops'), (queues, queue) => {
        const charge = { queue, flavor: 'h100', milli: 2000 };
        const spec = queues.find(({ name }) => name === queue);
        fc.pre(spec?.quotas['h100'] !== undefined);
        const [tried, changed] = [treeOf(queues, {}), treeOf(queues, {})];
        tried.raise(charge);
        changed.set(raised(queues, charge));
        expect(availability(tried)).toEqual(availability(changed));
      }),
    );
  });
});

describe(QuotaTree.name, () => {
  it('refuses a queue that would be its own ancestor', () => {
    const tree = treeOf([ROOT, aQueue('lab', { parent: 'root' })], {});
    expect(tree.set(aQueue('root', { parent: 'lab' }))).toBe('cycle');
    expect(tree.isLeaf('lab')).toBe(true);
  });

  it('takes queues in any order: a child may come before its parent', () => {
    const tree = treeOf([aQueue('lab', { parent: 'root', h100: 2 })], {});
    expect(tree.available('lab', 'h100')).toBe(0);
    tree.set(ROOT);
    expect(tree.available('lab', 'h100')).toBe(2000);
  });

  it('removes only queues without children', () => {
    const tree = treeOf([ROOT, aQueue('lab', { parent: 'root' })], {});
    expect([tree.remove('root'), tree.remove('nobody'), tree.remove('lab'), tree.remove('root')]).toEqual([
      'has-children',
      'unknown',
      'removed',
      'removed',
    ]);
  });

  it('lists the flavors that are named or charged, and forgets those of queues that are gone', () => {
    const tree = treeOf([ROOT, aQueue('lab', { parent: 'root', h100: 1 }), aQueue('ops', { parent: 'root' })], {});
    tree.charge({ queue: 'ops', flavor: 'a100', milli: 1000 });
    expect(tree.flavors()).toEqual(['a100', 'h100']);
    tree.refund({ queue: 'ops', flavor: 'a100', milli: 1000 });
    tree.remove('lab');
    expect(tree.flavors()).toEqual([]);
  });

  it('says that a charge borrows when the queue would use more than its own', () => {
    const tree = treeOf(
      [ROOT, aQueue('lab', { parent: 'root', h100: 1 }), aQueue('ops', { parent: 'root', h100: 1 })],
      {},
    );
    expect(tree.fits({ queue: 'lab', flavor: 'h100', milli: 1000 })).toEqual({ kind: 'fits', borrows: false });
    expect(tree.fits({ queue: 'lab', flavor: 'h100', milli: 2000 })).toEqual({ kind: 'fits', borrows: true });
  });

  it('charges leaves only', () => {
    const tree = treeOf([aQueue('root', { h100: 4 }), aQueue('lab', { parent: 'root' })], {});
    expect(tree.fits({ queue: 'root', flavor: 'h100', milli: 1000 }).kind).toBe('exceeds');
  });
});

function rowsOf(queues: readonly QueueSpec[], used: Use): readonly QuotaTreeRow[] {
  return queues.map(({ name, parent, quotas }) => ({
    name,
    ...(parent === undefined ? {} : { parent }),
    quotas,
    usage: { h100: (used[name] ?? 0) * 1000 },
  }));
}

function treeOf(queues: readonly QueueSpec[], used: Use): QuotaTree {
  const tree = new QuotaTree(new Journal());
  for (const queue of queues) tree.set(queue);
  for (const [queue, devices] of Object.entries(used)) tree.charge({ queue, flavor: 'h100', milli: devices * 1000 });
  return tree;
}

function availability(tree: QuotaTree): readonly (readonly [string, string, number | undefined])[] {
  return tree
    .names()
    .flatMap((name) => ['h100', 'a100', 'cpu'].map((flavor) => [name, flavor, tree.available(name, flavor)] as const));
}

function raised(queues: readonly QueueSpec[], charge: { queue: string; flavor: string; milli: number }): QueueSpec {
  const spec = queues.find(({ name }) => name === charge.queue) ?? aQueue(charge.queue);
  const quota = spec.quotas[charge.flavor];
  const nominal = (quota?.nominal ?? 0) + charge.milli;
  return { ...spec, quotas: { ...spec.quotas, [charge.flavor]: { ...quota, nominal } } };
}
