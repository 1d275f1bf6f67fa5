import { describe, expect, it } from '@jest/globals';
import { aJob } from '../../../test/trainer/small-job.js';
import { clipOutliers, dropDuplicateRows, dropIncompleteRows, dropOutliers, fitBounds } from './clean-table.js';
import { statisticsOf } from './statistics.js';
import type { Table } from './table.js';

const NONE = Number.NaN;

/** `age` and `job` as features, `label` as target. */
function tableOf(ages: readonly number[], jobs = ages.map(() => 0), labels = ages.map(() => 0)): Table {
  return {
    rowCount: ages.length,
    features: [
      { kind: 'number', name: 'age', values: Float64Array.from(ages) },
      { kind: 'category', name: 'job', codes: Int32Array.from(jobs), names: ['a', 'b'] },
    ],
    target: { kind: 'category', name: 'label', codes: Int32Array.from(labels), names: ['no', 'yes'] },
  };
}

const agesOf = ({ features: [age] }: Table): number[] => (age?.kind === 'number' ? [...age.values] : []);

describe(dropIncompleteRows.name, () => {
  const { features } = aJob({
    features: [
      { name: 'age', type: 'number', missing: 'drop' },
      { name: 'job', type: 'category' },
    ],
  });

  it('drops rows without a target, and those that a feature wants dropped; counts each', () => {
    const table = tableOf([1, NONE, 3, 4, NONE], [0, 0, -1, 0, 0], [0, 0, 0, -1, -1]);
    const cleaned = dropIncompleteRows(table, features, 'train');
    expect(agesOf(cleaned.table)).toEqual([1, 3]);
    expect(cleaned.notes).toEqual([
      { why: 'label: target is missing, row dropped', rows: 2, of: 'train' },
      { why: 'age: value is missing, row dropped', rows: 2, of: 'train' },
    ]);
  });

  it('leaves a complete table as it is', () => {
    const table = tableOf([1, 2]);
    expect(dropIncompleteRows(table, features, 'train')).toEqual({ table, notes: [] });
  });
});

describe(dropDuplicateRows.name, () => {
  it('keeps the first of equal rows; another target makes another row; missing equals missing', () => {
    const cleaned = dropDuplicateRows(
      tableOf([1, 1, 1, NONE, NONE, 2], [0, 0, 0, 1, 1, 0], [0, 1, 0, 0, 0, 0]),
      'train',
    );
    expect(agesOf(cleaned.table)).toEqual([1, 1, NONE, 2]);
    expect(cleaned.notes).toEqual([{ why: 'duplicate of an earlier row, dropped', rows: 2, of: 'train' }]);
  });
});

describe('outliers', () => {
  // Quartiles of 1 … 9 are 3 and 7: beyond -3 and 13 is out.
  const table = tableOf([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const rule = { column: 'age', method: 'iqr', action: 'clip' } as const;
  const bounds = fitBounds(table, [rule]);

  it('lie beyond 1.5 interquartile ranges, or 3 deviations', () => {
    expect(bounds).toEqual([{ column: 'age', low: -3, high: 13 }]);
    const deviation = Math.sqrt(60 / 9);
    const [byDeviation] = fitBounds(table, [{ ...rule, method: 'zscore' }]);
    expect(byDeviation?.low).toBeCloseTo(5 - 3 * deviation, 12);
    expect(byDeviation?.high).toBeCloseTo(5 + 3 * deviation, 12);
  });

  const others = tableOf([-4, -3, NONE, 13, 20]);

  it('are clipped in any split, by the bounds of the training split', () => {
    const cleaned = clipOutliers(others, [rule], { bounds, of: 'test' });
    expect(agesOf(cleaned.table)).toEqual([-3, -3, NONE, 13, 13]);
    expect(cleaned.notes).toEqual([{ why: 'age: clipped to -3 … 13', rows: 2, of: 'test' }]);
    expect(agesOf(others)).toEqual([-4, -3, NONE, 13, 20]);
  });

  it('are dropped where the rule says so, and only then', () => {
    const cleaned = dropOutliers(others, [{ ...rule, action: 'drop' }], bounds);
    expect(agesOf(cleaned.table)).toEqual([-3, NONE, 13]);
    expect(cleaned.notes).toEqual([{ why: 'age: outside -3 … 13, row dropped', rows: 2, of: 'train split' }]);
    expect(dropOutliers(others, [rule], bounds)).toEqual({ table: others, notes: [] });
  });
});

describe(statisticsOf.name, () => {
  it('is of the values that are there, with quartiles as NumPy has them', () => {
    // numpy.quantile([1, 2, 4, 8], [.25, .5, .75]) = 1.75, 3, 5
    expect(statisticsOf(Float64Array.of(8, NONE, 1, 4, 2))).toEqual({
      mean: 3.75,
      deviation: Math.sqrt((2.75 ** 2 + 1.75 ** 2 + 0.25 ** 2 + 4.25 ** 2) / 4),
      minimum: 1,
      maximum: 8,
      firstQuartile: 1.75,
      median: 3,
      thirdQuartile: 5,
    });
    expect(statisticsOf(Float64Array.of(NONE))).toBeUndefined();
  });

  it('know no deviation of equal values, whose mean is rounded', () => {
    expect(statisticsOf(new Float64Array(3).fill(0.1))?.deviation).toBe(0);
  });
});
