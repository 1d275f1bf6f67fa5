import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { CoreRig } from '../../test/support/core-rig.js';
import { anyNodes, anyQueues, LEAVES } from '../../test/support/core-world.js';
import { aFlavor, aPodSet, aPolicy, aWorkload } from '../../test/support/fleet-builders.js';
import type { Started } from '../../test/support/naive-scheduler.js';
import { faultOfSettle } from '../../test/support/naive-scheduler.js';
import type { Decision, QueueSpec, WorkloadSpec } from './index.js';
import { DEFAULT_POLICY } from './index.js';

const anyWorkload = fc
  .record({
    queue: fc.constantFrom(...LEAVES),
    priority: fc.constantFrom(0, 0, 0, 1),
    submittedAtMs: fc.nat(3),
    count: fc.constantFrom(1, 1, 2, 3),
    gpus: fc.constantFrom(1, 1, 2, 4),
    flavor: fc.constantFrom('h100', 'h100', 'a100'),
    topology: fc.constantFrom(undefined, undefined, 'rack', 'host'),
  })
  .map(({ count, gpus, flavor, topology, ...rest }) => ({
    ...rest,
    podSets: [
      aPodSet({
        count,
        gpus,
        flavors: [flavor],
        ...(topology === undefined ? {} : { topology: { kind: 'required', level: topology } }),
      }),
    ],
  }));

/**
 * Waves of submissions; after each settle some of the running end, and whoever still waits gives up: a parked workload
 * competes no more for its queue, and who is parked depends on what was tried before.
 */
const anyWaves = fc.array(
  fc.record({ workloads: fc.array(anyWorkload, { minLength: 1, maxLength: 6 }), ends: fc.array(fc.nat(9)) }),
  { minLength: 1, maxLength: 3 },
);

describe('the visit, against a full comparison of all who wait', () => {
  it('starts whoever has the turn, a place and quota, and nobody else', () => {
    fc.assert(
      fc.property(
        fc.record({
          wishes: anyNodes,
          tree: anyQueues,
          weights: fc.array(fc.constantFrom(1, 2, 3), { minLength: 5, maxLength: 5 }),
          waves: anyWaves,
          order: fc.constantFrom('fair' as const, 'fifo' as const),
        }),
        ({ wishes, tree, weights, waves, order }) => {
          const nodes = wishes.map((node) => ({
            ...node,
            taints: [],
            labels: {},
            accelerators: node.accelerators.slice(0, 1),
          }));
          const queues = tree.map((queue, index): QueueSpec => ({
            ...queue,
            weight: weights[index] ?? 1,
            reclaim: 'never',
            withinQueue: 'never',
          }));
          const rig = new CoreRig();
          const policy = aPolicy({
            topologyLevels: ['zone', 'rack', 'host'],
            order,
            backfill: { ...DEFAULT_POLICY.backfill, depth: 0 },
          });
          rig.tell({ kind: 'policy-set', policy });
          for (const flavor of ['h100', 'a100']) rig.tell({ kind: 'flavor-set', flavor: aFlavor(flavor) });
          for (const queue of queues) rig.tell({ kind: 'queue-set', queue });
          for (const node of nodes) rig.tell({ kind: 'node-seen', node });
          let running: readonly Started[] = [];
          for (const [wave, { workloads, ends }] of waves.entries()) {
            const pending = workloads.map((spec, index) => aWorkload(`w${wave}-${index}`, spec));
            rig.submit(...pending);
            const starts = startsOf(rig.settle(), pending);
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

function startsOf(decisions: readonly Decision[], pending: readonly WorkloadSpec[]): readonly Started[] {
  return decisions
    .filter((decision) => decision.kind === 'start')
    .map(({ workload, seats }) => {
      const spec = pending.find(({ id }) => id === workload);
      if (spec === undefined) throw new Error(`${workload} did not wait`);
      return { spec, seats };
    });
}
