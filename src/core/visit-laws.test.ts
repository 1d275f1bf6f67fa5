import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { anyQueues } from '../../test/support/core-world.js';
import { aWorkload } from '../../test/support/fleet-builders.js';
import type { Started } from '../../test/support/naive-scheduler.js';
import { faultOfSettle } from '../../test/support/naive-scheduler.js';
import { anyOrder, anyPlainNodes, anyPlainWorkload, plainRig, startedIn } from '../../test/support/plain-world.js';
import type { QueueSpec } from './index.js';

/**
 * Waves of submissions; after each settle some of the running end, and whoever still waits gives up: a parked workload
 * competes no more for its queue, and who is parked depends on what was tried before.
 */
const anyWaves = fc.array(
  fc.record({ workloads: fc.array(anyPlainWorkload, { minLength: 1, maxLength: 6 }), ends: fc.array(fc.nat(9)) }),
  { minLength: 1, maxLength: 3 },
);

describe('the visit, against a full comparison of all who wait', () => {
  it('starts whoever has the turn, a place and quota, and nobody else', () => {
    fc.assert(
      fc.property(
        fc.record({
          nodes: anyPlainNodes,
          tree: anyQueues,
          weights: fc.array(fc.constantFrom(1, 2, 3), { minLength: 5, maxLength: 5 }),
          waves: anyWaves,
          order: anyOrder,
        }),
        ({ nodes, tree, weights, waves, order }) => {
          const queues = tree.map((queue, index): QueueSpec => ({
            ...queue,
            weight: weights[index] ?? 1,
            reclaim: 'never',
            withinQueue: 'never',
          }));
          const rig = plainRig({ nodes, queues }, order);
          let running: readonly Started[] = [];
          for (const [wave, { workloads, ends }] of waves.entries()) {
            const pending = workloads.map((spec, index) => aWorkload(`w${wave}-${index}`, spec));
            rig.submit(...pending);
            const starts = startedIn(rig.settle(), pending);
            expect(faultOfSettle({ order, nodes, queues, running, pending }, starts)).toBeUndefined();
            for (const { id } of pending) {
              if (starts.every(({ spec }) => spec.id !== id)) rig.tell({ kind: 'workload-cancelled', workload: id });
            }
            running = [...running, ...starts];
            const ended = running.filter((_started, index) => ends.includes(index));
            for (const { seats } of ended) {
              for (const { pod } of seats) rig.endPod(pod);
              rig.goPods(seats.map(({ pod }) => pod));
            }
            running = running.filter((started) => !ended.includes(started));
            rig.settle();
          }
        },
      ),
      lawCases(60),
    );
  });
});
