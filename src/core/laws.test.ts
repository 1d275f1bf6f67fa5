import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  expectRequiredTopology,
  expectTrueBooks,
  expectWholeGangs,
  expectWholeSlices,
  lawCases,
} from '../../test/support/core-laws.js';
import { CoreStory } from '../../test/support/core-story.js';
import { anyNoise, anyStory, anyWorld, inputsOf } from '../../test/support/core-world.js';
import type { SchedulerInput, Snapshot } from './index.js';
import { isForDisplay, Scheduler } from './index.js';

const NOTHING: SchedulerInput = { kind: 'node-removed', node: 'nowhere' };

describe('the laws of the core, on random fleets, quota trees and happenings', () => {
  it('keeps true books: used is the sum of what is held, at every slot, node and queue', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        new CoreStory(world, { afterStep: expectTrueBooks }).play(happenings);
      }),
      lawCases(45),
    );
  });

  it('decides nothing that the ledger must refuse: no slot over 1,000 milli, no charge past the tree', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const story = new CoreStory(world, {
          onSet: ({ ledger, queues }, set, isLate) => {
            if (!isLate) expect(ledger.forbids(set, queues)).toBeUndefined();
          },
        });
        story.play(happenings);
      }),
      lawCases(45),
    );
  });

  it('holds of a gang nothing or at least its minimum, and required levels hold', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        new CoreStory(world, { afterStep: expectWholeGangs, onSet: expectRequiredTopology }).play(happenings);
      }),
      lawCases(45),
    );
  });

  it('gives a slice with several hosts whole to one gang', () => {
    let inSlices = 0;
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const story = new CoreStory(world, { onSet: expectWholeSlices }).play(happenings);
        const isSliced = world.nodes.some(({ topology }) => topology['slice'] === 's0');
        if (isSliced) inSlices += story.decisions.filter(({ kind }) => kind === 'start').length;
      }),
      lawCases(90),
    );
    expect(inSlices).toBeGreaterThan(0);
  });

  it('comes to rest, and five more rounds change nothing', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const story = new CoreStory(world).play(happenings);
        story.rest();
        const before = JSON.stringify(story.scheduler.snapshot());
        for (let round = 0; round < 5; round++) expect(story.scheduler.decide(story.nowMs).decisions).toEqual([]);
        expect(JSON.stringify(story.scheduler.snapshot())).toBe(before);
      }),
      lawCases(45),
    );
  });

  it('forgets nobody: whoever sleeps could do nothing, and the time to wake it is named', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const story = new CoreStory(world).play(happenings);
        story.rest();
        const { wakeAtMs } = story.scheduler.decide(story.nowMs);
        const snapshot = story.scheduler.snapshot();
        const awake: Snapshot = {
          ...snapshot,
          touched: snapshot.workloads.map(({ spec }) => spec.id),
          groups: snapshot.groups.map((group) => ({ ...group, isActive: true })),
        };
        const lastMs = wakeAtMs === undefined ? Number.MAX_SAFE_INTEGER : wakeAtMs - 1;
        for (const nowMs of [story.nowMs, Math.max(story.nowMs, lastMs)]) {
          const { decisions } = Scheduler.restore(awake).decide(nowMs);
          // What is told for display may be out of date: it is told again when it is next looked at.
          expect(decisions.filter((decision) => !isForDisplay(decision))).toEqual([]);
        }
      }),
      lawCases(45),
    );
  });

  it('decides the same from the same input, byte for byte, in whatever order equals were told', () => {
    fc.assert(
      fc.property(anyStory, fc.infiniteStream(fc.nat()), ({ world, happenings }, numbers) => {
        const first = new CoreStory(world).play(happenings);
        const again = new CoreStory(world).play(happenings);
        expect(JSON.stringify(again.decisions)).toBe(JSON.stringify(first.decisions));
        const keys = inputsOf(world).map((input, index) => ({ input, key: index === 0 ? -1 : numbers.next().value }));
        const shuffled = keys.sort((a, b) => a.key - b.key).map(({ input }) => input);
        const other = new CoreStory(world, {}, shuffled).play(happenings);
        expect(JSON.stringify(other.decisions)).toBe(JSON.stringify(first.decisions));
        const submitted = world.workloads.map((workload) => ({ workload, key: numbers.next().value }));
        const [listed, mixed] = [submitted, [...submitted].sort((a, b) => a.key - b.key)].map((order) => {
          const story = new CoreStory(world);
          for (const { workload } of order) story.tell({ kind: 'workload-submitted', workload });
          story.rest();
          return JSON.stringify(story.decisions);
        });
        expect(mixed).toBe(listed);
      }),
      lawCases(40),
    );
  });

  it('decides the same after a snapshot and a restore', () => {
    fc.assert(
      fc.property(anyStory, fc.integer({ min: 1, max: 4 }), ({ world, happenings }, every) => {
        const straight = new CoreStory(world).play(happenings);
        let steps = 0;
        const restarted = new CoreStory(world, {
          afterStep: (story) => {
            if (++steps % every === 0) story.restart();
          },
        }).play(happenings);
        expect(JSON.stringify(restarted.decisions)).toBe(JSON.stringify(straight.decisions));
        expect(restarted.wakes).toEqual(straight.wakes);
        expect(JSON.stringify(restarted.scheduler.view())).toBe(JSON.stringify(straight.scheduler.view()));
      }),
      lawCases(45),
    );
  });

  it('takes whatever it is told: nothing throws, and a core restored from it goes on the same', () => {
    fc.assert(
      fc.property(anyWorld, anyNoise, (world, noise) => {
        const scheduler = new Scheduler();
        const inputs = [...inputsOf(world), ...noise];
        for (const [index, input] of inputs.entries()) {
          const atMs = index * 50;
          if (input.kind === 'decide') scheduler.decide(atMs);
          scheduler.apply({ ...(input.kind === 'decide' ? NOTHING : input), seq: index + 1, atMs });
        }
        const restored = Scheduler.restore(JSON.parse(JSON.stringify(scheduler.snapshot())) as Snapshot);
        for (const { id } of world.workloads) expect(restored.explain(id, 0)).toEqual(scheduler.explain(id, 0));
        const nowMs = inputs.length * 50;
        expect(restored.decide(nowMs)).toEqual(scheduler.decide(nowMs));
        expect(restored.view()).toEqual(scheduler.view());
      }),
      lawCases(45),
    );
  });

  it('answers why without changing anything', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const silent = new CoreStory(world).play(happenings);
        const asked = new CoreStory(world, {
          beforeSettle: ({ scheduler, nowMs }) => {
            for (const { id } of world.workloads) scheduler.explain(id, nowMs);
          },
        }).play(happenings);
        expect(JSON.stringify(asked.decisions)).toBe(JSON.stringify(silent.decisions));
      }),
      lawCases(30),
    );
  });
});
