import { describe, expect, it } from '@jest/globals';
import { aQueue } from '../../test/support/api-builders.js';
import type { QueueFlavor } from '../server/quotas/quotas.schema.js';
import { queueUses } from './quota-use.js';

const h100 = (over: Partial<QueueFlavor>): QueueFlavor => ({
  flavor: 'h100',
  nominal: 0,
  used: 0,
  available: 0,
  ...over,
});

describe(queueUses.name, () => {
  it('adds up the quota of a parent, which has none by itself, from all below it', () => {
    const uses = queueUses([
      aQueue({ name: 'company', leaf: false, flavors: [h100({ used: 20_000 })] }),
      aQueue({ name: 'labs', parent: 'company', leaf: false, flavors: [h100({ nominal: 4_000, used: 20_000 })] }),
      aQueue({ name: 'vision', parent: 'labs', flavors: [h100({ nominal: 12_000, used: 20_000 })] }),
      aQueue({ name: 'product', parent: 'company', flavors: [h100({ nominal: 16_000 })] }),
    ]);
    const got = uses.map(({ queue, depth, flavors: [use] }) => [queue.name, depth, use?.nominal, use?.borrowed]);
    expect(got).toEqual([
      ['company', 0, 32, 0],
      ['labs', 1, 16, 4],
      ['vision', 2, 12, 8],
      ['product', 1, 16, 0],
    ]);
  });

  it('counts in devices, shares of one included, and knows the limit of borrowing', () => {
    const [use] = queueUses([aQueue({ flavors: [h100({ nominal: 2_000, used: 2_250, borrowingLimit: 1_000 })] })]);
    expect(use?.flavors).toEqual([{ flavor: 'h100', nominal: 2, used: 2.25, borrowed: 0.25, limit: 3 }]);
  });
});
