import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { anyQueues } from '../../test/support/core-world.js';
import { aWorkload } from '../../test/support/fleet-builders.js';
import { bySet } from '../../test/support/ledger-model.js';
import { faultOfEviction } from '../../test/support/naive-rights.js';
import type { Started } from '../../test/support/naive-scheduler.js';
import { anyOrder, anyPlainNodes, anyPlainWorkload, plainRig, startedIn } from '../../test/support/plain-world.js';
import type { Decision, QueueSpec } from './index.js';

const anyRules = fc.record({
  weight: fc.constantFrom(1, 1, 2, 3),
  reclaim: fc.constantFrom('any' as const, 'any' as const, 'lowerPriority' as const, 'never' as const),
  withinQueue: fc.constantFrom('lowerPriority' as const, 'never' as const),
});

describe('evictions, against rights written down plainly', () => {
  it('take only from whom there is a right to take, and from nobody who could be spared', () => {
    let judged = 0;
    fc.assert(
      fc.property(
        fc.record({
          nodes: anyPlainNodes,
          tree: anyQueues,
          rules: fc.array(anyRules, { minLength: 5, maxLength: 5 }),
          /** One after the other, so that it is known what ran when somebody was evicted. */
          wishes: fc.array(anyPlainWorkload, { minLength: 2, maxLength: 14 }),
          order: anyOrder,
        }),
        ({ nodes, tree, rules, wishes, order }) => {
          const queues = tree.map((queue, index): QueueSpec => ({ ...queue, ...rules[index] }));
          const rig = plainRig({ nodes, queues }, order);
          const workloads = wishes.map((wish, index) => aWorkload(`w${index}`, wish));
          let running: readonly Started[] = [];
          for (const workload of workloads) {
            rig.submit(workload);
            for (const set of bySet(rig.settle()).values()) {
              const victims = running.filter(({ spec }) => isEvicted(set, spec.id));
              const starts = startedIn(set, workloads);
              const [preemptor] = starts;
              if (victims.length > 0 && preemptor !== undefined) {
                judged++;
                const before = { order, nodes, queues, running, pending: [] };
                expect(faultOfEviction(before, { preemptor: preemptor.spec, victims })).toBeUndefined();
              }
              running = [...running.filter((one) => !victims.includes(one)), ...starts];
            }
          }
        },
      ),
      lawCases(60),
    );

    expect(judged).toBeGreaterThan(0);
  });
});

function isEvicted(set: readonly Decision[], id: string): boolean {
  return set.some((decision) => decision.kind === 'evict' && decision.workload === id);
}
