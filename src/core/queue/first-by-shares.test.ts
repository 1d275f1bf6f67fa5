import { describe, expect, it } from '@jest/globals';
import { aQueue } from '../../../test/support/fleet-builders.js';
import { Journal } from '../journal.js';
import { QuotaTree } from '../quota/index.js';
import { firstByShares } from './first-by-shares.js';

const contender = (id: string, queue: string, { devices = 1, rank = 0, submittedAtMs = 0 } = {}) => ({
  key: { id, rank, submittedAtMs, name: id },
  queue,
  request: [{ queue, flavor: 'h100', milli: devices * 1000 }],
});

/** A root of 8 devices; `a` with `a1` and `a2`, and `b`, of which nobody owns any. */
function aTree(used: Readonly<Record<string, number>>): QuotaTree {
  const quota = new QuotaTree(new Journal());
  quota.set(aQueue('root', { h100: 8 }));
  for (const [name, parent] of [
    ['a', 'root'],
    ['b', 'root'],
    ['a1', 'a'],
    ['a2', 'a'],
  ] as const) {
    quota.set(aQueue(name, { parent, h100: 0 }));
  }
  for (const [queue, devices] of Object.entries(used)) quota.charge({ queue, flavor: 'h100', milli: devices * 1000 });
  return quota;
}

describe(firstByShares.name, () => {
  it.each([
    ['nobody of none', {}, [], undefined],
    ['the smaller share', { a1: 2, b: 1 }, [contender('x', 'a1'), contender('y', 'b')], 'y'],
    [
      'the smaller share with the request',
      { a1: 2, b: 1 },
      [contender('x', 'a1'), contender('y', 'b', { devices: 3 })],
      'x',
    ],
    [
      'higher priority before a smaller share',
      { a1: 2 },
      [contender('x', 'a1', { rank: -1 }), contender('y', 'b')],
      'x',
    ],
    ['a side as a whole, whoever of it used most', { a2: 2, b: 1 }, [contender('x', 'a1'), contender('y', 'b')], 'y'],
    ['inside a side the smaller share', { a1: 2, a2: 1 }, [contender('x', 'a1'), contender('y', 'a2')], 'y'],
    ['the earlier of equals', {}, [contender('x', 'a1', { submittedAtMs: 5 }), contender('y', 'b')], 'y'],
  ])('picks %s', (...[, used, contenders, want]) => {
    const quota = aTree(used);
    expect(firstByShares(quota, contenders)?.key.id).toBe(want);
    expect(firstByShares(quota, [...contenders].reverse())?.key.id).toBe(want);
  });
});
