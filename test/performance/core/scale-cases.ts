import { Scheduler } from '../../../src/core/index.js';
import type { Snapshot } from '../../../src/core/index.js';
import { aPodSet, aWorkload } from '../../support/fleet-builders.js';
import type { BenchCore } from './bench-core.js';
import { busyFleet, emptyFleet } from './bench-core.js';
import type { Figure } from './figure.js';
import { mean, timeOf } from './figure.js';
import { gangTimes } from './placement-cases.js';

const PODS = 150_000;
const NODES = 5000;

export function depth(): readonly Figure[] {
  const [shallow, deep] = [100, 50_000].map((pending) => {
    const core = busyFleet(2000, 0.7);
    for (let job = 0; job < pending; job++) {
      const podSet = aPodSet({ gpus: 8, count: 2000 + (job % 100), cpu: 1 });
      core.submit(aWorkload(`waits-${job}`, { podSets: [podSet], submittedAtMs: job }));
    }
    core.settle();
    const latency = mean(gangTimes(core, 3, 150));
    const idle = timeOf(() => {
      for (let round = 0; round < 1000; round++) core.decide();
    });
    return { latency, idle: idle / 1000 };
  });
  return [
    {
      name: 'gang of 3 behind 50,000 waiting, against behind 100',
      value: (deep?.latency ?? 0) / (shallow?.latency ?? 1),
      unit: 'x',
    },
    { name: 'idle settle with 50,000 waiting', value: deep?.idle ?? 0, unit: 'ms' },
  ];
}

/** 150,000 workloads of one pod each on 5,000 nodes. */
function crowdedFleet(): BenchCore {
  const core = emptyFleet(NODES);
  addPods(core);
  return core;
}

function addPods(core: BenchCore): void {
  for (let job = 0; job < PODS; job++) {
    const podSet = aPodSet({ gpus: 0, cpu: 1, memoryMib: 512 });
    core.submit(aWorkload(`job-${job}`, { podSets: [podSet], submittedAtMs: job }));
    if (job % 10_000 === 9999) core.settle();
  }
  core.settle();
}

export function restore(): readonly Figure[] {
  const snapshot = JSON.stringify(crowdedFleet().scheduler.snapshot());
  const value = timeOf(() => {
    Scheduler.restore(JSON.parse(snapshot) as Snapshot).decide(0);
  });
  return [{ name: 'restore 5,000 nodes with 150,000 pods', value, unit: 'ms' }];
}

/** What the records take, after the garbage is gone: needs `--expose-gc`. */
export function memory(): readonly Figure[] {
  const heap = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = heap();
  const core = emptyFleet(NODES);
  core.settle();
  const withNodes = heap();
  addPods(core);
  const withPods = heap();
  const { nodes } = core.scheduler.view();
  const mebibytes = (bytes: number) => bytes / 2 ** 20;
  return [
    { name: 'memory of 5,000 nodes with 150,000 pods', value: mebibytes(withPods - before), unit: 'MiB' },
    { name: 'memory of the process that holds them', value: mebibytes(process.memoryUsage().rss), unit: 'MiB' },
    { name: 'memory of a node', value: (withNodes - before) / nodes.length, unit: 'B' },
    { name: 'memory of a pod with its workload', value: (withPods - withNodes) / PODS, unit: 'B' },
  ];
}
