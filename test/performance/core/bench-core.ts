import type { Decision, Policy, SchedulerInput, WorkloadSpec } from '../../../src/core/index.js';
import { isForDisplay, Scheduler } from '../../../src/core/index.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../support/fleet-builders.js';

/** Said for display: nobody answers. */

/** A core whose decisions are committed at once, and whose pods come and go as told. */
export class BenchCore {
  #scheduler = new Scheduler();
  #seq = 0;
  #nowMs = 0;

  get scheduler(): Scheduler {
    return this.#scheduler;
  }

  tell(input: SchedulerInput): void {
    this.#scheduler.apply({ ...input, seq: ++this.#seq, atMs: this.#nowMs });
  }

  submit(...workloads: readonly WorkloadSpec[]): void {
    for (const workload of workloads) this.tell({ kind: 'workload-submitted', workload });
  }

  decide(): readonly Decision[] {
    return this.#scheduler.decide(++this.#nowMs).decisions;
  }

  /** What the core did so far, in counts. */
  work(): Readonly<Record<string, number>> {
    return { ...this.#scheduler.work() };
  }

  /** Time passes. */
  wait(ms: number): void {
    this.#nowMs += ms;
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
    const sets = new Set(decisions.filter((decision) => !isForDisplay(decision)).map(({ set }) => set));
    for (const set of sets) this.tell({ kind: 'set-committed', set });
    for (const decision of decisions) {
      if (decision.kind === 'evict') for (const pod of decision.pods) this.tell({ kind: 'pod-gone', pod });
    }
    for (const decision of decisions) {
      if (decision.kind === 'start') for (const { pod } of decision.seats) this.tell({ kind: 'pod-started', pod });
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

/** Three topology levels; the models take turns, so each makes a class of nodes. A rack has `perRack` nodes. */
export function emptyFleet(
  nodes: number,
  {
    models = MODELS,
    perRack = 16,
    policy = {},
  }: { readonly models?: readonly string[]; readonly perRack?: number; readonly policy?: Partial<Policy> } = {},
): BenchCore {
  const core = new BenchCore();
  core.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['zone', 'rack', 'host'], ...policy }) });
  for (const model of models) core.tell({ kind: 'flavor-set', flavor: aFlavor(model) });
  const quotas = Object.fromEntries(models.map((model) => [model, { nominal: nodes * 8000 }]));
  core.tell({ kind: 'queue-set', queue: aQueue('root', { quotas: {} }) });
  core.tell({ kind: 'queue-set', queue: aQueue('team', { parent: 'root', quotas: {} }) });
  core.tell({ kind: 'queue-set', queue: aQueue('lab', { parent: 'team', quotas }) });
  for (let node = 0; node < nodes; node++) {
    const model = models[node % models.length] ?? 'h100';
    const rack = `r${Math.floor(node / perRack)}`;
    const zone = `z${Math.floor(node / (perRack * 40))}`;
    core.tell({ kind: 'node-seen', node: aNode(`n${node}`, { model, rack, zone, cpu: 192 }) });
  }
  return core;
}

/** Part of the devices in use, by the same jobs on every run: 50 shapes, of devices, CPU and memory. */
export function busyFleet(nodes: number, part: number): BenchCore {
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

/** Starts among these decisions. */
export function startsIn(decisions: readonly Decision[]): number {
  return decisions.filter(({ kind }) => kind === 'start').length;
}

export function expectCount(what: string, got: number, want: number): void {
  if (got !== want) throw new Error(`${what}: ${got}, where ${want} were expected`);
}
