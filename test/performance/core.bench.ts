import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { Decision, SchedulerInput, WorkloadSpec } from '../../src/core/index.js';
import { Scheduler } from '../../src/core/index.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../support/fleet-builders.js';

/**
 * What the core's decisions cost: `npm run bench -- core [--json FILE] [--only WORD]`. Fleets have three topology
 * levels, four classes of nodes, and are 70 % full with 50 shapes unless the case says otherwise. Exits with 1 when a
 * figure is above its bound in `core.range.json`.
 */

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'x' | 'MiB';
}

interface Range {
  readonly goal: number;
  readonly usual: readonly [number, number];
  readonly most: number;
}

class BenchCore {
  #scheduler = new Scheduler();
  #seq = 0;
  #nowMs = 0;

  get scheduler(): Scheduler {
    return this.#scheduler;
  }

  tell(input: SchedulerInput): void {
    this.#scheduler.apply({ ...input, seq: ++this.#seq, atMs: this.#nowMs });
  }

  submit(workload: WorkloadSpec): void {
    this.tell({ kind: 'workload-submitted', workload });
  }

  decide(): readonly Decision[] {
    return this.#scheduler.decide(++this.#nowMs).decisions;
  }

  /** Commits and starts everything that is decided, until nothing is. */
  settle(): readonly Decision[] {
    const said: Decision[] = [];
    for (let decisions = this.decide(); decisions.length > 0; decisions = this.decide()) {
      said.push(...decisions);
      this.answer(decisions);
    }
    return said;
  }

  answer(decisions: readonly Decision[]): void {
    for (const set of new Set(decisions.filter(({ kind }) => kind !== 'wait').map(({ set: id }) => id))) {
      this.tell({ kind: 'set-committed', set });
    }
    for (const decision of decisions) {
      if (decision.kind === 'start') {
        for (const { pod } of decision.seats) this.tell({ kind: 'pod-started', pod });
      }
    }
  }

  /** Ends the pods of these starts, and settles. */
  end(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      if (decision.kind !== 'start') continue;
      for (const { pod } of decision.seats) {
        this.tell({ kind: 'pod-ended', pod, outcome: 'succeeded', blame: 'workload' });
        this.tell({ kind: 'pod-gone', pod });
      }
    }
    this.settle();
  }
}

const MODELS = ['h100', 'a100', 'l4', 'h200'];
const SHAPES = 50;

function emptyFleet(nodes: number, models: readonly string[] = MODELS): BenchCore {
  const core = new BenchCore();
  core.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['zone', 'rack', 'host'] }) });
  for (const model of models) core.tell({ kind: 'flavor-set', flavor: aFlavor(model) });
  const quotas = Object.fromEntries(models.map((model) => [model, { nominal: nodes * 8000 }]));
  core.tell({ kind: 'queue-set', queue: aQueue('root', { quotas: {} }) });
  core.tell({ kind: 'queue-set', queue: aQueue('team', { parent: 'root', quotas: {} }) });
  core.tell({ kind: 'queue-set', queue: aQueue('lab', { parent: 'team', quotas }) });
  for (let node = 0; node < nodes; node++) {
    const model = models[node % models.length] ?? 'h100';
    const rack = `r${Math.floor(node / 16)}`;
    core.tell({
      kind: 'node-seen',
      node: aNode(`n${node}`, { model, rack, zone: `z${Math.floor(node / 640)}`, cpu: 192 }),
    });
  }
  return core;
}

/** The same jobs on every run: shapes differ in devices, CPU and memory. */
function busyFleet(nodes: number, part: number): BenchCore {
  const core = emptyFleet(nodes);
  for (let taken = 0, job = 0; taken < nodes * 8 * part; job++) {
    const shape = job % SHAPES;
    const gpus = [1, 2, 4, 1, 8][shape % 5] ?? 1;
    const pods = aPodSet({
      gpus,
      cpu: 1 + (shape % 7),
      memoryMib: 1024 * (1 + (shape % 10)),
      flavors: [MODELS[job % MODELS.length] ?? 'h100'],
    });
    core.submit(aWorkload(`job-${job}`, { podSets: [pods], submittedAtMs: job }));
    taken += gpus;
  }
  core.settle();
  return core;
}

