import type { Mistake } from '../documents/with-rules.js';
import { levelsOf } from '../fleet-file/fleet.schema.js';
import type { Expectation } from './expectation.schema.js';
import { flavorsThere, type FlavorSources, type FlavorsThere } from './flavors-of.js';

/** The parts of a scenario that name one another; `undefined` stands for one that is wrong in itself. */
export interface Named extends FlavorSources {
  readonly expect: readonly (Expectation | undefined)[];
  readonly unsound: Unsound;
}

type What = 'node' | 'queue' | 'workload';
/** The names of those that are wrong in themselves; `undefined`: that is not known either. */
export type Unsound = Readonly<Record<What, readonly (string | undefined)[]>>;
export type Path = readonly (string | number)[];

/** The names that a scenario may use, as they come up, and what it says of others. */
export class KnownNames {
  readonly mistakes: Mistake[] = [];
  readonly flavors: FlavorsThere;
  /** `undefined`: the fleet is not known. */
  readonly levels: readonly string[] | undefined;
  readonly #names = { node: new Set<string>(), queue: new Set<string>(), workload: new Set<string>() };
  readonly #unsound: Unsound;

  constructor(scenario: Named) {
    const { fleet, unsound } = scenario;
    this.#unsound = unsound;
    for (const what of ['node', 'queue', 'workload'] as const) {
      for (const name of unsound[what]) if (name !== undefined) this.add(what, name);
    }
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
    if (!this.#unsound[what].includes(undefined)) this.report(path, `no ${what} ${name}`);
  }

  /** Are all of these right in themselves, so that all is known that they name? */
  areSound(...whats: readonly What[]): boolean {
    return whats.every((what) => this.#unsound[what].length === 0);
  }

  mustBeLevel(path: Path, level: string): void {
    if (this.levels === undefined || this.levels.includes(level)) return;
    this.report(path, `no level ${level}; there are ${this.levels.join(', ')}`);
  }

  /** On a node or in a queue: a story may be about a model that no node has, and then a queue names it. */
  mustBeFlavor(path: Path, flavor: string, word: 'flavor' | 'model' = 'flavor'): void {
    const { onNodes, inQueues } = this.flavors;
    if (onNodes.has(flavor) || inQueues.has(flavor) || !this.areSound('node', 'queue')) return;
    const names = [...new Set([...onNodes, ...inQueues])].sort();
    this.report(path, `no ${word} ${flavor}; there are ${names.join(', ') || 'none'}`);
  }

  report(path: Path, message: string): void {
    this.mistakes.push({ path: [...path], message });
  }
}
