import { aPodSet, aWorkload } from '../../support/fleet-builders.js';
import type { BenchCore } from './bench-core.js';
import { busyFleet, emptyFleet, expectCount, startsIn } from './bench-core.js';
import type { Figure } from './figure.js';
import { mean, p99, timeOf, workBetween } from './figure.js';

/** Decision times of `rounds` gangs, one after the other; each ends before the next comes. The first third warms up. */
export function gangTimes(core: BenchCore, pods: number, rounds: number): readonly number[] {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const podSet = aPodSet({ count: pods, gpus: 2, topology: { kind: 'preferred', level: 'rack' } });
    let decisions: ReturnType<BenchCore['decide']> = [];
    const time = timeOf(() => {
      core.submit(aWorkload(`gang-${pods}-${round}`, { podSets: [podSet] }));
      decisions = core.decide();
    });
    times.push(time);
    expectCount(`starts of a gang of ${pods}`, startsIn(decisions), 1);
    core.answer(decisions);
    core.end(decisions);
  }
  return times.slice(Math.floor(rounds / 3));
}

/** Fleets of four classes, 70 % full with 50 shapes. */
function gangsAt(nodes: number): readonly Figure[] {
  const core = busyFleet(nodes, 0.7);
  const at = `at ${nodes.toLocaleString('en')} nodes`;
  return [3, 64].flatMap((pods): readonly Figure[] => {
    const before = core.work();
    const times = gangTimes(core, pods, 750);
    const work = workBetween(before, core.work(), 750);
    return [
      { name: `gang of ${pods} ${at}, mean`, value: mean(times), unit: 'ms', work },
      { name: `gang of ${pods} ${at}, p99`, value: p99(times), unit: 'ms' },
    ];
  });
}

export const gangs = (): readonly Figure[] => gangsAt(5000);
export const gangsAtLargest = (): readonly Figure[] => gangsAt(20_000);

/** 500 nodes of 8 devices, filled with single-device jobs; then a gang of 80 devices that finds no room. */
export function fill(): readonly Figure[] {
  const core = emptyFleet(500, { models: ['h100'] });
  for (let job = 0; job < 4000; job++) core.submit(aWorkload(`job-${job}`, { submittedAtMs: job }));
  let decisions: ReturnType<BenchCore['settle']> = [];
  const value = timeOf(() => {
    decisions = core.settle();
  });
  expectCount('jobs started', startsIn(decisions), 4000);
  const filling = core.work();
  const refused = timeOf(() => {
    core.submit(aWorkload('large', { podSets: [aPodSet({ count: 10, gpus: 8 })] }));
    core.settle();
  });
  return [
    { name: 'fill 500 x 8 with 4,000 single-GPU jobs', value, unit: 'ms', work: filling },
    {
      name: '80-GPU gang that cannot start, 4,000 GPUs busy',
      value: refused,
      unit: 'ms',
      work: workBetween(filling, core.work()),
    },
  ];
}

export function largeGang(): readonly Figure[] {
  const core = busyFleet(5000, 0.7);
  const podSet = aPodSet({ count: 512, gpus: 1 });
  let decisions: ReturnType<BenchCore['decide']> = [];
  const value = timeOf(() => {
    core.submit(aWorkload('large', { podSets: [podSet] }));
    decisions = core.decide();
  });
  expectCount('starts of a gang of 512', startsIn(decisions), 1);
  return [{ name: 'one gang of 512 at 5,000 nodes', value, unit: 'ms' }];
}

/** What the node itself tells: that it is still there, and that many come at once. */
export function nodeEvents(): readonly Figure[] {
  let core: BenchCore | undefined;
  const joined = timeOf(() => {
    core = emptyFleet(20_000);
    core.submit(aWorkload('first', { podSets: [aPodSet()] }));
    core.settle();
  });
  const snapshot = core?.scheduler.snapshot();
  const beat = timeOf(() => {
    for (const { spec } of snapshot?.nodes ?? []) core?.tell({ kind: 'node-seen', node: structuredClone(spec) });
    core?.settle();
  });
  const changed = timeOf(() => {
    for (const { spec } of snapshot?.nodes ?? []) {
      core?.tell({ kind: 'node-seen', node: { ...spec, topology: { ...spec.topology, zone: 'moved' } } });
    }
    core?.submit(aWorkload('second', { podSets: [aPodSet()] }));
    core?.settle();
  });
  return [
    { name: '20,000 nodes join, then one start', value: joined, unit: 'ms' },
    { name: '20,000 heartbeats of equal content', value: beat, unit: 'ms' },
    { name: '20,000 nodes move to another zone, then one start', value: changed, unit: 'ms' },
  ];
}
