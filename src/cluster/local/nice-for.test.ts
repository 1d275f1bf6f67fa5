import { expect, it } from '@jest/globals';
import { niceFor } from './nice-for.js';

it.each([
  [1, 19],
  [500, 13],
  [1000, 10],
  [4000, 4],
  [192_000, 1],
])('a pod with %i milli-CPU gets niceness %i', (cpuMilli, nice) => {
  expect(niceFor(cpuMilli)).toBe(nice);
});
