/** Changes kept; whoever is further behind looks at every node again. */
const KEPT = 16_384;

/**
 * Which nodes changed, one after the other: a ring with a version. Whoever keeps something per node remembers the
 * version that it has seen, and looks again at the nodes named since, when it is asked; so a change costs one entry,
 * however many keep something. Trials are in it like all else, and so are their rollbacks.
 */
export class ChangeLog {
  readonly #rows = new Int32Array(KEPT);
  #version = 0;
  /** The last row named that nobody has read: naming it again would say nothing. */
  #unread = -1;

  touch(row: number): void {
    if (row === this.#unread || row < 0) return;
    this.#unread = row;
    this.#rows[this.#version++ % KEPT] = row;
  }

  /** The version to remember after reading all before it. */
  read(): number {
    this.#unread = -1;
    return this.#version;
  }

  /** Changes since that version; `Infinity` when they are no longer all kept. */
  since(version: number): number {
    const changes = this.#version - version;
    return changes <= KEPT ? changes : Infinity;
  }

  /** The row that the change after this version was about. */
  rowAfter(version: number): number {
    return this.#rows[version % KEPT] ?? -1;
  }
}
