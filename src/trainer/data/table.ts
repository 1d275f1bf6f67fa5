/**
 * Rows as columns: 8 bytes a number and 4 a category, whatever the text was. One-hot rows are made per batch, so a
 * table stays as small as its data.
 */
export type Column = NumberColumn | CategoryColumn;

export interface NumberColumn {
  readonly kind: 'number';
  readonly name: string;
  /** NaN where the value is missing. */
  readonly values: Float64Array;
}

export interface CategoryColumn {
  readonly kind: 'category';
  readonly name: string;
  /** Index into `names`; -1 where the value is missing. */
  readonly codes: Int32Array;
  readonly names: readonly string[];
}

export interface Table {
  readonly rowCount: number;
  /** The features in the order of the job file. */
  readonly features: readonly Column[];
  readonly target: Column;
}

export const MISSING_CODE = -1;

/** The rows of a table, in the order given. */
export function takeRows(table: Table, rows: Uint32Array): Table {
  const take = (column: Column): Column =>
    column.kind === 'number'
      ? { ...column, values: Float64Array.from(rows, (row) => column.values[row] ?? Number.NaN) }
      : { ...column, codes: Int32Array.from(rows, (row) => column.codes[row] ?? MISSING_CODE) };
  return { rowCount: rows.length, features: table.features.map(take), target: take(table.target) };
}

/** The rows for which `keep` holds. */
export function selectRows(rowCount: number, keep: (row: number) => boolean): Uint32Array {
  return Uint32Array.from({ length: rowCount }, (_, row) => row).filter(keep);
}

export function isMissing(column: Column, row: number): boolean {
  return column.kind === 'number' ? Number.isNaN(column.values[row]) : column.codes[row] === MISSING_CODE;
}

export function countMissing(column: Column): number {
  if (column.kind === 'number') return column.values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
  return column.codes.reduce((count, code) => count + (code === MISSING_CODE ? 1 : 0), 0);
}
