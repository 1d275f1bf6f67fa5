import type { HardwareCatalogue } from '../core/fleet/index.js';
import type { Mistake } from '../documents/with-rules.js';
import { namesOf, nodeMistakes } from '../fleet-file/fleet.schema.js';
import type { ScenarioEvent } from './event.schema.js';
import { findExpectationMistakes } from './expectation-mistakes.js';
import { CPU_FLAVOR } from './flavors-of.js';
import { KnownNames, type Named, type Path } from './known-names.js';
import { amountsIn, type QueueChange, type ScenarioQueue } from './queue.schema.js';
import { waitingCycles } from './waiting-cycles.js';
import { findWorkloadMistakes } from './workload-mistakes.js';
import type { ScenarioWorkload } from './workload.schema.js';

/** Names that stand for nothing, names given twice, and who waits for itself. */
export function scenarioMistakes(scenario: Named, catalogue: HardwareCatalogue): readonly Mistake[] {
  return new MistakeSearch(scenario, catalogue).find();
}

class MistakeSearch {
  readonly #scenario: Named;
  readonly #catalogue: HardwareCatalogue;
  readonly #known: KnownNames;
  /** By queue: those directly below it. */
  readonly #below = new Map<string, string[]>();
  /** Names of workloads whose events are still to come. */
  readonly #toCome: Set<string>;

  constructor(scenario: Named, catalogue: HardwareCatalogue) {
    this.#scenario = scenario;
    this.#catalogue = catalogue;
    this.#known = new KnownNames(scenario);
    this.#toCome = new Set(scenario.events.flatMap((event) => event?.submit?.name ?? []));
  }

  find(): readonly Mistake[] {
    const { fleet, queues, workloads, events, expect } = this.#scenario;
    for (const name of (fleet?.nodes ?? []).flatMap((node) => namesOf(node, this.#catalogue))) {
      this.#known.add('node', name);
    }
    for (const [path, queue] of sound('queues', queues)) this.#queue(path, queue);
    for (const [path, workload] of sound('workloads', workloads)) this.#meet(path, workload);
    for (const [path, workload] of sound('workloads', workloads)) this.#workload(path, workload);
    this.#cycles();
    for (const [path, event] of sound('events', events)) this.#event(path, event);
    for (const [path, one] of sound('expect', expect)) findExpectationMistakes(this.#known, path, one);
    return this.#known.mistakes;
  }

  #queue(path: Path, queue: ScenarioQueue): void {
    const { name, parent } = queue;
    if (this.#known.has('queue', name)) this.#known.report([...path, 'name'], `is the name of two queues: ${name}`);
    if (parent !== undefined) {
      if (!this.#known.has('queue', parent)) {
        this.#known.missing('queue', [...path, 'parent'], `${parent} above it`);
      }
      this.#below.set(parent, [...(this.#below.get(parent) ?? []), name]);
    }
    this.#known.add('queue', name);
    this.#amounts(path, queue);
  }

  /** Quota of what neither a node nor a pod has is a name written wrong, and the right one has no quota then. */
  #amounts(path: Path, queue: QueueChange): void {
    if (!this.#known.areSound('node', 'queue', 'workload')) return;
    const { onNodes, askedFor } = this.#known.flavors;
    for (const { key, flavor } of amountsIn(queue)) {
      if (flavor === CPU_FLAVOR || onNodes.has(flavor) || askedFor.has(flavor)) continue;
      const there = [...new Set([...onNodes, ...askedFor])].sort().join(', ');
      const them = there === '' ? 'there are none' : `there are ${there}`;
      this.#known.report([...path, key, flavor], `no node and no pod has the model ${flavor}; ${them}`);
    }
  }

  #meet(path: Path, { name }: ScenarioWorkload): void {
    if (this.#known.has('workload', name)) {
      this.#known.report([...path, 'name'], `is the name of two workloads: ${name}`);
    }
    this.#known.add('workload', name);
    this.#toCome.delete(name);
  }

  #workload(path: Path, workload: ScenarioWorkload): void {
    const { queue, dependsOn = [] } = workload;
    const below = this.#below.get(queue)?.join(', ');
    if (below === undefined) this.#known.mustBe('queue', [...path, 'queue'], queue);
    else this.#known.report([...path, 'queue'], `${queue} has queues below it (${below}): workloads go to a leaf`);
    for (const other of dependsOn.filter((one) => !this.#known.has('workload', one))) {
      const isLater = this.#toCome.has(other);
      this.#known.missing('workload', [...path, 'dependsOn'], isLater ? `${other} yet: it is submitted later` : other);
    }
    findWorkloadMistakes(this.#known, path, { workload, catalogue: this.#catalogue });
  }

  /** Only those of the beginning can wait for one another: who comes later waits for who came before. */
  #cycles(): void {
    const { workloads } = this.#scenario;
    const waitsFor = sound('workloads', workloads).map(([, { name, dependsOn = [] }]) => [name, dependsOn] as const);
    for (const cycle of waitingCycles(new Map(waitsFor))) {
      const index = workloads.findIndex((one) => one?.name === cycle[0]);
      this.#waitsForItself(['workloads', index], cycle);
    }
  }

  #waitsForItself(path: Path, cycle: readonly string[]): void {
    this.#known.report([...path, 'dependsOn'], `waits for itself: ${cycle.join(' → ')}`);
  }

  #event(path: Path, event: ScenarioEvent): void {
    const { submit, addNode, queue } = event;
    if (submit !== undefined) {
      const at = [...path, 'submit'];
      this.#meet(at, submit);
      this.#workload(at, submit);
      if (submit.dependsOn?.includes(submit.name) === true) this.#waitsForItself(at, [submit.name, submit.name]);
      if (submit.running !== undefined) this.#known.report([...at, 'running'], 'is for workloads of time 0');
    }
    if (addNode !== undefined) {
      const { levels } = this.#known;
      const mistakes = levels === undefined ? [] : nodeMistakes(addNode, levels, this.#catalogue);
      for (const mistake of mistakes) this.#known.report([...path, 'addNode', ...mistake.path], mistake.message);
      for (const name of namesOf(addNode, this.#catalogue)) this.#known.add('node', name);
    }
    for (const key of ['finish', 'cancel', 'release', 'workload'] as const) {
      if (event[key] !== undefined) this.#known.mustBe('workload', [...path, key], event[key]);
    }
    for (const key of ['node', 'removeNode'] as const) {
      if (event[key] !== undefined) this.#known.mustBe('node', [...path, key], event[key]);
    }
    if (queue === undefined) return;
    this.#known.mustBe('queue', [...path, 'queue'], queue);
    this.#amounts(path, event);
  }
}

function sound<T>(key: string, entries: readonly (T | undefined)[]): readonly (readonly [Path, T])[] {
  return entries.flatMap((entry, index) => (entry === undefined ? [] : [[[key, index], entry] as const]));
}
