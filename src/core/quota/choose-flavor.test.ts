import { describe, expect, it } from '@jest/globals';
import { aQueue } from '../../../test/support/fleet-builders.js';
import { Journal } from '../journal.js';
import type { FlavorWish } from './choose-flavor.js';
import { chargesOf, chooseFlavors } from './choose-flavor.js';
import { QuotaTree } from './quota-tree.js';

const ROOT = aQueue('root');
const wish = (devices: number, ...flavors: string[]): FlavorWish => ({ flavors, costOf: () => devices * 1000 });
const quotas = (h100: number, a100: number) => ({ h100: { nominal: h100 * 1000 }, a100: { nominal: a100 * 1000 } });

const cases: Record<string, { lab: [number, number]; ops: [number, number]; wishes: FlavorWish[]; want: string[] }> = {
  'the preferred flavor first, when both are free': {
    lab: [2, 2],
    ops: [0, 0],
    wishes: [wish(2, 'h100', 'a100')],
    want: ['h100', 'a100'],
  },
  'a flavor without borrowing before the preferred one with it': {
    lab: [1, 2],
    ops: [4, 4],
    wishes: [wish(2, 'h100', 'a100')],
    want: ['a100', 'h100'],
  },
  'only what quota allows': { lab: [1, 2], ops: [0, 0], wishes: [wish(2, 'h100', 'a100')], want: ['a100'] },
  'pod sets of one flavor are added up': {
    lab: [3, 2],
    ops: [0, 0],
    wishes: [wish(2, 'h100'), wish(2, 'h100', 'a100')],
    want: ['h100+a100'],
  },
  'the whole workload borrows or nothing of it': {
    lab: [2, 1],
    ops: [2, 2],
    wishes: [wish(2, 'h100', 'a100'), wish(1, 'h100', 'a100')],
    want: ['h100+a100', 'h100+h100', 'a100+h100', 'a100+a100'],
  },
};

describe(chooseFlavors.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { lab, ops, wishes, want }) => {
    const tree = new QuotaTree(new Journal());
    tree.set(ROOT);
    tree.set(aQueue('lab', { parent: 'root', quotas: quotas(...lab) }));
    tree.set(aQueue('ops', { parent: 'root', quotas: quotas(...ops) }));
    expect(chooseFlavors(tree, 'lab', wishes).allowed.map((choice) => choice.join('+'))).toEqual(want);
  });

  it('says why the preferred choice is refused', () => {
    const tree = new QuotaTree(new Journal());
    tree.set(aQueue('lab', { h100: 1 }));
    const { allowed, refused } = chooseFlavors(tree, 'lab', [wish(3, 'h100')]);
    expect({ allowed, refused }).toEqual({ allowed: [], refused: { queue: 'lab', flavor: 'h100', shortMilli: 2000 } });
  });

  it('looks at a bounded number of combinations, and says so', () => {
    const tree = new QuotaTree(new Journal());
    tree.set(aQueue('lab', { quotas: quotas(99, 99) }));
    const many = chooseFlavors(
      tree,
      'lab',
      Array.from({ length: 8 }, () => wish(1, 'h100', 'a100')),
    );
    expect({ choices: many.allowed.length, searched: many.searched }).toEqual({ choices: 64, searched: 'partial' });
  });

  it('charges nothing for pods that need no flavor', () => {
    expect(chargesOf('lab', [{ flavors: [undefined], costOf: () => 1 }], [undefined])).toEqual([]);
  });
});
