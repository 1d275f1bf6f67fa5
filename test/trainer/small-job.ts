import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JobSchema, type Job } from '../../src/trainer/contract.js';
import { randomFor } from '../../src/trainer/random.js';

/** A job in the form of its file; what is given replaces whole fields. */
export type JobText = Readonly<Record<string, unknown>>;

export const SMALL_JOB: JobText = {
  name: 'small',
  seed: 3,
  data: { format: 'csv', train: 'train.csv', test: 'test.csv', validation: 0.1 },
  features: [
    { name: 'x', type: 'number' },
    { name: 'y', type: 'number', normalise: 'minmax11' },
    { name: 'colour', type: 'category' },
  ],
  target: { name: 'label', type: 'binary', positive: 'yes' },
  model: { type: 'mlp', hidden: [8], dropout: 0.1 },
  train: { epochs: 4, batchSize: 16, optimizer: { type: 'adamw' }, schedule: { type: 'cosine', warmupSteps: 10 } },
  checkpoint: { everySteps: 10 },
};

export function aJob(changes: JobText = {}): Job {
  return JobSchema.parse({ ...SMALL_JOB, ...changes });
}

/** Rows that a small network learns: the label is `yes` where x + y is positive, or the colour is red. */
export function censusCsv(rowCount: number, seed: number): string {
  const random = randomFor(seed, 'census');
  const lines = Array.from({ length: rowCount }, () => {
    const [x, y] = [random.unit() * 4 - 2, random.unit() * 4 - 2];
    const colour = ['red', 'green', 'blue', '?'][random.below(4)] ?? '?';
    return `${x.toFixed(4)}, ${y.toFixed(4)}, ${colour}, ${x + y > 0 || colour === 'red' ? 'yes' : 'no'}`;
  });
  return ['x, y, colour, label', ...lines, ''].join('\n');
}

/** Writes a job with its data; JSON is YAML. Returns the path of the job file. */
export function writeSmallJob(folder: string, changes: JobText = {}, rowCount = 640): string {
  writeFileSync(join(folder, 'train.csv'), censusCsv(rowCount, 1));
  writeFileSync(join(folder, 'test.csv'), censusCsv(160, 2));
  const file = join(folder, 'job.yaml');
  writeFileSync(file, JSON.stringify({ ...SMALL_JOB, ...changes }, undefined, 2));
  return file;
}
