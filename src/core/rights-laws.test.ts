import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { CoreRig } from '../../test/support/core-rig.js';
import { anyNodes, anyQueues, LEAVES } from '../../test/support/core-world.js';
import { aFlavor, aPodSet, aPolicy, aWorkload } from '../../test/support/fleet-builders.js';
import { faultOfEviction } from '../../test/support/naive-rights.js';
import type { BeforeSettle, Started } from '../../test/support/naive-scheduler.js';
import type { Decision, QueueSpec, WorkloadSpec } from './index.js';
import { DEFAULT_POLICY } from './index.js';

const anyWorkload = fc
  .record({
    queue: fc.constantFrom(...LEAVES),
    priority: fc.constantFrom(0, 0, 1, 2),
    preemptible: fc.constantFrom(true, true, true, false),
    submittedAtMs: fc.nat(3),
    count: fc.constantFrom(1, 1, 2),
    gpus: fc.constantFrom(1, 1, 2, 4),
    flavor: fc.constantFrom('h100', 'h100', 'a100'),
    topology: fc.constantFrom(undefined, undefined, undefined, 'rack'),
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
          wishes: anyNodes,
          tree: anyQueues,
          rules: fc.array(anyRules, { minLength: 5, maxLength: 5 }),
          /** One after the other, so that it is known what ran when somebody was evicted. */
          workloads: fc.array(anyWorkload, { minLength: 2, maxLength: 14 }),
          order: fc.constantFrom('fair' as const, 'fifo' as const),
        }),
        ({ wishes, tree, rules, workloads, order }) => {
          const nodes = wishes.map((node) => ({
            ...node,
            taints: [],
            labels: {},
            accelerators: node.accelerators.slice(0, 1),
          }));
          const queues = tree.map((queue, index): QueueSpec => ({ ...queue, ...rules[index] }));
          const rig = new CoreRig();
          const { preemption, backfill } = DEFAULT_POLICY;
          const policy = aPolicy({
            topologyLevels: ['zone', 'rack', 'host'],
            order,
            preemption: { ...preemption, minRuntimeMs: 0 },
            backfill: { ...backfill, depth: 0 },
          });
          rig.tell({ kind: 'policy-set', policy });
          for (const flavor of ['h100', 'a100']) rig.tell({ kind: 'flavor-set', flavor: aFlavor(flavor) });
          for (const queue of queues) rig.tell({ kind: 'queue-set', queue });
          for (const node of nodes) rig.tell({ kind: 'node-seen', node });
          const specs = new Map<string, WorkloadSpec>();
          let running: readonly Started[] = [];
          for (const [index, wish] of workloads.entries()) {
            const submitted = aWorkload(`w${index}`, wish);
            specs.set(submitted.id, submitted);
            rig.submit(submitted);
            for (const set of setsOf(rig.settle())) {
              const before: BeforeSettle = { order, nodes, queues, running, pending: [] };
              const victims = running.filter(({ spec }) => isEvicted(set, spec.id));
              const starts = startsOf(set, specs);
              const [preemptor] = starts;
              if (victims.length > 0 && preemptor !== undefined) {
                judged++;
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

function setsOf(decisions: readonly Decision[]): readonly (readonly Decision[])[] {
  return [...new Set(decisions.map(({ set }) => set))].map((set) => decisions.filter((one) => one.set === set));
}

function isEvicted(set: readonly Decision[], id: string): boolean {
  return set.some((decision) => decision.kind === 'evict' && decision.workload === id);
}

function startsOf(set: readonly Decision[], specs: ReadonlyMap<string, WorkloadSpec>): readonly Started[] {
  return set
    .filter((decision) => decision.kind === 'start')
    .map(({ workload, seats }) => {
      const spec = specs.get(workload);
      if (spec === undefined) throw new Error(`${workload} is not known`);
      return { spec, seats };
    });
}
