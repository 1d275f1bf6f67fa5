import { describe, expect, it } from '@jest/globals';
import { formatAge } from './format-age.js';
import { formatDuration } from './format-duration.js';

const cases: readonly (readonly [seconds: number, duration: string, age: string])[] = [
  [-5, '0 s', '0 s'],
  [7.4, '7 s', '7 s'],
  [59.6, '1 m 00 s', '59 s'],
  [65, '1 m 05 s', '1 m'],
  [3_600 + 240, '1 h 04 m', '1 h'],
  [2 * 86_400 + 3_600, '2 d 01 h', '2 d'],
];

describe(formatDuration.name, () => {
  it.each(cases)('writes %d s as %s, and as an age as %s', (seconds, duration, age) => {
    expect([formatDuration(seconds), formatAge(seconds)]).toEqual([duration, age]);
  });
});
