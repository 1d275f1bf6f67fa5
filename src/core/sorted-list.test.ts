import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { SortedList } from './sorted-list.js';

/** A prime: the multiples of any number below it are all different, up to it, and in no order. */
const PRIME = 3001;

/** So many different numbers. */
function numbers(count: number, stride: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => ((index + 1) * stride) % PRIME);
}

function viewsOf(list: SortedList<number>, isBelow: (value: number) => boolean) {
  return {
    all: [...list],
    backwards: [...list.backwards()],
    below: [...list.while(isBelow)],
    above: [...list.from(isBelow)],
    count: list.countWhile(isBelow),
    length: list.length,
    first: list.first,
  };
}

/** The matcher is slow with thousands of numbers. */
const textOf = (value: unknown): string => JSON.stringify(value);

describe(SortedList.name, () => {
  it('holds what a plainly sorted array holds, also over many blocks', () => {
    const anyCount = fc.oneof({ weight: 9, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(PRIME - 1) });
    const anyStride = fc.integer({ min: 1, max: PRIME - 1 });
    const anySteps = fc.record({
      added: anyCount,
      by: anyStride,
      deleted: anyCount,
      from: anyStride,
      limit: anyStride,
    });
    fc.assert(
      fc.property(anySteps, ({ added, by, deleted, from, limit }) => {
        const list = new SortedList<number>((a, b) => a - b);
        const plain = new Set(numbers(added, by));
        for (const value of plain) list.add(value);
        const gone = numbers(deleted, from);
        const answers = gone.map((value) => list.delete(value));
        const isGone = new Set(gone);
        const sorted = [...plain].filter((value) => !isGone.has(value)).sort((a, b) => a - b);
        const isBelow = (value: number): boolean => value < limit;
        expect(textOf({ answers, ...viewsOf(list, isBelow) })).toBe(
          textOf({
            answers: gone.map((value) => plain.has(value)),
            all: sorted,
            backwards: [...sorted].reverse(),
            below: sorted.filter(isBelow),
            above: sorted.filter((value) => !isBelow(value)),
            count: sorted.filter(isBelow).length,
            length: sorted.length,
            first: sorted[0],
          }),
        );
      }),
      lawCases(100),
    );
  });
});
