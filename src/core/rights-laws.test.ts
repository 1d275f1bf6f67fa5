import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { anyQueues } from '../../test/support/core-world.js';
import { aWorkload } from '../../test/support/fleet-builders.js';
import { bySet, keyOf } from '../../test/support/ledger-model.js';
import { faultOfEviction, without } from '../../test/support/naive-rights.js';
import type { Started } from '../../test/support/naive-scheduler.js';
import {
  anyBorrowers,
  anyElasticWorkload,
  anyOrder,
  anyPlainNodes,
  plainRig,
  startedIn,
} from '../../test/support/plain-world.js';
import type { Decision, QueueSpec } from './index.js';

const anyRules = fc.record({
  weight: fc.constantFrom(1, 1, 2, 3),
  reclaim: fc.constantFrom('any' as const, 'any' as const, 'lowerPriority' as const, 'never' as const),
  withinQueue: fc.constantFrom('lowerPriority' as const, 'lowerPriority' as const, 'never' as const),
});

describe('evictions, against rights written down plainly', () => {
  it('take only from whom there is a right to take, and from nobody who could be spared', () => {
    let judged = 0;
    fc.assert(
      fc.property(
        fc.record({
          nodes: anyPlainNodes,
          tree: fc.oneof(anyQueues, anyBorrowers),
          rules: fc.array(anyRules, { minLength: 5, maxLength: 5 }),
          /** One after the other, so that it is known what ran when somebody was evicted. */
          wishes: fc.array(anyElasticWorkload, { minLength: 2, maxLength: 14 }),
          order: anyOrder,
        }),
        ({ nodes: told, tree, rules, wishes, order }) => {
          // Who leaves and who waits for that share more than devices: by counting, only those can be told apart.
          const nodes = told.map((node) => ({ ...node, capacity: { ...node.capacity, cpuMilli: 64_000 } }));
          const queues = tree.map((queue, index): QueueSpec => ({ ...queue, ...rules[index] }));
          const rig = plainRig({ nodes, queues }, order);
          const workloads = wishes.map((wish, index) => aWorkload(`w${index}`, wish));
          let running: readonly Started[] = [];
          for (const workload of workloads) {
            rig.submit(workload);
            for (let decisions = rig.settleOnce(); decisions.length > 0; decisions = rig.settleOnce()) {
              let leaving: readonly Started[] = [];
              for (const set of bySet(asMade(decisions)).values()) {
                const victims = lossesOf(set, running);
                const starts = startedIn(set, workloads);
                const [preemptor] = starts;
                if (victims.length > 0 && preemptor !== undefined) {
                  judged++;
                  const before = { order, nodes, queues, running, pending: [] };
                  const eviction = { preemptor: preemptor.spec, victims, leaving };
                  expect(faultOfEviction(before, eviction)).toBeUndefined();
                }
                running = grown(set, [...without(running, victims), ...starts.map(atMinimum)]);
                leaving = [...leaving, ...victims];
              }
              const whole = startedIn(decisions, workloads);
              running = running.map((one) => whole.find(({ spec }) => spec === one.spec) ?? one);
            }
          }
        },
      ),
      lawCases(60),
    );

    expect(judged).toBeGreaterThan(0);
  });
});

/** Not as they are said: a start that may still grow is said last, and may be what made an eviction lawful. */
function asMade(decisions: readonly Decision[]): readonly Decision[] {
  return [...decisions].sort((a, b) => a.id - b.id);
}

/** What a start took when it was made. It grows when nobody is evicted any more. */
function atMinimum({ spec, seats }: Started): Started {
  return { spec, seats: seats.slice(0, spec.podSets[0]?.minCount) };
}

/** Whole workloads, and pods one by one. */
function lossesOf(set: readonly Decision[], running: readonly Started[]): readonly Started[] {
  return set.flatMap((decision): readonly Started[] => {
    if (decision.kind !== 'evict' && decision.kind !== 'shrink') return [];
    const gone = new Set(decision.pods.map(keyOf));
    const losses = running.map(({ spec, seats }) => ({ spec, seats: seats.filter(({ pod }) => gone.has(keyOf(pod))) }));
    const lost = losses.filter(({ seats }) => seats.length > 0);
    return decision.kind === 'evict'
      ? lost
      : lost.flatMap(({ spec, seats }) => seats.map((seat) => ({ spec, seats: [seat] })));
  });
}

function grown(set: readonly Decision[], running: readonly Started[]): readonly Started[] {
  return running.map(({ spec, seats }) => {
    const more = set.flatMap((decision) =>
      decision.kind === 'grow' && decision.workload === spec.id ? decision.seats : [],
    );
    return { spec, seats: [...seats, ...more] };
  });
}
