import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aJob } from '../../../test/trainer/small-job.js';
import { EXIT } from '../contract.js';
import { readCsv, readCsvHeader } from './read-csv.js';

const JOB = aJob({
  data: { format: 'csv', train: 'train.csv', validation: 0.1 },
  features: [
    { name: 'age', type: 'number' },
    { name: 'job', type: 'category' },
  ],
  target: { name: 'income', type: 'binary' },
});

describe(readCsv.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-csv-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(content: string | Buffer, name = 'data.csv'): string {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  }

  it('takes the columns of the job by name, in the order of the job', async () => {
    const file = write('\uFEFFincome, spare, job, age\nyes, 1, "a, b", 3.5\n\nno, 2, ?, \nyes, 3, c, -1e3\n');
    const { table } = await readCsv(file, JOB);
    expect(table.rowCount).toBe(3);
    expect(table.features).toEqual([
      { kind: 'number', name: 'age', values: Float64Array.of(3.5, Number.NaN, -1000) },
      { kind: 'category', name: 'job', codes: Int32Array.of(0, -1, 1), names: ['a, b', 'c'] },
    ]);
    expect(table.target).toEqual({
      kind: 'category',
      name: 'income',
      codes: Int32Array.of(0, 1, 0),
      names: ['yes', 'no'],
    });
  });

  it('reads gzip, and fingerprints the file as stored', async () => {
    const text = 'age,job,income\n1,a,yes\n';
    const plain = await readCsv(write(text), JOB);
    const zipped = await readCsv(write(gzipSync(text), 'data.csv.gz'), JOB);
    expect(zipped.table).toEqual(plain.table);
    expect(zipped.sha256).not.toBe(plain.sha256);
    expect(plain.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('grows over many rows', async () => {
    const lines = Array.from({ length: 5000 }, (_, row) => `${row},j${row % 7},${row % 2 === 0 ? 'yes' : 'no'}`);
    const { table } = await readCsv(write(['age,job,income', ...lines].join('\n')), JOB);
    expect(table.rowCount).toBe(5000);
    expect(table.features[0]).toMatchObject({ values: Float64Array.from({ length: 5000 }, (_, row) => row) });
  });

  const corrupt: Record<string, { content: string | Buffer; name?: string; want: string }> = {
    'a word for a number': {
      content: 'age,job,income\n1,a,yes\nold,a,yes\n',
      want: ':3: column 1 "age": expected a number, found "old"',
    },
    'infinity for a number': {
      content: 'age,job,income\nInfinity,a,yes\n',
      want: ':2: column 1 "age": expected a number, found "Infinity"',
    },
    'a field too few, after an empty line': {
      content: 'age,job,income\n\n1,a\n',
      want: ':3: expected 3 fields, found 2',
    },
    'a field too many': { content: 'age,job,income\n1,a,yes,more\n', want: ':2: expected 3 fields, found 4' },
    'a quote that is never closed': {
      content: 'age,job,income\n1,"a,yes\n',
      want: ':2: expected CSV, Quote Not Closed',
    },
    'a column that is missing': {
      content: 'age,income\n1,yes\n',
      want: ':1: expected a column "job", found age, income',
    },
    'a column that is there twice': {
      content: 'age,job,income,age\n1,a,yes,2\n',
      want: ':1: expected one column "age", found two',
    },
    'no line at all': { content: '', want: ':1: expected a header line, found an empty file' },
    'no row': { content: 'age,job,income\n', want: ':2: expected at least one row after the header' },
    'text that is no gzip': {
      content: 'age,job,income\n',
      name: 'data.csv.gz',
      want: ': expected a whole gzip file, found a damaged one (Z_DATA_ERROR)',
    },
    'gzip that is cut off': {
      content: gzipSync('age,job,income\n1,a,yes\n').subarray(0, 30),
      name: 'data.csv.gz',
      want: ': expected a whole gzip file, found a damaged one (Z_BUF_ERROR)',
    },
  };

  it.each(Object.entries(corrupt))('refuses %s, and says where', async (_title, { content, name, want }) => {
    const file = write(content, name);
    await expect(readCsv(file, JOB)).rejects.toMatchObject({
      exitCode: EXIT.badData,
      message: expect.stringContaining(`${file}${want}`),
    });
  });

  it('says that a file is missing', async () => {
    const file = join(folder, 'absent.csv');
    const want = { exitCode: EXIT.missingResource, message: `${file}: cannot be read (ENOENT)` };
    await expect(readCsv(file, JOB)).rejects.toMatchObject(want);
    await expect(readCsvHeader(file)).rejects.toMatchObject(want);
  });

  it('reads the names of a large file without its rows', async () => {
    const file = write(`age, job, income\n${'1,a,yes\n'.repeat(200_000)}old`);
    expect(await readCsvHeader(file)).toEqual(['age', 'job', 'income']);
    expect(await readCsvHeader(write(gzipSync('a,b\n'), 'h.csv.gz'))).toEqual(['a', 'b']);
  });
});
