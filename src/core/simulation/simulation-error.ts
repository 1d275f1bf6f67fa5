import type { Ms } from '../contract/index.js';

/** The story cannot go on: what it asks for is impossible, or the core does not come to rest. */
export class SimulationError extends Error {
  override name = 'SimulationError';

  constructor(
    readonly atMs: Ms,
    readonly what: string,
  ) {
    super(`at ${atMs / 1000} s: ${what}`);
  }
}