/** Decision times of `rounds` gangs, one after the other; each ends before the next comes. */
function gangTimes(core: BenchCore, pods: number, rounds: number): readonly number[] {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const podSet = aPodSet({ count: pods, gpus: 2, topology: { kind: 'preferred', level: 'rack' } });
    const start = performance.now();
    core.submit(aWorkload(`gang-${pods}-${round}`, { podSets: [podSet] }));
    const decisions = core.decide();
    times.push(performance.now() - start);
    if (!decisions.some(({ kind }) => kind === 'start')) throw new Error(`no room for a gang of ${pods}`);
    core.answer(decisions);
    core.end(decisions);
  }
  return times.slice(Math.floor(rounds / 5));
}

const mean = (times: readonly number[]): number => times.reduce((sum, time) => sum + time, 0) / times.length;
const p99 = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0;

function gangs(): readonly Figure[] {
  const core = busyFleet(5000, 0.7);
  return [3, 64].flatMap((pods) => {
    const times = gangTimes(core, pods, 250);
    return [
      { name: `gang of ${pods} at 5,000 nodes, mean`, value: mean(times), unit: 'ms' as const },
      { name: `gang of ${pods} at 5,000 nodes, p99`, value: p99(times), unit: 'ms' as const },
    ];
  });
}

function fill(): readonly Figure[] {
  const core = emptyFleet(500, ['h100']);
  for (let job = 0; job < 4000; job++) core.submit(aWorkload(`job-${job}`, { submittedAtMs: job }));
  const start = performance.now();
  const decisions = core.settle();
  const value = performance.now() - start;
  if (decisions.filter(({ kind }) => kind === 'start').length !== 4000) throw new Error('the fleet was not filled');
  const refused = performance.now();
  core.submit(aWorkload('large', { podSets: [aPodSet({ count: 10, gpus: 8 })] }));
  core.settle();
  return [
    { name: 'fill 500 x 8 with 4,000 single-GPU jobs', value, unit: 'ms' },
    { name: '80-GPU gang that cannot start, 4,000 GPUs busy', value: performance.now() - refused, unit: 'ms' },
  ];
}

function depth(): readonly Figure[] {
  const [shallow, deep] = [100, 50_000].map((pending) => {
    const core = busyFleet(2000, 0.7);
    for (let job = 0; job < pending; job++) {
      const shape = job % 100;
      const podSet = aPodSet({ gpus: 8, count: 2000 + shape, cpu: 1 });
      core.submit(aWorkload(`waits-${job}`, { podSets: [podSet], submittedAtMs: job }));
    }
    core.settle();
    const times = gangTimes(core, 3, 150);
    const idle = performance.now();
    for (let round = 0; round < 1000; round++) core.decide();
    return { latency: mean(times), idle: (performance.now() - idle) / 1000 };
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

function restore(): readonly Figure[] {
  const core = emptyFleet(5000);
  for (let job = 0; job < 150_000; job++) {
    core.submit(
      aWorkload(`job-${job}`, { podSets: [aPodSet({ gpus: 0, cpu: 1, memoryMib: 512 })], submittedAtMs: job }),
    );
    if (job % 10_000 === 9999) core.settle();
  }
  core.settle();
  const snapshot = JSON.stringify(core.scheduler.snapshot());
  const start = performance.now();
  const restored = Scheduler.restore(JSON.parse(snapshot) as Parameters<typeof Scheduler.restore>[0]);
  restored.decide(0);
  const value = performance.now() - start;
  return [{ name: 'restore 5,000 nodes with 150,000 pods', value, unit: 'ms' }];
}

const CASES = { gangs, fill, depth, restore };

function main(): void {
  const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
  const ranges = JSON.parse(readFileSync(new URL('core.range.json', import.meta.url), 'utf8')) as {
    readonly cases: Readonly<Record<string, Range>>;
  };
  const figures = Object.entries(CASES)
    .filter(([name]) => values.only === undefined || name === values.only)
    .flatMap(([, run]) => run());
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}\n`);
  for (const { name, value, unit } of figures) {
    const range = ranges.cases[name];
    const verdict = range === undefined ? 'no range' : value <= range.most ? 'ok' : `above ${range.most} ${unit}`;
    const ratio = range === undefined ? '' : `goal ${range.goal} ${unit}, ratio ${(value / range.goal).toFixed(2)}`;
    console.log(`${name.padEnd(52)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(3)} ${ratio.padEnd(28)} ${verdict}`);
    if (range !== undefined && value > range.most) process.exitCode = 1;
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}

main();
