import type { Policy } from '../contract/index.js';

/** By which rule nodes are scored now; `version` rises when that changes. */
export class Scoring {
  #kind: Policy['placement']['score'] = 'fragmentation';
  #version = 1;

  get kind(): Policy['placement']['score'] {
    return this.#kind;
  }

  get version(): number {
    return this.#version;
  }

  setKind(kind: Policy['placement']['score']): void {
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#version++;
  }
}
