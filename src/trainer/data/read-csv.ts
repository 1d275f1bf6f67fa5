import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { parse, CsvError, type Parser } from 'csv-parse';
import { EXIT } from '../contract.js';
import type { Job } from '../job.schema.js';
import { errorCode, TrainerError } from '../trainer-error.js';
import { categoryColumn, numberColumn, type ColumnBuilder } from './column-builder.js';
import type { Table } from './table.js';

export interface CsvFile {
  readonly table: Table;
  /** SHA-256 of the file as stored: a checkpoint belongs to the data it was made from. */
  readonly sha256: string;
}

const RECORD_BYTES_MAX = 1024 * 1024;

/** Reads the columns that the job names from a CSV file with a header line, `.gz` or not; streams, row by row. */
export async function readCsv(file: string, job: Pick<Job, 'features' | 'target'>): Promise<CsvFile> {
  const hash = createHash('sha256');
  const fingerprint = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
  const rows = new RowReader(file, job);
  const parser = csvParser((record, line) => {
    rows.read(record, line);
  });
  try {
    await (file.endsWith('.gz')
      ? pipeline(createReadStream(file), fingerprint, createGunzip(), parser, discard())
      : pipeline(createReadStream(file), fingerprint, parser, discard()));
  } catch (error) {
    throw explain(file, error);
  }
  return { table: rows.finish(), sha256: hash.digest('hex') };
}

/** The names in the header line; reads no more of the file than that takes. */
export async function readCsvHeader(file: string): Promise<readonly string[]> {
  const source: Readable = createReadStream(file);
  const parser = parse({ ...PARSING, to: 1 });
  const piping = file.endsWith('.gz') ? pipeline(source, createGunzip(), parser) : pipeline(source, parser);
  piping.catch(() => undefined); // the same error reaches the reader below
  try {
    for await (const record of parser) return asTexts(record);
  } catch (error) {
    throw explain(file, error);
  } finally {
    source.destroy();
  }
  throw new TrainerError(EXIT.badData, `${file}:1: expected a header line, found an empty file`);
}

const PARSING = { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true } as const;

function csvParser(onRecord: (record: readonly string[], line: number) => void): Parser {
  return parse({
    ...PARSING,
    max_record_size: RECORD_BYTES_MAX,
    on_record: (record: unknown, { lines }) => {
      onRecord(asTexts(record), lines);
      return undefined; // kept by the columns: nothing is to be buffered by the parser
    },
  });
}

/** Takes what the parser gives, which is nothing; without a reader it would stop. */
function discard(): Writable {
  return new Writable({
    objectMode: true,
    write(_record, _encoding, done) {
      done();
    },
  });
}

function asTexts(record: unknown): readonly string[] {
  if (!Array.isArray(record)) throw new Error('the CSV parser gave no fields');
  return record as readonly string[];
}

interface Place {
  readonly builder: ColumnBuilder;
  readonly index: number;
  readonly name: string;
}

/** Checks each record against the header and the job, and hands its fields to the columns. */
class RowReader {
  private header: readonly string[] | undefined;
  private places: readonly Place[] = [];
  private readonly builders: readonly ColumnBuilder[];
  private rowCount = 0;

  constructor(
    private readonly file: string,
    private readonly job: Pick<Job, 'features' | 'target'>,
  ) {
    this.builders = [...job.features, job.target].map(({ type, name }) =>
      type === 'number' ? numberColumn(name) : categoryColumn(name),
    );
  }

  read(record: readonly string[], line: number): void {
    if (this.header === undefined) {
      this.start(record);
      return;
    }
    if (record.length !== this.header.length) {
      this.fail(line, `expected ${this.header.length} fields, found ${record.length}`);
    }
    for (const { builder, index, name } of this.places) {
      const text = record[index] ?? '';
      const outcome = builder.add(text);
      if (outcome.kind === 'added') continue;
      this.fail(line, `column ${index + 1} "${name}": expected ${outcome.expected}, found "${text.slice(0, 80)}"`);
    }
    this.rowCount += 1;
  }

  finish(): Table {
    if (this.header === undefined) this.fail(1, 'expected a header line, found an empty file');
    if (this.rowCount === 0) this.fail(2, 'expected at least one row after the header');
    const columns = this.builders.map((builder) => builder.build());
    const target = columns.at(-1);
    if (target === undefined) throw new Error('a table has a target');
    return { rowCount: this.rowCount, features: columns.slice(0, -1), target };
  }

  private start(header: readonly string[]): void {
    this.header = header;
    this.places = [...this.job.features, this.job.target].map(({ name }, position) => {
      const index = header.indexOf(name);
      const builder = this.builders[position];
      if (header.includes(name, index + 1)) this.fail(1, `expected one column "${name}", found two`);
      if (index < 0 || builder === undefined) this.fail(1, `expected a column "${name}", found ${header.join(', ')}`);
      return { builder, index, name };
    });
  }

  private fail(line: number, problem: string): never {
    throw new TrainerError(EXIT.badData, `${this.file}:${line}: ${problem}`);
  }
}

/** Says which file, and whose fault it is, for the errors of the file system, zlib and the parser. */
function explain(file: string, error: unknown): unknown {
  if (error instanceof CsvError) {
    const line = typeof error['lines'] === 'number' ? `:${error['lines']}` : '';
    return new TrainerError(EXIT.badData, `${file}${line}: expected CSV, ${error.message}`);
  }
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES') {
    return new TrainerError(EXIT.missingResource, `${file}: cannot be read (${code})`);
  }
  if (code.startsWith('Z_')) {
    return new TrainerError(EXIT.badData, `${file}: expected a whole gzip file, found a damaged one (${code})`);
  }
  return error;
}
