import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { NamedArray } from '../backend/backend.js';
import { EpochSchema } from '../contract.js';
import type { Preprocessor } from '../data/preprocessor.js';
import { errorCode } from '../trainer-error.js';
import { writeFolderDurably } from './durable-files.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/**
 * Where a training stands, besides its arrays. Shuffling and dropout are drawn by seed and step, so the step is the
 * whole random state and data cursor.
 */
export const TrainingStateSchema = z.strictObject({
  job: z.string(),
  /** Of the job and its data: a checkpoint continues only what it was made by. */
  fingerprint: z.string(),
  step: z.int().min(0),
  seconds: z.number().min(0),
  epochs: z.array(EpochSchema),
  /** Sums of the epoch that is under way. */
  tally: z.strictObject({ rows: z.number(), loss: z.number(), hits: z.number() }),
  best: z.strictObject({ epoch: z.int(), loss: z.number(), checkpoint: z.string() }).optional(),
});
export type TrainingState = z.infer<typeof TrainingStateSchema>;

export interface Checkpoint {
  readonly state: TrainingState;
  readonly arrays: readonly NamedArray[];
}

const StateBestSchema = TrainingStateSchema.pick({ best: true }).loose();
const ManifestSchema = z.strictObject({ sha256: z.record(z.string(), z.string()) });
const WEIGHTS = 'weights.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const STATE = 'state.json';

export function writeCheckpoint(folder: string, { state, arrays }: Checkpoint, preprocessor: Preprocessor): void {
  const files = {
    [WEIGHTS]: encodeSafetensors(arrays.filter(isWeight)),
    [OPTIMIZER]: encodeSafetensors(arrays.filter((array) => !isWeight(array))),
    [STATE]: Buffer.from(`${JSON.stringify(state, undefined, 2)}\n`),
    'preprocess.json': Buffer.from(`${JSON.stringify(preprocessor)}\n`),
  };
  const sha256 = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, digest(bytes)]));
  writeFolderDurably(folder, { ...files, 'manifest.json': `${JSON.stringify({ sha256 }, undefined, 2)}\n` });
}

/** Throws where any file is missing, damaged or not what this version writes. */
export function readCheckpoint(folder: string): Checkpoint {
  const manifest = ManifestSchema.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const read = (name: string): Buffer => {
    const bytes = readFileSync(join(folder, name));
    if (digest(bytes) !== manifest.sha256[name]) throw new Error(`${name} differs from its SHA-256`);
    return bytes;
  };
  const state = TrainingStateSchema.parse(JSON.parse(read(STATE).toString('utf8')));
  return { state, arrays: [WEIGHTS, OPTIMIZER].flatMap((name) => decodeSafetensors(read(name))) };
}

/** The best checkpoint by the time this one was written; undefined where there is none, or this one is damaged. */
export function bestKnownTo(folder: string): string | undefined {
  try {
    return StateBestSchema.parse(JSON.parse(readFileSync(join(folder, STATE), 'utf8'))).best?.checkpoint;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined; // whoever goes on from it finds the damage, says so and takes the one before
  }
}

/** Whether reading failed by what a file holds, or lacks; a disk or a system that fails says nothing about the file. */
export function isDamage(error: unknown): boolean {
  const isOfTheSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  return !isOfTheSystem || errorCode(error) === 'ENOENT';
}

/** Optimiser state is named after its weight, with a suffix. */
function isWeight({ name }: NamedArray): boolean {
  return !/\/[mv]$/.test(name);
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
