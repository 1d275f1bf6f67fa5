import type { Feature, Outliers } from '../job.schema.js';
import { statisticsOf } from './statistics.js';
import { countMissing, isMissing, selectRows, takeRows, type Column, type Table } from './table.js';

/** What cleaning did to how many rows of which file or split; the report lists them. */
export interface CleaningNote {
  readonly why: string;
  readonly rows: number;
  readonly of: string;
}

export interface Cleaned {
  readonly table: Table;
  readonly notes: readonly CleaningNote[];
}

/** The values that an outlier rule lets pass, fitted on the training split. */
export interface Bounds {
  readonly column: string;
  readonly low: number;
  readonly high: number;
}

const IQR_REACH = 1.5; // Tukey 1977
const DEVIATIONS = 3;

/** Drops rows that cannot be used: no target, or a missing value in a feature with `missing: drop`. */
export function dropIncompleteRows(table: Table, features: readonly Feature[], of: string): Cleaned {
  const required = [
    { column: table.target, why: `${table.target.name}: target is missing, row dropped` },
    ...features.flatMap(({ missing, name }, index) => {
      const column = table.features[index];
      return missing === 'drop' && column !== undefined
        ? [{ column, why: `${name}: value is missing, row dropped` }]
        : [];
    }),
  ];
  let kept = table;
  const notes: CleaningNote[] = [];
  for (const { column, why } of required) {
    const rows = countMissing(column);
    if (rows > 0) notes.push({ why, rows, of });
  }
  if (notes.length > 0) {
    const complete = (row: number): boolean => required.every(({ column }) => !isMissing(column, row));
    kept = takeRows(table, selectRows(table.rowCount, complete));
  }
  return { table: kept, notes };
}

/** Keeps the first of rows that are equal in every feature and in the target. */
export function dropDuplicateRows(table: Table, of: string): Cleaned {
  const columns = [...table.features, table.target].map(keysOf);
  const seen = new Set<string>();
  const rows = selectRows(table.rowCount, (row) => {
    const key = columns.map((column) => String(column[row])).join(',');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const dropped = table.rowCount - rows.length;
  if (dropped === 0) return { table, notes: [] };
  return { table: takeRows(table, rows), notes: [{ why: 'duplicate of an earlier row, dropped', rows: dropped, of }] };
}

export function fitBounds(table: Table, rules: readonly Outliers[]): readonly Bounds[] {
  return rules.flatMap(({ column: name, method }) => {
    const statistics = statisticsOf(numbersOf(table, name));
    if (statistics === undefined) return [];
    const { mean, deviation, firstQuartile, thirdQuartile } = statistics;
    const reach = method === 'iqr' ? IQR_REACH * (thirdQuartile - firstQuartile) : DEVIATIONS * deviation;
    const [low, high] = method === 'iqr' ? [firstQuartile, thirdQuartile] : [mean, mean];
    return [{ column: name, low: low - reach, high: high + reach }];
  });
}

/** Drops the rows of the training split that lie outside the bounds of a rule with `action: drop`. */
export function dropOutliers(table: Table, rules: readonly Outliers[], bounds: readonly Bounds[]): Cleaned {
  return rules.reduce<Cleaned>(
    (cleaned, { column, action }) => {
      const bound = bounds.find((candidate) => candidate.column === column);
      if (action !== 'drop' || bound === undefined) return cleaned;
      const values = numbersOf(cleaned.table, column);
      const rows = selectRows(cleaned.table.rowCount, (row) => !isOutside(values[row] ?? Number.NaN, bound));
      const dropped = cleaned.table.rowCount - rows.length;
      if (dropped === 0) return cleaned;
      const note = { why: `${column}: outside ${interval(bound)}, row dropped`, rows: dropped, of: 'train split' };
      return { table: takeRows(cleaned.table, rows), notes: [...cleaned.notes, note] };
    },
    { table, notes: [] },
  );
}

/** Limits the values of the rules with `action: clip`, in any split, to bounds of the training split. */
export function clipOutliers(
  table: Table,
  rules: readonly Outliers[],
  { bounds, of }: { readonly bounds: readonly Bounds[]; readonly of: string },
): Cleaned {
  const notes: CleaningNote[] = [];
  const features = table.features.map((column): Column => {
    const rule = rules.find((candidate) => candidate.column === column.name && candidate.action === 'clip');
    const bound = bounds.find((candidate) => candidate.column === column.name);
    if (rule === undefined || bound === undefined || column.kind !== 'number') return column;
    const rows = column.values.reduce((count, value) => count + (isOutside(value, bound) ? 1 : 0), 0);
    if (rows > 0) notes.push({ why: `${column.name}: clipped to ${interval(bound)}`, rows, of });
    return { ...column, values: column.values.map((value) => Math.min(bound.high, Math.max(bound.low, value))) };
  });
  return { table: { ...table, features }, notes };
}

/** Missing values are NaN, and so outside of nothing. */
function isOutside(value: number, { low, high }: Bounds): boolean {
  return value < low || value > high;
}

function interval({ low, high }: Bounds): string {
  const short = (value: number): string => String(Number(value.toPrecision(6)));
  return `${short(low)} … ${short(high)}`;
}

function numbersOf(table: Table, name: string): Float64Array {
  const column = table.features.find((candidate) => candidate.name === name);
  return column?.kind === 'number' ? column.values : new Float64Array();
}

function keysOf(column: Column): Float64Array | Int32Array {
  return column.kind === 'number' ? column.values : column.codes;
}
