import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT } from './contract.js';
import { readJobFile } from './job-file.js';
import { TrainerError } from './trainer-error.js';

const RIGHT = `name: small
data: { format: csv, train: train.csv, validation: 0.2 }
features:
  - { name: x, type: number }
  - { name: colour, type: category }
target: { name: label, type: binary }
model: { type: mlp, hidden: [4] }
train: { epochs: 2 }
`;

describe(readJobFile.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-job-'));
    writeFileSync(join(folder, 'train.csv'), 'x,colour,label\n1,red,yes\n');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(text: string): string {
    const file = join(folder, 'job.yaml');
    writeFileSync(file, text);
    return file;
  }

  async function refusal(text: string): Promise<{ exitCode: number; lines: string[] }> {
    const file = write(text);
    const error: unknown = await readJobFile(file).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof TrainerError)) throw new Error(`not refused: ${String(error)}`);
    return { exitCode: error.exitCode, lines: error.message.replaceAll(`${file}:`, '').split('\n') };
  }

  it('fills in what is not said, and starts relative paths at the job file', async () => {
    const { job, files } = await readJobFile(write(RIGHT));
    expect(files).toEqual({ train: join(folder, 'train.csv'), test: undefined });
    expect(job.train).toMatchObject({
      batchSize: 32,
      optimizer: { type: 'adam', learningRate: 0.001, epsilon: 1e-7 },
      schedule: { type: 'constant', warmupSteps: 0 },
    });
    expect(job.features[0]).toMatchObject({ normalise: 'zscore', missing: 'mean' });
    expect(job.checkpoint).toEqual({ everySteps: 500, keep: 3, dir: './checkpoints' });
  });

  it.each(['file://elsewhere/train.csv', 'file:///a%2Fb.csv'])('refuses %s, which is no path here', async (train) => {
    expect(await refusal(RIGHT.replace('train.csv', train))).toEqual({
      exitCode: EXIT.badConfig,
      lines: [expect.stringContaining('data.train: must be a path of this machine')],
    });
  });

  it('takes a file:// path', async () => {
    const url = `file://${join(folder, 'train.csv')}`;
    const { files } = await readJobFile(write(RIGHT.replace('train.csv', url)));
    expect(files.train).toBe(join(folder, 'train.csv'));
  });

  it('reports five mistakes at once, each at its line', async () => {
    const { exitCode, lines } = await refusal(`name: Small Job
data: { format: csv, train: train.csv, validation: 0.2 }
features:
  - { name: x, type: number, normalize: zscore }
  - { name: x, type: number }
target: { name: label, type: binary }
model: { type: mlp, hidden: [4] }
train: { epochs: 0 }
evaluate: { metrics: [accuracy, mae] }
`);
    expect(exitCode).toBe(EXIT.badConfig);
    expect(lines).toEqual([
      '1:1: name: must be 1 to 63 lower-case letters, digits or dashes',
      '4:30: features.0.normalize: is not a known field',
      '5:7: features.1.name: names "x" a second time',
      expect.stringMatching(/^8:10: train\.epochs: /),
      '9:33: evaluate.metrics.1: "mae" does not fit a binary target; use accuracy, precision, recall, f1, rocAuc',
    ]);
  });

  const cases: Record<string, { change: readonly [string, string]; want: string }> = {
    'an unknown field is named': {
      change: ['train: { epochs: 2 }', 'train: { epochs: 2 }\naugment: []'],
      want: '9:1: augment: is not a known field',
    },
    'a model must not see its target': {
      change: ['name: colour, type: category', 'name: label, type: category'],
      want: '5:7: features.1.name: "label" is the target: a model must not see it',
    },
    'a column that the data lacks': {
      change: ['name: colour', 'name: color'],
      want: '5:7: features.1.name: train.csv has no column "color"; it has x, colour, label',
    },
    'outliers are of number features': {
      change: [
        'train: { epochs: 2 }',
        'train: { epochs: 2 }\nclean: { outliers: { column: colour, method: iqr, action: clip } }',
      ],
      want: '9:22: clean.outliers.column: "colour" is not a number feature of this job',
    },
    'without validation rows a test file is needed': {
      change: ['validation: 0.2', 'validation: 0'],
      want: '2:1: data.test: is required where data.validation is 0: nothing else tests',
    },
    'a constant needs its value': {
      change: ['name: x, type: number', 'name: x, type: number, missing: constant'],
      want: '4:5: features.0.fill: goes with "missing: constant", and is required there',
    },
  };

  it.each(Object.entries(cases))('%s', async (_title, { change: [from, to], want }) => {
    expect(await refusal(RIGHT.replace(from, to))).toEqual({ exitCode: EXIT.badConfig, lines: [want] });
  });

  it('points at early stop when there is nothing to watch', async () => {
    const text = RIGHT.replace('validation: 0.2', 'test: train.csv, validation: 0').replace(
      'epochs: 2',
      'epochs: 2, earlyStop: { patience: 3 }',
    );
    expect((await refusal(text)).lines).toEqual(['8:21: train.earlyStop: needs data.validation above 0 to watch']);
  });

  it('says that a file is missing with an exit code of its own', async () => {
    await expect(readJobFile(join(folder, 'absent.yaml'))).rejects.toMatchObject({
      exitCode: EXIT.missingResource,
      message: `${join(folder, 'absent.yaml')}: the job file cannot be read (ENOENT)`,
    });
    expect(await refusal(RIGHT.replace('train.csv', 'absent.csv'))).toEqual({
      exitCode: EXIT.missingResource,
      lines: [`${join(folder, 'absent.csv')}: cannot be read (ENOENT)`],
    });
  });
});
