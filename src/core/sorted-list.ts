/** Above this a block is cut in two; two neighbours that are together at most half of it become one. */
const BLOCK_MAX = 512;

/**
 * Entries in the order of `compare`, which must tell all of them apart. Kept in blocks: to add or remove one moves a
 * part of a block, however long the list is.
 */
export class SortedList<Entry> implements Iterable<Entry> {
  readonly #blocks: Entry[][] = [];
  readonly #compare: (a: Entry, b: Entry) => number;
  #length = 0;

  constructor(compare: (a: Entry, b: Entry) => number) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#length;
  }

  get first(): Entry | undefined {
    return this.#blocks[0]?.[0];
  }

  add(entry: Entry): void {
    const isBefore = (other: Entry): boolean => this.#compare(other, entry) < 0;
    const at = this.#blockOf(isBefore);
    const block = this.#blocks[at];
    this.#length++;
    if (block === undefined) {
      this.#blocks.push([entry]);
      return;
    }
    block.splice(countIn(block, isBefore), 0, entry);
    if (block.length > BLOCK_MAX) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_MAX >> 1));
  }

  /** `false`: no entry compares equal to it. */
  delete(entry: Entry): boolean {
    const isBefore = (other: Entry): boolean => this.#compare(other, entry) < 0;
    for (let at = this.#blockOf(isBefore); at < this.#blocks.length; at++) {
      const block = this.#blocks[at] ?? [];
      const place = countIn(block, isBefore);
      // It may be the first of the next block.
      if (place === block.length) continue;
      const found = block[place];
      if (found === undefined || this.#compare(found, entry) !== 0) return false;
      block.splice(place, 1);
      this.#length--;
      this.#joinWithNext(block.length === 0 ? at : Math.max(0, at - 1));
      return true;
    }
    return false;
  }

  /** How many of the first hold; those that hold come before those that do not. */
  countWhile(holds: (entry: Entry) => boolean): number {
    const at = this.#blockOf(holds);
    let count = 0;
    for (let index = 0; index < at; index++) count += this.#blocks[index]?.length ?? 0;
    return count + countIn(this.#blocks[at] ?? [], holds);
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const block of this.#blocks) yield* block;
  }

  /** The first that hold; those that hold come before those that do not. */
  *while(holds: (entry: Entry) => boolean): Generator<Entry> {
    for (const entry of this) {
      if (!holds(entry)) return;
      yield entry;
    }
  }

  /** From the first that does not hold; those that hold come before those that do not. */
  *from(holds: (entry: Entry) => boolean): Generator<Entry> {
    const start = this.#blockOf(holds);
    for (let at = start; at < this.#blocks.length; at++) {
      const block = this.#blocks[at] ?? [];
      for (let place = at === start ? countIn(block, holds) : 0; place < block.length; place++)
        yield block[place] as Entry;
    }
  }

  /** Last to first. */
  *backwards(): Generator<Entry> {
    for (let at = this.#blocks.length - 1; at >= 0; at--) {
      const block = this.#blocks[at] ?? [];
      for (let place = block.length - 1; place >= 0; place--) yield block[place] as Entry;
    }
  }

  /** The last block whose first entry holds, or the first block. */
  #blockOf(holds: (entry: Entry) => boolean): number {
    return Math.max(0, countIn(this.#blocks, ([first]) => first !== undefined && holds(first)) - 1);
  }

  #joinWithNext(at: number): void {
    const [block, next] = [this.#blocks[at], this.#blocks[at + 1]];
    if (block?.length === 0) this.#blocks.splice(at, 1);
    else if (block !== undefined && next !== undefined && block.length + next.length <= BLOCK_MAX >> 1) {
      block.push(...next);
      this.#blocks.splice(at + 1, 1);
    }
  }
}

/** Only to look at. */
export type Sorted<Entry> = Omit<SortedList<Entry>, 'add' | 'delete'>;

function countIn<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
