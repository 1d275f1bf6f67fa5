/** Longer between two signs of the API server, and nobody knows what it would have said in between. */
const GAP_MS_MAX = 10_000;

/**
 * The time in which Berth heard the API server: it stands still while no sign comes. Silence of a node is measured by
 * it, so that being cut off, a server that is down, or a process that was stopped, says nothing about any node.
 */
export class HeardClock {
  private heardMs = 0;
  private signAtMs: number | undefined;

  get nowMs(): number {
    return this.heardMs;
  }

  /** The server answered. */
  hear(atMs: number): void {
    const passedMs = this.signAtMs === undefined ? 0 : atMs - this.signAtMs;
    if (passedMs <= GAP_MS_MAX) this.heardMs += passedMs;
    this.signAtMs = atMs;
  }

  /** It did not: what has passed since it last did is not counted, whatever comes. */
  miss(): void {
    this.signAtMs = undefined;
  }
}
