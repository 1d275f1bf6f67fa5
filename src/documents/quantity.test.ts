import { describe, expect, it } from '@jest/globals';
import { countOf, cpuMilliOf, isQuantity, memoryMibOf } from './quantity.js';

const KIB = 1 / 1024;

describe(cpuMilliOf.name, () => {
  it.each([
    ['1', 1000, 1000],
    [0.1, 100, 100],
    ['2.5', 2500, 2500],
    ['.5', 500, 500],
    ['1.', 1000, 1000],
    ['+3', 3000, 3000],
    ['250m', 250, 250],
    ['0.1m', 1, 0],
    ['1500u', 2, 1],
    ['100n', 1, 0],
    ['2e3', 2_000_000, 2_000_000],
    ['5E-1', 500, 500],
    ['1k', 1_000_000, 1_000_000],
    ['7909m', 7909, 7909],
  ])('reads %s as %d milli when it is asked for, and as %d when it is offered', (quantity, asked, offered) => {
    expect([cpuMilliOf(quantity), cpuMilliOf(quantity, 'down')]).toEqual([asked, offered]);
  });
});

describe(memoryMibOf.name, () => {
  it.each([
    ['1Gi', 1024, 1024],
    ['1024Ki', 1, 1],
    ['64G', 61_036, 61_035],
    ['1', 1, 0],
    ['131841756Ki', Math.ceil(131_841_756 * KIB), Math.floor(131_841_756 * KIB)],
    ['1e9', 954, 953],
    ['128974848000m', 123, 123],
    ['2Ei', 2 ** 41, 2 ** 41],
    ['1E', 953_674_316_407, 953_674_316_406],
    ['0.5Ti', 524_288, 524_288],
  ])('reads %s as %d MiB when it is asked for, and as %d when it is offered', (quantity, asked, offered) => {
    expect([memoryMibOf(quantity), memoryMibOf(quantity, 'down')]).toEqual([asked, offered]);
  });
});

describe(countOf.name, () => {
  it.each([
    ['110', 110, 110],
    ['8', 8, 8],
    ['1500m', 2, 1],
  ])('reads %s as %d things when they are asked for, and as %d when they are offered', (quantity, asked, offered) => {
    expect([countOf(quantity), countOf(quantity, 'down')]).toEqual([asked, offered]);
  });
});

describe(isQuantity.name, () => {
  it.each(['', '.', '-1', 'Gi', '1gi', '1 Gi', '1e', '1e1000', '1Ki2', '0x10', '1e5M', '9'.repeat(65), Number.NaN])(
    'refuses %s',
    (value) => {
      expect(isQuantity(value)).toBe(false);
      expect(() => countOf(value)).toThrow('is no quantity');
    },
  );
});
