import type { Policy } from '../contract/index.js';
import { WorkloadMix } from './workload-mix.js';

/** By which rule nodes are scored now; `version` rises when that changes. */
export class Scoring {
  readonly mix = new WorkloadMix();
  #policy: Policy['placement']['score'] = 'fragmentation';
  #version = 1;

  /** `fragmentation` is `best-fit` until the mix is learnt. */
  get kind(): Policy['placement']['score'] {
    return this.#policy === 'fragmentation' && this.mix.typical.length === 0 ? 'best-fit' : this.#policy;
  }

  get version(): number {
    return this.#version;
  }

  setPolicy(policy: Policy['placement']['score']): void {
    if (policy === this.#policy) return;
    this.#policy = policy;
    this.#version++;
  }

  /** After 1,000 submissions the next mix; at the start of a settle. */
  renew(): void {
    if (this.mix.renew() === 'new') this.#version++;
  }
}
