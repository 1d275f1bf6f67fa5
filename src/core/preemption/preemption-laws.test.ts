import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreRig } from '../../../test/support/core-rig.js';
import { CoreStory } from '../../../test/support/core-story.js';
import type { World } from '../../../test/support/core-world.js';
import { anyStory, anyWorkloadSpec, anyWorld, inputsOf } from '../../../test/support/core-world.js';
import { aWorkload } from '../../../test/support/fleet-builders.js';
import type { Decision, PodSetSpec, Snapshot } from '../index.js';
import { restoreState } from '../snapshot.js';
import { costOfPod, placeChoice, startAskOf } from '../start/index.js';
import { findVictims } from './find-victims.js';

/** They come when all others have settled, and before all others. */
const anyLateOnes = fc.array(anyWorkloadSpec, { minLength: 1, maxLength: 3 });
const FOR_ANOTHER = ['preempted', 'reclaimed', 'fair-share', 'order'];

describe('the laws of preemption, on random fleets, quota trees and happenings', () => {
  it('evicts nobody for another without the start that it is for, in the same set', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const { decisions } = new CoreStory(world).play(happenings);
        for (const decision of decisions) {
          if (decision.kind !== 'evict' || !FOR_ANOTHER.includes(decision.reason)) continue;
          const start = decisions.find(({ kind, set }) => kind === 'start' && set === decision.set);
          expect({ for: decision.for, starts: start?.workload }).toEqual({ for: decision.for, starts: decision.for });
        }
      }),
      lawCases(60),
    );
  });

  it('can spare no single victim, and changes nothing by looking for them', () => {
    fc.assert(
      fc.property(anyStory, anyLateOnes, ({ world, happenings }, lateOnes) => {
        const story = new CoreStory({ ...world, minRuntimeMs: 0 }).play(happenings);
        story.rest();
        for (const [index, spec] of lateOnes.entries()) {
          const workload = aWorkload(`late${index}`, { ...spec, priority: 9 });
          story.tell({ kind: 'workload-submitted', workload });
        }
        const snapshot = JSON.parse(JSON.stringify(story.scheduler.snapshot())) as Snapshot;
        const state = restoreState(snapshot);
        for (const record of state.book.all()) {
          if (record.state !== 'pending') continue;
          const mark = state.journal.mark();
          const found = findVictims(state, record, { nowMs: story.nowMs });
          expect(state.journal.mark()).toBe(mark);
          if (found.kind === 'none') continue;
          const charges = found.parts.flatMap(({ flavor, podSet, pods }) =>
            flavor === undefined
              ? []
              : [{ flavor, milli: pods.length * costOfPod(podSet, state.fleet.flavor(flavor)) }],
          );
          for (const spared of found.victims) {
            const others = found.victims.filter((victim) => victim !== spared);
            // Parts of one gang stand and fall together.
            if (others.some(({ unit }) => unit.record === spared.unit.record)) continue;
            for (const { unit } of others) {
              for (const charge of unit.charges) state.quota.refund(charge);
              for (const share of state.pods.shareOf(unit.pods)) state.tx.give(share);
            }
            const { queue } = record.spec;
            const flavors = [...new Set(charges.map(({ flavor }) => flavor))];
            const isPayable = flavors.every((flavor) => {
              const milli = charges.reduce((sum, one) => sum + (one.flavor === flavor ? one.milli : 0), 0);
              return state.quota.fits({ queue, flavor, milli }).kind === 'fits';
            });
            const choice = found.parts.map(({ flavor }) => flavor);
            const isPlaced = placeChoice(state, startAskOf(state, record), choice).kind === 'placed';
            state.journal.rollbackTo(mark);
            expect({ spared: spared.unit.record.spec.id, fits: isPayable && isPlaced }).toEqual({
              spared: spared.unit.record.spec.id,
              fits: false,
            });
          }
        }
      }),
      lawCases(60),
    );
  });

  it('comes to an end: nobody falls twice where nothing happens, and five rounds more change nothing', () => {
    fc.assert(
      fc.property(anyWorld, anyWorld, (world, more) => {
        const rig = rigOf({ ...world, minRuntimeMs: 0 });
        const late = more.workloads.map((spec) => ({ ...spec, id: `x-${spec.id}`, name: `x-${spec.name}` }));
        const specs = [...world.workloads, ...late];
        const lookAtOthers = new Set(specs.filter(({ podSets }) => podSets.some(looksAtOthers)).map(({ id }) => id));
        for (const spec of specs) {
          rig.submit(spec);
          expectNoneTwice(rig.settle(), lookAtOthers);
          for (let round = 0; round < 5; round++) expect(rig.decide().decisions).toEqual([]);
        }
      }),
      lawCases(40),
    );
  });
});

function rigOf(world: World): CoreRig {
  const rig = new CoreRig();
  rig.tell(...inputsOf(world));
  return rig;
}

function looksAtOthers({ podAffinity, topologySpread }: PodSetSpec): boolean {
  return podAffinity !== undefined || topologySpread !== undefined;
}

/**
 * What grows is a happening to those whose rules look at the pods of others: a place that was none may be one now. Only
 * for these, and only after growth, may one fall who has fallen before and came back.
 */
function expectNoneTwice(decisions: readonly Decision[], lookAtOthers: ReadonlySet<string>): void {
  const fallen = new Set<string>();
  const fallenBeforeGrowth = new Set<string>();
  for (const decision of decisions) {
    if (decision.kind === 'grow') for (const workload of fallen) fallenBeforeGrowth.add(workload);
    if (decision.kind !== 'evict') continue;
    const { workload, for: beneficiary = '' } = decision;
    const mayFall = !fallen.has(workload) || (fallenBeforeGrowth.has(workload) && lookAtOthers.has(beneficiary));
    expect({ workload, for: beneficiary, mayFall }).toEqual({ workload, for: beneficiary, mayFall: true });
    fallen.add(workload);
    fallenBeforeGrowth.delete(workload);
  }
}
