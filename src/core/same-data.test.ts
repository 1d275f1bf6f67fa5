import { describe, expect, it } from '@jest/globals';
import { isSameData } from './same-data.js';

const cases: Record<string, { a: unknown; b: unknown; want: boolean }> = {
  'records in another order': { a: { x: 1, y: { z: 'q' } }, b: { y: { z: 'q' }, x: 1 }, want: true },
  'an absent key and one that is undefined': { a: { x: 1, y: undefined }, b: { x: 1 }, want: true },
  'a key more': { a: { x: 1 }, b: { x: 1, y: 2 }, want: false },
  'another value deep inside': { a: { x: { y: [1, { z: 2 }] } }, b: { x: { y: [1, { z: 3 }] } }, want: false },
  'lists in another order': { a: [1, 2], b: [2, 1], want: false },
  'a list that goes on': { a: [1], b: [1, 2], want: false },
  'a list and a record': { a: [], b: {}, want: false },
  'nothing and a record': { a: null, b: {}, want: false },
};

describe(isSameData.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { a, b, want }) => {
    expect([isSameData(a, b), isSameData(b, a)]).toEqual([want, want]);
  });
});
