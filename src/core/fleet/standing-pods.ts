import type { Column, Journal } from '../journal.js';
import type { StandingRules } from '../standing-rules.js';

/** Pods with equal rules, by the rows they stand on. */
interface Kind {
  readonly rules: StandingRules;
  readonly cellOfRow: Map<number, number>;
}

export interface StandingPod {
  readonly rules: StandingRules;
  readonly row: number;
  /** Those with a claim that have not ended. */
  readonly claimed: number;
  /** Those that have lost it and may still be there, or have ended and keep it. */
  readonly leaving: number;
}

/** Fewer cells are not worth a sweep. */
const SWEEP_MIN = 1024;

/**
 * How many pods with which rules stand on which node: told by the same `take` and `give` as amounts, so whatever is
 * tried on the live state counts here too, and a rollback restores it. Pods without rules are in none of it.
 */
export class StandingPods {
  readonly #claimed: Column;
  readonly #leaving: Column;
  readonly #kinds = new Map<string, Kind>();
  readonly #freeCells: number[] = [];
  #cells = 0;
  #sweepAt = SWEEP_MIN;

  constructor(journal: Journal) {
    this.#claimed = journal.column();
    this.#leaving = journal.column();
  }

  move(row: number, rules: StandingRules, more: { readonly claimed?: number; readonly leaving?: number }): void {
    const cell = this.#cellOf(row, rules);
    this.#claimed.add(cell, more.claimed ?? 0);
    this.#leaving.add(cell, more.leaving ?? 0);
  }

  /** Calls back for each kind and node with pods, in no order that may matter. */
  forEach(visit: (pods: StandingPod) => void, isOfInterest: (rules: StandingRules) => boolean = () => true): void {
    for (const { rules, cellOfRow } of this.#kinds.values()) {
      if (!isOfInterest(rules)) continue;
      for (const [row, cell] of cellOfRow) {
        const claimed = this.#claimed.at(cell);
        const leaving = this.#leaving.at(cell);
        if (claimed !== 0 || leaving !== 0) visit({ rules, row, claimed, leaving });
      }
    }
  }

  /** Does a pod stand whose rules are of interest? */
  some(isOfInterest: (rules: StandingRules) => boolean): boolean {
    for (const { rules, cellOfRow } of this.#kinds.values()) {
      if (!isOfInterest(rules)) continue;
      for (const cell of cellOfRow.values()) {
        if (this.#claimed.at(cell) !== 0 || this.#leaving.at(cell) !== 0) return true;
      }
    }
    return false;
  }

  /** Forgets what no pod stands for any more, when that is much; never while something may still be rolled back. */
  sweep(): void {
    if (this.#cells - this.#freeCells.length < this.#sweepAt) return;
    for (const [key, { cellOfRow }] of this.#kinds) {
      for (const [row, cell] of cellOfRow) {
        if (this.#claimed.at(cell) !== 0 || this.#leaving.at(cell) !== 0) continue;
        cellOfRow.delete(row);
        this.#freeCells.push(cell);
      }
      if (cellOfRow.size === 0) this.#kinds.delete(key);
    }
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * (this.#cells - this.#freeCells.length));
  }

  #cellOf(row: number, rules: StandingRules): number {
    let kind = this.#kinds.get(rules.key);
    if (kind === undefined) {
      kind = { rules, cellOfRow: new Map() };
      this.#kinds.set(rules.key, kind);
    }
    let cell = kind.cellOfRow.get(row);
    if (cell === undefined) {
      cell = this.#freeCells.pop() ?? this.#cells++;
      kind.cellOfRow.set(row, cell);
    }
    return cell;
  }
}
