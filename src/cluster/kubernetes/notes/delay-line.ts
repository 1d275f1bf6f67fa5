import type { Timers } from '../timers.js';

/** Items that each wait for the same time, from when they came: they leave in that order, so one timer is enough. */
export class DelayLine<Item> {
  private readonly dueAtMs = new Map<Item, number>();
  private cancel: (() => void) | undefined;

  constructor(
    private readonly timers: Timers,
    private readonly delayMs: number,
    private readonly whenDue: (item: Item) => void,
  ) {}

  /** The one that has waited longest. */
  get first(): Item | undefined {
    const [item] = this.dueAtMs.keys();
    return item;
  }

  add(item: Item): void {
    this.dueAtMs.delete(item);
    this.dueAtMs.set(item, this.timers.now() + this.delayMs);
    this.arm();
  }

  /** Whether it was there. */
  remove(item: Item): boolean {
    return this.dueAtMs.delete(item);
  }

  stop(): void {
    this.dueAtMs.clear();
    this.cancel?.();
    this.cancel = undefined;
  }

  private arm(): void {
    const [first] = this.dueAtMs.values();
    if (first === undefined) return;
    this.cancel ??= this.timers.after(Math.max(0, first - this.timers.now()), () => {
      this.cancel = undefined;
      this.release();
      this.arm();
    });
  }

  private release(): void {
    const nowMs = this.timers.now();
    for (const [item, dueAtMs] of this.dueAtMs) {
      if (dueAtMs > nowMs) return;
      this.dueAtMs.delete(item);
      this.whenDue(item);
    }
  }
}
