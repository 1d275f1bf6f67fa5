import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { Heap } from './heap.js';

describe(Heap.name, () => {
  it('gives back what was pushed, smallest first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        const heap = new Heap<number>((a, b) => a - b);
        for (const value of values) heap.push(value);
        const sorted = [...values].sort((a, b) => a - b);
        expect(heap.peek()).toBe(sorted[0]);
        expect(values.map(() => heap.pop())).toEqual(sorted);
        expect(heap.pop()).toBeUndefined();
      }),
      lawCases(100),
    );
  });
});
