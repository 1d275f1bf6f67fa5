import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT } from '../contract.js';
import type { Preprocessor } from '../data/preprocessor.js';
import { errorCode, TrainerError } from '../trainer-error.js';
import { bestKnownTo, isDamage, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint-files.js';
import { writeFileDurably } from './durable-files.js';
import { checkpointName, lineOf, parseCheckpointName, type Marker } from './lineage.js';

const MarkerSchema = z.strictObject({ incarnation: z.int().min(0), inherits: z.string().optional() });
const FINISHED = 'finished.json';

export interface StoreOptions {
  readonly folder: string;
  /** Undefined for a run that nobody numbers: the next one free, and a finished training is begun anew. */
  readonly incarnation: number | undefined;
  readonly keep: number;
  readonly job: string;
  readonly fingerprint: string;
  readonly preprocessor: Preprocessor;
  readonly warn: (message: string) => void;
}

/** The checkpoints of one incarnation of one job, in a folder that other incarnations may also write to. */
export class CheckpointStore {
  private constructor(
    private readonly options: StoreOptions,
    private readonly incarnation: number,
    /** What to go on from, where there is something. */
    readonly inherited: Checkpoint | undefined,
  ) {}

  /** Chooses what to go on from, and writes the marker that fences older incarnations off. */
  static open(options: StoreOptions): CheckpointStore {
    const { folder } = options;
    mkdirSync(folder, { recursive: true });
    const newest = newestIncarnation(folder);
    const incarnation = options.incarnation ?? newest + 1;
    if (newest > incarnation) throw superseded(incarnation, newest);
    const startsAnew = options.incarnation === undefined && existsSync(join(folder, FINISHED));
    const found = startsAnew ? undefined : newestReadable(options, currentLine(folder, newest));
    if (newest < incarnation) {
      const marker = { incarnation, ...(found === undefined ? {} : { inherits: found.name }) };
      writeFileDurably(markerFile(folder, incarnation), `${JSON.stringify(marker)}\n`);
    }
    rmSync(join(folder, FINISHED), { force: true });
    const inherited = found === undefined ? undefined : usable(found, options);
    const store = new CheckpointStore(options, incarnation, inherited);
    if (inherited !== undefined) store.prune();
    // What others left stays until this run has saved something itself; its own names it will use again.
    else removeCheckpoints(folder, (name) => parseCheckpointName(name)?.incarnation === incarnation);
    return store;
  }

  /** The name that a checkpoint of this step gets. */
  nameAt(step: number): string {
    return checkpointName({ incarnation: this.incarnation, step });
  }

  /** Writes a checkpoint, and removes those that are neither among the last `keep` nor the best; returns its path. */
  save(checkpoint: Checkpoint): string {
    this.refuseIfSuperseded();
    const path = join(this.options.folder, this.nameAt(checkpoint.state.step));
    try {
      writeCheckpoint(path, checkpoint, this.options.preprocessor);
    } finally {
      // Writing takes time: a newer incarnation may have removed the files meanwhile, and pruning may be its part by now.
      this.refuseIfSuperseded();
    }
    this.prune();
    return path;
  }

  read(name: string): Checkpoint {
    return readCheckpoint(join(this.options.folder, name));
  }

  /** Notes that nothing is left to resume. */
  finish(): void {
    this.refuseIfSuperseded();
    writeFileDurably(join(this.options.folder, FINISHED), `${JSON.stringify({ incarnation: this.incarnation })}\n`);
  }

  /** To be called before anything is written that the incarnations share. */
  refuseIfSuperseded(): void {
    const newest = newestIncarnation(this.options.folder);
    if (newest > this.incarnation) throw superseded(this.incarnation, newest);
  }

  /** Keeps the newest of the line, and the best that each of these knows: any of them may be gone on from. */
  private prune(): void {
    const { folder, keep } = this.options;
    const newest = currentLine(folder, this.incarnation).slice(0, keep);
    const kept = new Set([...newest, ...newest.flatMap((name) => bestKnownTo(join(folder, name)) ?? [])]);
    removeCheckpoints(folder, (name) => !kept.has(name));
    // The line ends at the oldest that is kept.
    const oldest = Math.min(
      this.incarnation,
      ...[...kept].flatMap((name) => parseCheckpointName(name)?.incarnation ?? []),
    );
    for (const incarnation of incarnationsIn(folder)) {
      if (incarnation < oldest) rmSync(markerFile(folder, incarnation), { force: true });
    }
  }
}

/** Also half-written ones, which end in `.tmp`. */
function removeCheckpoints(folder: string, isUnwanted: (name: string) => boolean): void {
  for (const name of readdirSync(folder)) {
    const isCheckpoint = parseCheckpointName(name.replace(/\.tmp$/, '')) !== undefined;
    if (isCheckpoint && isUnwanted(name)) removeFolder(join(folder, name));
  }
}

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    // An older incarnation is writing into it at this moment; the next pruning takes it.
    if (errorCode(error) !== 'ENOTEMPTY') throw error;
  }
}

interface Found {
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

function newestReadable({ folder, job, warn }: StoreOptions, names: readonly string[]): Found | undefined {
  for (const name of names) {
    const checkpoint = readOrWarn(join(folder, name), warn);
    if (checkpoint === undefined) continue;
    if (checkpoint.state.job === job) return { name, checkpoint };
    const message = `${folder} holds checkpoints of job "${checkpoint.state.job}": choose another folder for "${job}"`;
    throw new TrainerError(EXIT.badConfig, message);
  }
  return undefined;
}

/** One of another version is not gone on from, but stays in the line: whoever takes the change back goes on from it. */
function usable({ name, checkpoint }: Found, { fingerprint, warn }: StoreOptions): Checkpoint | undefined {
  if (checkpoint.state.fingerprint === fingerprint) return checkpoint;
  warn(`checkpoint ${name} is of another version of this job or of its data: training starts anew`);
  return undefined;
}

function readOrWarn(folder: string, warn: (message: string) => void): Checkpoint | undefined {
  try {
    return readCheckpoint(folder);
  } catch (error) {
    if (!isDamage(error)) throw error;
    warn(`checkpoint ${folder} is damaged and skipped: ${error instanceof Error ? error.message : String(error)}`);
    removeFolder(folder);
    return undefined;
  }
}

function currentLine(folder: string, incarnation: number): readonly string[] {
  return lineOf(incarnation, (one) => readMarker(folder, one), readdirSync(folder));
}

function readMarker(folder: string, incarnation: number): Marker | undefined {
  const file = markerFile(folder, incarnation);
  try {
    const marker = MarkerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { incarnation: marker.incarnation, inherits: marker.inherits };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (!isDamage(error)) throw error;
    const message = `${file} is damaged: it says which checkpoints count; remove it to go on from those before it`;
    throw new TrainerError(EXIT.badData, message);
  }
}

/** By their markers; -1 where there is none. */
function newestIncarnation(folder: string): number {
  return Math.max(-1, ...incarnationsIn(folder));
}

function incarnationsIn(folder: string): readonly number[] {
  return readdirSync(folder).flatMap((name) => {
    const match = /^incarnation-(\d{1,15})\.json$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

function markerFile(folder: string, incarnation: number): string {
  return join(folder, `incarnation-${incarnation}.json`);
}

function superseded(own: number, newest: number): TrainerError {
  return new TrainerError(EXIT.internal, `incarnation ${own} is over: incarnation ${newest} has begun here`);
}
