import type { Charge, FlavorName, Ms, QueueName } from '../contract/index.js';
import { DEFAULT_POLICY } from '../contract/index.js';
import type { Column, Journal } from '../journal.js';
import { compareText } from '../text-order.js';
import { decayed, hourlyFactor } from './hourly-decay.js';

const HOUR_MS = 3_600_000;

/** For the snapshot. */
export interface PastUsageRecord {
  readonly queue: QueueName;
  readonly flavor: FlavorName;
  /** Decayed, as of the last whole hour; in thousandths of a device x seconds. */
  readonly total: number;
  /** Since then, up to `sinceMs`; in thousandths of a device x milliseconds. */
  readonly part: number;
  readonly sinceMs: Ms;
}

/**
 * What queues have used before, each flavor by itself, in thousandths of a device (or of a CPU) x seconds. Within an
 * hour of the caller's clock it is the exact sum of amount x time; at each whole hour all of it is multiplied once by
 * the factor that halves it in a half-life. It is brought forward when a time is told and wakes nobody, and it is the
 * same however often it is asked: asking changes nothing.
 *
 * Only the queue that was charged is counted; the past of a queue with children is the sum of theirs. What a removed
 * queue has used is forgotten. Exact while one queue uses less than 2.5 million devices (or CPUs) at once, and has at
 * most 9 x 10^12 device-seconds behind it.
 */
export class PastUsage {
  readonly #rows = new Map<QueueName, Map<FlavorName, number>>();
  readonly #using: Column;
  readonly #total: Column;
  readonly #part: Column;
  readonly #sinceMs: Column;
  #rowCount = 0;
  #nowMs: Ms | undefined;
  #halfLifeMs = 0;
  #factor = 0;

  constructor(journal: Journal) {
    this.#using = journal.column();
    this.#total = journal.column();
    this.#part = journal.column();
    this.#sinceMs = journal.column();
    this.setHalfLife(DEFAULT_POLICY.fairness.halfLifeMs);
  }

  /** The latest time that was told. */
  get nowMs(): Ms {
    return this.#nowMs ?? 0;
  }

  /** What was used until now decays by the half-life that held until now. Whole hours, at least one. */
  setHalfLife(halfLifeMs: Ms): void {
    if (halfLifeMs === this.#halfLifeMs) return;
    this.#halfLifeMs = halfLifeMs;
    this.#factor = hourlyFactor(Math.floor(halfLifeMs / HOUR_MS));
  }

  /** It is now so late; a time before the latest told changes nothing. */
  advance(nowMs: Ms): void {
    const before = this.#nowMs;
    if (before !== undefined && nowMs <= before) return;
    this.#nowMs = nowMs;
    // Before the first time told nothing has lasted.
    if (before === undefined) for (const row of this.#allRows()) this.#sinceMs.set(row, nowMs);
    else if (hourOf(nowMs) > hourOf(before)) for (const row of this.#allRows()) this.#passHours(row, nowMs);
  }

  /** From now on the queue uses so much more of the flavor. */
  use({ queue, flavor, milli }: Charge): void {
    const row = this.#rowFor(queue, flavor);
    this.#settle(row, this.nowMs);
    this.#using.add(row, milli);
  }

  /** A queue that becomes known, with what it is said to have used. */
  start(queue: QueueName, used: Readonly<Record<FlavorName, number>>): void {
    for (const [flavor, total] of Object.entries(used)) this.#total.set(this.#rowFor(queue, flavor), total);
  }

  forget(queue: QueueName): void {
    for (const row of this.#rows.get(queue)?.values() ?? []) {
      for (const column of [this.#using, this.#total, this.#part, this.#sinceMs]) column.set(row, 0);
    }
    this.#rows.delete(queue);
  }

  /** Of the queue itself, up to now; flavors in no particular order. */
  *of(queue: QueueName): Iterable<readonly [FlavorName, number]> {
    for (const [flavor, row] of this.#rows.get(queue) ?? []) {
      const part = this.#part.at(row) + this.#using.at(row) * (this.nowMs - this.#sinceMs.at(row));
      yield [flavor, this.#total.at(row) + Math.floor(part / 1000)];
    }
  }

  /** Sorted by queue and flavor. */
  records(): readonly PastUsageRecord[] {
    const records: PastUsageRecord[] = [];
    for (const [queue, byFlavor] of this.#rows) {
      for (const [flavor, row] of byFlavor) {
        const [total, part] = [this.#total.at(row), this.#part.at(row)];
        const isNews = total !== 0 || part !== 0 || this.#using.at(row) !== 0;
        if (isNews) records.push({ queue, flavor, total, part, sinceMs: this.#sinceMs.at(row) });
      }
    }
    return records.sort((a, b) => compareText(a.queue, b.queue) || compareText(a.flavor, b.flavor));
  }

  /** After the queues and their charges, which say what is used now. */
  restore(records: readonly PastUsageRecord[], nowMs: Ms): void {
    this.#nowMs = nowMs;
    // What the specs say of the past is in the records, as far as it is left.
    for (const row of this.#allRows()) {
      this.#total.set(row, 0);
      this.#part.set(row, 0);
      this.#sinceMs.set(row, nowMs);
    }
    for (const { queue, flavor, total, part, sinceMs } of records) {
      const row = this.#rowFor(queue, flavor);
      this.#total.set(row, total);
      this.#part.set(row, part);
      this.#sinceMs.set(row, sinceMs);
    }
  }

  /** Within one hour. */
  #settle(row: number, nowMs: Ms): void {
    this.#part.add(row, this.#using.at(row) * (nowMs - this.#sinceMs.at(row)));
    this.#sinceMs.set(row, nowMs);
  }

  #passHours(row: number, nowMs: Ms): void {
    const first = (hourOf(this.#sinceMs.at(row)) + 1) * HOUR_MS;
    const hours = hourOf(nowMs) - hourOf(this.#sinceMs.at(row));
    this.#settle(row, first);
    const part = this.#part.at(row);
    let total = decayed(this.#total.at(row) + Math.floor(part / 1000), this.#factor);
    const perHour = this.#using.at(row) * (HOUR_MS / 1000);
    for (let hour = 1; hour < hours; hour++) {
      const next = decayed(total + perHour, this.#factor);
      // What an hour adds is what it takes: so it stays, however many follow.
      if (next === total) break;
      total = next;
    }
    this.#total.set(row, total);
    this.#part.set(row, part % 1000);
    this.#sinceMs.set(row, hourOf(nowMs) * HOUR_MS);
  }

  *#allRows(): Iterable<number> {
    for (const byFlavor of this.#rows.values()) yield* byFlavor.values();
  }

  #rowFor(queue: QueueName, flavor: FlavorName): number {
    const byFlavor = this.#rows.get(queue) ?? new Map<FlavorName, number>();
    this.#rows.set(queue, byFlavor);
    const known = byFlavor.get(flavor);
    if (known !== undefined) return known;
    const row = this.#rowCount++;
    byFlavor.set(flavor, row);
    this.#sinceMs.set(row, this.nowMs);
    return row;
  }
}

function hourOf(timeMs: Ms): number {
  return Math.floor(timeMs / HOUR_MS);
}
