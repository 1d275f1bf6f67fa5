import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { decayed, hourlyFactor } from './hourly-decay.js';

describe(decayed.name, () => {
  it('is the exact product, rounded down, for any whole amount', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(2 ** 32 - 1), (amount, factor) => {
        expect(decayed(amount, factor)).toBe(Number((BigInt(amount) * BigInt(factor)) >> 32n));
      }),
      lawCases(300),
    );
  });
});

describe(hourlyFactor.name, () => {
  it.each([
    ['one hour', 1, 2 ** 31],
    ['less than an hour counts as one', 0, 2 ** 31],
    ['two hours: the root of a half', 2, 3_037_000_499],
    ['a week', 168, 4_277_283_299],
  ])('of %s', (_title, hours, want) => {
    expect(hourlyFactor(hours)).toBe(want);
  });

  it('halves in its half-life, and no sooner by more than rounding', () => {
    for (const hours of [1, 6, 24, 168, 720, 8760]) {
      const factor = hourlyFactor(hours);
      let left = 2 ** 50;
      for (let hour = 0; hour < hours; hour++) left = decayed(left, factor);
      expect(left / 2 ** 49).toBeCloseTo(1, 5);
      expect(left).toBeLessThanOrEqual(2 ** 49);
    }
  });
});
