import { MISSING_CODE, type Column } from './table.js';

/** Collects the texts of one column. `add` says what it expected when a text does not fit. */
export interface ColumnBuilder {
  readonly add: (text: string) => { readonly kind: 'added' } | { readonly kind: 'refused'; readonly expected: string };
  readonly build: () => Column;
}

const ADDED = { kind: 'added' } as const;
const FIRST_CAPACITY = 1024;
/** More distinct values than this in a category is a column of identifiers: one input each would fill the memory. */
export const CATEGORIES_MAX = 100_000;

/** Both an empty field and a lone question mark, as the UCI repository writes it. */
export function isMissingText(text: string): boolean {
  return text === '' || text === '?';
}

export function numberColumn(name: string): ColumnBuilder {
  let values = new Float64Array(FIRST_CAPACITY);
  let count = 0;
  const push = (value: number): void => {
    if (count === values.length) {
      const larger = new Float64Array(values.length * 2);
      larger.set(values);
      values = larger;
    }
    values[count] = value;
    count += 1;
  };
  return {
    add: (text) => {
      const value = isMissingText(text) ? Number.NaN : Number(text);
      if (Number.isNaN(value) !== isMissingText(text) || Math.abs(value) === Infinity) {
        return { kind: 'refused', expected: 'a number' };
      }
      push(value);
      return ADDED;
    },
    build: () => ({ kind: 'number', name, values: values.slice(0, count) }),
  };
}

export function categoryColumn(name: string): ColumnBuilder {
  const codeOf = new Map<string, number>();
  const codes: number[] = [];
  return {
    add: (text) => {
      if (isMissingText(text)) {
        codes.push(MISSING_CODE);
        return ADDED;
      }
      const code = codeOf.get(text) ?? codeOf.size;
      if (code === CATEGORIES_MAX) return { kind: 'refused', expected: `at most ${CATEGORIES_MAX} different values` };
      codeOf.set(text, code);
      codes.push(code);
      return ADDED;
    },
    build: () => ({ kind: 'category', name, codes: Int32Array.from(codes), names: [...codeOf.keys()] }),
  };
}
