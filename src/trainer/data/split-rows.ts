import { permutation, randomFor } from '../random.js';
import type { Column } from './table.js';

export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Holds back a share of the rows, the same share of each class, drawn by the seed. A number has no classes, so there
 * the whole is one stratum. Both parts keep the order of the file.
 */
export function splitRows(target: Column, validation: number, seed: number): Split {
  const strata = new Map<number, number[]>();
  const keys = target.kind === 'number' ? new Int32Array(target.values.length) : target.codes;
  for (const [row, key] of keys.entries()) {
    const stratum = strata.get(key);
    if (stratum === undefined) strata.set(key, [row]);
    else stratum.push(row);
  }
  const held = new Uint8Array(keys.length);
  for (const [key, rows] of strata) {
    const label = target.kind === 'number' ? '' : (target.names[key] ?? '');
    const order = permutation(rows.length, randomFor(seed, 'validation', label));
    for (const position of order.subarray(0, Math.round(rows.length * validation))) held[rows[position] ?? 0] = 1;
  }
  const all = Uint32Array.from({ length: keys.length }, (_, row) => row);
  return { train: all.filter((row) => held[row] === 0), validation: all.filter((row) => held[row] === 1) };
}
