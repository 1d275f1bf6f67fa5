import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitRows } from './split-rows.js';
import type { Column } from './table.js';

function classes(codes: readonly number[]): Column {
  return { kind: 'category', name: 'label', codes: Int32Array.from(codes), names: ['a', 'b', 'c', 'd'] };
}

const shareOf = (rows: Uint32Array, codes: readonly number[], code: number): number =>
  rows.filter((row) => codes[row] === code).length;

describe(splitRows.name, () => {
  it('puts each row in one part, keeps the order, and holds back the same share of each class', () => {
    const anyCodes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 300 });
    fc.assert(
      fc.property(anyCodes, fc.double({ min: 0, max: 0.99, noNaN: true }), fc.nat(1000), (codes, share, seed) => {
        const { train, validation } = splitRows(classes(codes), share, seed);
        expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...codes.keys()]);
        for (const part of [train, validation]) expect([...part]).toEqual([...part].sort((a, b) => a - b));
        for (const code of [0, 1, 2, 3]) {
          const size = codes.filter((other) => other === code).length;
          expect(shareOf(validation, codes, code)).toBe(Math.round(size * share));
        }
      }),
    );
  });

  it('draws by the seed', () => {
    const target = classes(Array.from({ length: 200 }, (_, row) => row % 2));
    expect(splitRows(target, 0.2, 5)).toEqual(splitRows(target, 0.2, 5));
    expect(splitRows(target, 0.2, 5)).not.toEqual(splitRows(target, 0.2, 6));
  });

  it('takes numbers as one stratum', () => {
    const target: Column = {
      kind: 'number',
      name: 'price',
      values: Float64Array.from({ length: 50 }, (_, row) => row),
    };
    expect(splitRows(target, 0.1, 1).validation.length).toBe(5);
  });
});
