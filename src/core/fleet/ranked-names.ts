import type { NodeName } from '../contract/index.js';
import { compareText } from '../text-order.js';

/** The names of the nodes in rank order (code units), sorted when asked for and not at each coming and going. */
export class RankedNames {
  #names: NodeName[] = [];
  #isSorted = true;
  readonly #isKnown: (name: NodeName) => boolean;

  constructor(isKnown: (name: NodeName) => boolean) {
    this.#isKnown = isKnown;
  }

  add(name: NodeName): void {
    this.#names.push(name);
    this.#isSorted = false;
  }

  /** The name is no longer known. */
  remove(): void {
    this.#isSorted = false;
  }

  sorted(): readonly NodeName[] {
    if (!this.#isSorted) {
      const names = [...this.#names].sort(compareText);
      // One that went and came again stands there twice.
      this.#names = names.filter((name, index) => name !== names[index - 1] && this.#isKnown(name));
      this.#isSorted = true;
    }
    return this.#names;
  }
}
