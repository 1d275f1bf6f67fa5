import { invariant } from './invariant.js';

/**
 * A column of whole numbers that remembers how to undo its changes. All amounts of the core live in columns, so one
 * rollback restores nodes and quota together, at the cost of what was changed and not of what exists.
 *
 * Doubles rather than 32-bit integers: whole numbers are exact to 2^53, and the milli-CPU of 20,000 nodes pass 2^31.
 */
export class Column {
  #cells = new Float64Array(16);
  readonly #journal: Journal;
  readonly #fill: number;
  readonly #onChange: ((row: number) => void) | undefined;

  constructor(journal: Journal, fill: number, onChange?: (row: number) => void) {
    this.#journal = journal;
    this.#fill = fill;
    this.#onChange = onChange;
    this.#cells.fill(fill);
  }

  /** Rows never written hold the fill value. */
  at(row: number): number {
    return this.#cells[row] ?? this.#fill;
  }

  set(row: number, value: number): void {
    if (row >= this.#cells.length) this.#grow(row + 1);
    const old = this.at(row);
    if (old === value) return;
    this.#journal.record(this, row, old);
    this.#cells[row] = value;
    this.#onChange?.(row);
  }

  add(row: number, delta: number): void {
    this.set(row, this.at(row) + delta);
  }

  /** For the journal alone. */
  restore(row: number, value: number): void {
    this.#cells[row] = value;
    this.#onChange?.(row);
  }

  #grow(rows: number): void {
    const cells = new Float64Array(Math.max(rows, this.#cells.length * 2)).fill(this.#fill);
    cells.set(this.#cells);
    this.#cells = cells;
  }
}

/** A place in the journal to go back to. */
export type Mark = number;

/**
 * The order in which columns were changed. Whoever tries something takes a `mark` and either rolls back to it or goes
 * on; `commit`, at the end of each `apply` and `decide`, forgets what can no longer be undone.
 */
export class Journal {
  readonly #columns: Column[] = [];
  readonly #rows: number[] = [];
  readonly #olds: number[] = [];

  /** `onChange` hears of each cell that is changed, and again when a rollback changes it back. */
  column(fill = 0, onChange?: (row: number) => void): Column {
    return new Column(this, fill, onChange);
  }

  record(column: Column, row: number, old: number): void {
    this.#columns.push(column);
    this.#rows.push(row);
    this.#olds.push(old);
  }

  mark(): Mark {
    return this.#rows.length;
  }

  rollbackTo(mark: Mark): void {
    invariant(mark <= this.#rows.length, 'a mark is rolled back once, before anything older', { mark });
    while (this.#rows.length > mark) {
      const column = this.#columns.pop();
      const row = this.#rows.pop();
      const old = this.#olds.pop();
      if (column !== undefined && row !== undefined && old !== undefined) column.restore(row, old);
    }
  }

  commit(): void {
    this.#columns.length = 0;
    this.#rows.length = 0;
    this.#olds.length = 0;
  }
}
