import type { WorkloadSpec } from '../../../src/core/index.js';
import { aPodSet, aQueue, aWorkload } from '../../support/fleet-builders.js';
import type { BenchCore } from './bench-core.js';
import { emptyFleet, expectCount, startsIn } from './bench-core.js';
import type { Figure } from './figure.js';
import { timeOf, workBetween } from './figure.js';

const DEVICES = 4000;
const POLICY = { preemption: { minRuntimeMs: 0, brake: { evictions: 100_000, windowMs: 1000 }, byOrder: false } };

/** 500 nodes of 8 devices, all lent to 4,000 single-device jobs of `guest`; all of them are owed to `lab`. */
function lentFleet(): BenchCore {
  const core = emptyFleet(500, { models: ['h100'], policy: POLICY });
  core.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'team', h100: 0 }) });
  for (let job = 0; job < DEVICES; job++) {
    core.submit(aWorkload(`job-${job}`, { queue: 'guest', submittedAtMs: job }));
  }
  expectCount('jobs started', startsIn(core.settle()), DEVICES);
  core.wait(60_000);
  return core;
}

/** Time until all of these have started; they come one by one or at once. */
function reclaimTime(
  core: BenchCore,
  owners: readonly WorkloadSpec[],
  come: 'one-by-one' | 'at-once',
): Pick<Figure, 'value' | 'unit' | 'work'> {
  const before = core.work();
  let started = 0;
  const time = timeOf(() => {
    if (come === 'at-once') core.submit(...owners);
    for (const owner of come === 'at-once' ? [undefined] : owners) {
      if (owner !== undefined) core.submit(owner);
      started += startsIn(core.settle());
    }
  });
  expectCount('owners started', started, owners.length);
  return { value: time, unit: 'ms', work: workBetween(before, core.work()) };
}

function gangsOfLab(count: number, pods: number): readonly WorkloadSpec[] {
  return Array.from({ length: count }, (_, gang) =>
    aWorkload(`gang-${gang}`, { podSets: [aPodSet({ count: pods, gpus: 8 })], submittedAtMs: DEVICES + gang }),
  );
}

export function reclaimSingles(): readonly Figure[] {
  const owners = Array.from({ length: DEVICES }, (_, job) =>
    aWorkload(`owner-${job}`, { submittedAtMs: DEVICES + job }),
  );
  const figure = reclaimTime(lentFleet(), owners, 'one-by-one');
  return [{ name: 'reclaim of 4,000 single-GPU jobs, one by one', ...figure }];
}

export function reclaimLargeGang(): readonly Figure[] {
  const figure = reclaimTime(lentFleet(), gangsOfLab(1, 500), 'at-once');
  return [{ name: 'reclaim of 4,000 single-GPU jobs for one gang of 500', ...figure }];
}

export function reclaimGangs(): readonly Figure[] {
  return [{ name: 'reclaim for 50 gangs of ten', ...reclaimTime(lentFleet(), gangsOfLab(50, 10), 'at-once') }];
}

/** Racks of 12 nodes, full of jobs of lower priority; each gang needs ten nodes of one rack. */
export function freedRacks(): readonly Figure[] {
  const core = emptyFleet(41 * 12, { models: ['h100'], perRack: 12, policy: POLICY });
  const jobs = 41 * 12 * 8;
  for (let job = 0; job < jobs; job++) core.submit(aWorkload(`job-${job}`, { submittedAtMs: job }));
  expectCount('jobs started', startsIn(core.settle()), jobs);
  core.wait(60_000);
  const gangs = Array.from({ length: 41 }, (_, gang) =>
    aWorkload(`gang-${gang}`, {
      priority: 5,
      podSets: [aPodSet({ count: 10, gpus: 8, topology: { kind: 'required', level: 'rack' } })],
      submittedAtMs: jobs + gang,
    }),
  );
  return [
    {
      name: '41 gangs of ten, each needs a rack freed of lower priority',
      ...reclaimTime(core, gangs, 'at-once'),
    },
  ];
}
