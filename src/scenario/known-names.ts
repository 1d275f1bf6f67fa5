import { levelsOf, type Mistake } from '../fleet-file/fleet.schema.js';
import type { Expectation } from './expectation.schema.js';
import { flavorsThere, type FlavorSources, type FlavorsThere } from './flavors-of.js';

/** The parts of a scenario that name one another; `undefined` stands for one that is wrong in itself. */
export interface Named extends FlavorSources {
  readonly expect: readonly (Expectation | undefined)[];
}

type What = 'node' | 'queue' | 'workload';
export type Path = readonly (string | number)[];

/** The names that a scenario may use, as they come up, and what it says of others. */
export class KnownNames {
  readonly mistakes: Mistake[] = [];
  readonly flavors: FlavorsThere;
  /** `undefined`: the fleet is not known. */
  readonly levels: readonly string[] | undefined;
  readonly #names = { node: new Set<string>(), queue: new Set<string>(), workload: new Set<string>() };
  /** Of what there may be more: a part is wrong in itself. */
  readonly #unsure: ReadonlySet<What>;

  constructor(scenario: Named) {
    const { fleet, queues, workloads, events } = scenario;
    const isEventUnsure = events.includes(undefined);
    this.#unsure = new Set<What>([
      ...(fleet === undefined || isEventUnsure ? (['node'] as const) : []),
      ...(queues.includes(undefined) ? (['queue'] as const) : []),
      ...(workloads.includes(undefined) || isEventUnsure ? (['workload'] as const) : []),
    ]);
    this.levels = fleet && levelsOf(fleet);
    this.flavors = flavorsThere(scenario);
  }

  has(what: What, name: string): boolean {
    return this.#names[what].has(name);
  }

  add(what: What, name: string): void {
    this.#names[what].add(name);
  }

  /** A node, queue or workload that must be there by now. */
  mustBe(what: What, path: Path, name: string): void {
    if (!this.has(what, name)) this.missing(what, path, name);
  }

  missing(what: What, path: Path, name: string): void {
    if (this.isSure(what)) this.report(path, `no ${what} ${name}`);
  }

  /** Are all of these sound, so that what is not there is wrong? */
  isSure(...whats: readonly What[]): boolean {
    return !whats.some((what) => this.#unsure.has(what));
  }

  mustBeLevel(path: Path, level: string): void {
    if (this.levels === undefined || this.levels.includes(level)) return;
    this.report(path, `no level ${level}; there are ${this.levels.join(', ')}`);
  }

  /** On a node or in a queue: a story may be about a model that no node has, and then a queue names it. */
  mustBeFlavor(path: Path, flavor: string, word: 'flavor' | 'model' = 'flavor'): void {
    const { onNodes, inQueues } = this.flavors;
    if (onNodes.has(flavor) || inQueues.has(flavor) || !this.isSure('node', 'queue')) return;
    const names = [...new Set([...onNodes, ...inQueues])].sort();
    this.report(path, `no ${word} ${flavor}; there are ${names.join(', ') || 'none'}`);
  }

  report(path: Path, message: string): void {
    this.mistakes.push({ path: [...path], message });
  }
}
