import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { SortedList } from './sorted-list.js';

describe(SortedList.name, () => {
  it('holds what a plainly sorted array holds, also over many blocks', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 3000, size: 'max' });
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 0, max: 3000 }), (added, deleted, limit) => {
        const list = new SortedList<number>((a, b) => a - b);
        const plain = new Set<number>();
        for (const value of added) {
          if (!plain.has(value)) list.add(value);
          plain.add(value);
        }
        for (const value of deleted) expect(list.delete(value)).toBe(plain.delete(value));
        const sorted = [...plain].sort((a, b) => a - b);
        const isBelow = (value: number): boolean => value < limit;
        expect([...list]).toEqual(sorted);
        expect([...list.backwards()]).toEqual([...sorted].reverse());
        expect([...list.while(isBelow)]).toEqual(sorted.filter(isBelow));
        expect([...list.from(isBelow)]).toEqual(sorted.filter((value) => !isBelow(value)));
        expect(list.countWhile(isBelow)).toBe(sorted.filter(isBelow).length);
        expect({ length: list.length, first: list.first }).toEqual({ length: sorted.length, first: sorted[0] });
      }),
      lawCases(30),
    );
  });
});
