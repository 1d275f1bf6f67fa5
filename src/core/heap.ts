/** A binary heap: the smallest by `compare` first. The comparison must tell all entries apart. */
export class Heap<Entry> {
  readonly #entries: Entry[] = [];
  readonly #compare: (a: Entry, b: Entry) => number;

  constructor(compare: (a: Entry, b: Entry) => number) {
    this.#compare = compare;
  }

  peek(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    let at = this.#entries.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfLess(at, parent)) return;
      at = parent;
    }
  }

  pop(): Entry | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return first;
    this.#entries[0] = last;
    this.#sink();
    return first;
  }

  #sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = right < this.#entries.length && this.#isLess(right, left) ? right : left;
      if (child >= this.#entries.length || !this.#swapIfLess(child, at)) return;
      at = child;
    }
  }

  #isLess(a: number, b: number): boolean {
    const x = this.#entries[a];
    const y = this.#entries[b];
    return x !== undefined && y !== undefined && this.#compare(x, y) < 0;
  }

  #swapIfLess(a: number, b: number): boolean {
    const x = this.#entries[a];
    const y = this.#entries[b];
    if (x === undefined || y === undefined || this.#compare(x, y) >= 0) return false;
    this.#entries[a] = y;
    this.#entries[b] = x;
    return true;
  }
}
