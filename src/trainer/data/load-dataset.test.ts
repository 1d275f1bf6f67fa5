import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aJob, type JobText } from '../../../test/trainer/small-job.js';
import { EXIT } from '../contract.js';
import { ShuffledBatches } from './batches.js';
import type { EncodedRows } from './encoded-rows.js';
import { loadDataset, type Dataset } from './load-dataset.js';

const HEADER = 'x,colour,label\n';
/** Classes alternate, so that splits and shuffles are easy to follow; x counts the rows. */
const TRAIN = Array.from(
  { length: 40 },
  (_, row) => `${row},${row % 4 < 2 ? 'red' : 'blue'},${row % 2 === 0 ? 'no' : 'yes'}\n`,
);

const FEATURES = [
  { name: 'x', type: 'number' },
  { name: 'colour', type: 'category' },
];

describe(loadDataset.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-data-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function load(train: readonly string[], test: string, changes: JobText = {}): Promise<Dataset> {
    const files = { train: join(folder, 'train.csv'), test: join(folder, 'test.csv') };
    writeFileSync(files.train, HEADER + train.join(''));
    writeFileSync(files.test, HEADER + test);
    return loadDataset(files, aJob({ features: FEATURES, target: { name: 'label', type: 'binary' }, ...changes }));
  }

  it('learns statistics and categories from the training split alone', async () => {
    const reference = await load(TRAIN, '1,red,no\n');
    // Whatever stands in the validation rows or in the test file must not move a single statistic.
    const held = rowsOf(reference.validation).map((row) => Math.round(xOf(row, reference)));
    expect(held).toHaveLength(4);
    const poisoned = TRAIN.map((line, row) => (held.includes(row) ? line.replace(/^\d+,\w+/, '1e9,violet') : line));
    const dataset = await load(poisoned, '-1e9,green,no\n');
    expect(dataset.preprocessor).toEqual(reference.preprocessor);
    const kept = [...TRAIN.keys()].filter((row) => !held.includes(row));
    const mean = kept.reduce((sum, row) => sum + row, 0) / kept.length;
    const variance = kept.reduce((sum, row) => sum + (row - mean) ** 2, 0) / kept.length;
    expect(dataset.preprocessor.features).toEqual([
      { type: 'number', name: 'x', center: mean, scale: expect.closeTo(Math.sqrt(variance), 10), fill: mean },
      { type: 'category', name: 'colour', values: ['blue', 'red'], missingAt: undefined },
    ]);
    const lacking = 'colour: value that the train split lacks, encoded as none';
    expect(dataset.cleaning).toEqual([
      { why: lacking, rows: 4, of: 'validation split' },
      { why: lacking, rows: 1, of: 'test' },
    ]);
    expect(rowsOf(dataset.test)[0]?.slice(1)).toEqual([0, 0]);
  });

  it.each([
    ['minmax01', [0, 0.5, 1]],
    ['minmax11', [-1, 0, 1]],
    ['robust', [-1, 0, 1]],
    ['none', [2, 4, 6]],
    ['zscore', [-Math.sqrt(1.5), 0, Math.sqrt(1.5)]],
  ])('normalises by %s', async (normalise, want) => {
    const { train } = await load(['2,a,no\n', '4,a,yes\n', '6,a,no\n'], '1,a,no\n', {
      data: { format: 'csv', train: 'train.csv', test: 'test.csv', validation: 0 },
      features: [{ name: 'x', type: 'number', normalise }],
    });
    expect(rowsOf(train).flat()).toEqual(want.map((value) => expect.closeTo(value, 6)));
  });

  it.each([
    [{ missing: 'mean' }, 4],
    [{ missing: 'median' }, 3],
    [{ missing: 'constant', fill: -1 }, -1],
  ])('fills missing numbers: %j', async (missing, want) => {
    const { train, cleaning } = await load(['2,a,no\n', '3,a,yes\n', '7,a,no\n', '?,a,no\n'], '1,a,no\n', {
      data: { format: 'csv', train: 'train.csv', test: 'test.csv', validation: 0 },
      features: [{ name: 'x', type: 'number', normalise: 'none', ...missing }],
    });
    expect(rowsOf(train).flat()).toEqual([2, 3, 7, want]);
    const why = `x: value is missing, filled with the ${missing.missing}`;
    expect(cleaning).toEqual([{ why, rows: 1, of: 'train split' }]);
  });

  it('gives missing categories an input of their own, or the constant, or none', async () => {
    const train = ['1,b,no\n', '2,?,yes\n', '3,a,no\n'];
    const encode = async (feature: JobText): Promise<number[][]> => {
      const data = { format: 'csv', train: 'train.csv', test: 'test.csv', validation: 0 };
      const dataset = await load(train, '1,,no\n', {
        data,
        features: [{ name: 'colour', type: 'category', ...feature }],
      });
      return [...rowsOf(dataset.train), ...rowsOf(dataset.test)];
    };
    expect(await encode({ missing: 'category' })).toEqual([
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(await encode({ missing: 'constant', fill: 'b' })).toEqual([
      [0, 1],
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
  });

  it('takes the positive class from the job', async () => {
    const classesWith = async (target: JobText): Promise<unknown> =>
      (await load(TRAIN, '1,red,no\n', { target: { name: 'label', type: 'binary', ...target } })).preprocessor.target;
    expect(await classesWith({})).toEqual({ type: 'binary', classes: ['no', 'yes'] });
    expect(await classesWith({ positive: 'no' })).toEqual({ type: 'binary', classes: ['yes', 'no'] });
    await expect(classesWith({ positive: 'maybe' })).rejects.toMatchObject({ exitCode: EXIT.badData });
  });

  it('names the file whose target has a class that training never saw', async () => {
    await expect(load(TRAIN, '1,red,no.\n')).rejects.toMatchObject({
      exitCode: EXIT.badData,
      message: `${join(folder, 'test.csv')}: target "label": expected a class of the training split (no, yes), found "no."`,
    });
  });

  it('refuses data of which nothing is left', async () => {
    await expect(load(TRAIN, '1,red,?\n')).rejects.toMatchObject({
      exitCode: EXIT.badData,
      message: `${join(folder, 'test.csv')}: no row is left to test with`,
    });
    await expect(load(['1,red,?\n'], '1,red,no\n')).rejects.toMatchObject({
      message: `${join(folder, 'train.csv')}: no row is left to train on`,
    });
    await expect(load(TRAIN.slice(0, 3), '1,red,no\n')).rejects.toMatchObject({
      message: `${join(folder, 'train.csv')}: too few rows to hold back 0.1 of each class`,
    });
  });

  it('has another fingerprint for other data', async () => {
    const first = await load(TRAIN, '1,red,no\n');
    const same = await load(TRAIN, '2,blue,yes\n');
    const other = await load([...TRAIN, '40,red,no\n'], '1,red,no\n');
    expect(same.fingerprint).toBe(first.fingerprint);
    expect(other.fingerprint).not.toBe(first.fingerprint);
  });

  describe(ShuffledBatches.name, () => {
    it('visits each row once an epoch, in another order each epoch, whatever batch is asked for first', async () => {
      const { train } = await load(TRAIN, '1,red,no\n', {
        features: [{ name: 'x', type: 'number', normalise: 'none' }],
      });
      const batches = new ShuffledBatches(train, 7, 5);
      expect(batches.stepsPerEpoch).toBe(6);
      const steps = Array.from({ length: 12 }, (_, step) => [...batches.at(step).inputs]);
      const [first, second] = [steps.slice(0, 6).flat(), steps.slice(6).flat()];
      const all = rowsOf(train).flat();
      expect(first).not.toEqual(second);
      for (const epoch of [first, second]) expect([...epoch].sort((a, b) => a - b)).toEqual(all);
      expect(steps[5]).toHaveLength(1);
      expect([...new ShuffledBatches(train, 7, 5).at(9).inputs]).toEqual(steps[9]);
    });
  });
});

function rowsOf(rows: EncodedRows | undefined): number[][] {
  if (rows === undefined) return [];
  const into = new Float32Array(rows.rowCount * rows.inputCount);
  rows.writeInputs(
    Uint32Array.from({ length: rows.rowCount }, (_, row) => row),
    into,
  );
  return Array.from({ length: rows.rowCount }, (_, row) => [
    ...into.subarray(row * rows.inputCount, (row + 1) * rows.inputCount),
  ]);
}

/** The x of an encoded row, in the units of the file. */
function xOf(row: readonly number[], { preprocessor }: Dataset): number {
  const [encoding] = preprocessor.features;
  if (encoding?.type !== 'number') throw new Error('x is a number');
  return (row[0] ?? 0) * encoding.scale + encoding.center;
}
