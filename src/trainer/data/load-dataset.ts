import { createHash } from 'node:crypto';
import { EXIT } from '../contract.js';
import { outliersOf, type Job } from '../job.schema.js';
import { TrainerError } from '../trainer-error.js';
import {
  clipOutliers,
  dropDuplicateRows,
  dropIncompleteRows,
  dropOutliers,
  fitBounds,
  type Bounds,
  type CleaningNote,
} from './clean-table.js';
import { EncodedRows } from './encoded-rows.js';
import { describeFilling, fitPreprocessor, type Preprocessor } from './preprocessor.js';
import { readCsv } from './read-csv.js';
import { splitRows } from './split-rows.js';
import { takeRows, type Table } from './table.js';

export interface Dataset {
  readonly train: EncodedRows;
  readonly validation: EncodedRows | undefined;
  readonly test: EncodedRows | undefined;
  readonly preprocessor: Preprocessor;
  readonly cleaning: readonly CleaningNote[];
  /** Of the training file and of what was learnt from it: a checkpoint fits only the data it was made from. */
  readonly fingerprint: string;
}

export interface DataFiles {
  readonly train: string;
  readonly test: string | undefined;
}

/** Reads, cleans, splits and encodes, in this order; what is fitted is fitted on the training split only. */
export async function loadDataset(files: DataFiles, job: Job): Promise<Dataset> {
  const read = await readCsv(files.train, job);
  const complete = dropIncompleteRows(read.table, job.features, 'train');
  const unique =
    job.clean.duplicates === 'drop' ? dropDuplicateRows(complete.table, 'train') : { table: complete.table, notes: [] };
  const split = splitRows(unique.table.target, job.data.validation, job.seed);
  if (split.train.length === 0) throw new TrainerError(EXIT.badData, `${files.train}: no row is left to train on`);
  if (job.data.validation > 0 && split.validation.length === 0) {
    throw new TrainerError(
      EXIT.badData,
      `${files.train}: too few rows to hold back ${job.data.validation} of each class`,
    );
  }
  const rules = outliersOf(job);
  const bounds = fitBounds(takeRows(unique.table, split.train), rules);
  const inliers = dropOutliers(takeRows(unique.table, split.train), rules, bounds);
  const preparation = { job, preprocessor: fitPreprocessor(clipped(inliers.table, job, bounds), job, bounds) };
  const train = prepare(inliers.table, { of: 'train split', file: files.train }, preparation);
  const validation =
    split.validation.length === 0
      ? undefined
      : prepare(takeRows(unique.table, split.validation), { of: 'validation split', file: files.train }, preparation);
  const test = files.test === undefined ? undefined : await prepareTest(files.test, preparation);
  const parts = [complete, unique, inliers, train, ...(validation ? [validation] : []), ...(test ? [test] : [])];
  return {
    train: train.rows,
    validation: validation?.rows,
    test: test?.rows,
    preprocessor: preparation.preprocessor,
    cleaning: parts.flatMap(({ notes }) => notes),
    fingerprint: createHash('sha256')
      .update(read.sha256)
      .update(JSON.stringify(preparation.preprocessor))
      .digest('hex'),
  };
}

interface Preparation {
  readonly job: Job;
  readonly preprocessor: Preprocessor;
}

interface Prepared {
  readonly rows: EncodedRows;
  readonly notes: readonly CleaningNote[];
}

/** Test rows are never judged by cleaning, except where a row cannot be scored at all. */
async function prepareTest(file: string, preparation: Preparation): Promise<Prepared> {
  const { table } = await readCsv(file, preparation.job);
  const complete = dropIncompleteRows(table, preparation.job.features, 'test');
  if (complete.table.rowCount === 0) throw new TrainerError(EXIT.badData, `${file}: no row is left to test with`);
  const prepared = prepare(complete.table, { of: 'test', file }, preparation);
  return { rows: prepared.rows, notes: [...complete.notes, ...prepared.notes] };
}

interface Origin {
  readonly of: string;
  readonly file: string;
}

function prepare(table: Table, { of, file }: Origin, { job, preprocessor }: Preparation): Prepared {
  const clip = clipOutliers(table, outliersOf(job), { bounds: preprocessor.bounds, of });
  const rows = EncodedRows.from(clip.table, preprocessor, file);
  const filled = describeFilling(clip.table, job).map((note) => ({ ...note, of }));
  const unseen = rows.unseen.map(({ name, rows: count }) => ({
    why: `${name}: value that the train split lacks, encoded as none`,
    rows: count,
    of,
  }));
  return { rows, notes: [...clip.notes, ...filled, ...unseen] };
}

function clipped(table: Table, job: Job, bounds: readonly Bounds[]): Table {
  return clipOutliers(table, outliersOf(job), { bounds, of: '' }).table;
}
