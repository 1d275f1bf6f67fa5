import { describe, expect, it } from '@jest/globals';
import { permutation, randomFor } from './random.js';

const draws = (count: number, ...key: readonly [number, ...(string | number)[]]): number[] => {
  const random = randomFor(...key);
  return Array.from({ length: count }, () => random.unit());
};

describe(randomFor.name, () => {
  it('gives the same numbers for the same seed and key', () => {
    expect(draws(50, 7, 'shuffle', 3)).toEqual(draws(50, 7, 'shuffle', 3));
  });

  it('gives other numbers for another seed, another word or another number of the key', () => {
    const streams = [
      draws(8, 7, 'shuffle', 3),
      draws(8, 8, 'shuffle', 3),
      draws(8, 7, 'dropout', 3),
      draws(8, 7, 'shuffle', 4),
    ];
    expect(new Set(streams.flat()).size).toBe(4 * 8);
  });

  it('is uniform: mean, spread and ten equal bins of 100,000 draws', () => {
    const values = draws(100_000, 1, 'uniform');
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    // Five standard errors: 1/√12/√n of the mean, about 0.0745/√n of the variance, √(np(1-p)) of a bin.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * 0.000913);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 * 0.000236);
    const bins = new Array<number>(10).fill(0);
    for (const value of values) bins[Math.floor(value * 10)] = (bins[Math.floor(value * 10)] ?? 0) + 1;
    for (const bin of bins) expect(Math.abs(bin - 10_000)).toBeLessThan(5 * 95);
  });
});

describe(permutation.name, () => {
  it('holds each number once', () => {
    expect([...permutation(1000, randomFor(1, 'p'))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index),
    );
    expect([...permutation(0, randomFor(1, 'p'))]).toEqual([]);
  });

  it('draws each of the six orders of three equally often', () => {
    const counts = new Map<string, number>();
    for (let trial = 0; trial < 6000; trial += 1) {
      const order = permutation(3, randomFor(trial, 'p')).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * 29);
  });
});
