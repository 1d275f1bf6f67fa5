import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT } from '../contract.js';
import type { Checkpoint } from './checkpoint-files.js';
import { CheckpointStore, type StoreOptions } from './checkpoint-store.js';

describe(CheckpointStore.name, () => {
  let folder: string;
  let warnings: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-checkpoints-'));
    warnings = [];
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function open(incarnation: number | undefined, options: Partial<StoreOptions> = {}): CheckpointStore {
    const preprocessor = {
      features: [],
      target: { type: 'binary', classes: ['no', 'yes'] },
      bounds: [],
      inputCount: 0,
    } as const;
    const warn = (message: string): void => void warnings.push(message);
    return CheckpointStore.open({
      folder,
      incarnation,
      keep: 3,
      job: 'job',
      fingerprint: 'f',
      preprocessor,
      warn,
      ...options,
    });
  }

  function at(step: number, best?: { epoch: number; loss: number; checkpoint: string }): Checkpoint {
    const tally = { rows: step, loss: 0.1 + 0.2, hits: 1 };
    const state = { job: 'job', fingerprint: 'f', step, seconds: 1, epochs: [], tally, ...(best ? { best } : {}) };
    const part = (name: string): Checkpoint['arrays'][number] => ({
      name,
      shape: [2],
      values: Float32Array.of(step, 0.1),
    });
    return { state, arrays: ['w', 'w/m', 'w/v'].map(part) };
  }

  const saved = (): string[] =>
    readdirSync(folder)
      .filter((name) => /^\d/.test(name))
      .sort();

  it('begins with nothing, and goes on from the newest checkpoint, whole', () => {
    const first = open(1);
    expect(first.inherited).toBeUndefined();
    for (const step of [10, 20]) first.save(at(step));
    expect(open(1).inherited).toEqual(at(20));
    expect(open(2).inherited).toEqual(at(20));
  });

  it('keeps the newest, and the best that any of these knows', () => {
    const store = open(1, { keep: 2 });
    store.save(at(10));
    const best = { epoch: 1, loss: 0.3, checkpoint: '1-20' };
    for (const step of [20, 30, 40, 50]) store.save(at(step, best));
    expect(saved()).toEqual(['1-20', '1-40', '1-50']);
    store.save(at(60, { ...best, epoch: 2, checkpoint: '1-60' }));
    expect(saved()).toEqual(['1-20', '1-50', '1-60']);
    store.save(at(70, { ...best, epoch: 2, checkpoint: '1-60' }));
    expect(saved()).toEqual(['1-60', '1-70']);
  });

  const damages: Record<string, (checkpoint: string) => void> = {
    'a bit is flipped in the weights': (checkpoint) => {
      const file = join(checkpoint, 'weights.safetensors');
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      writeFileSync(file, bytes);
    },
    'the optimiser state is cut off': (checkpoint) => {
      truncateSync(join(checkpoint, 'optimizer.safetensors'), 100);
    },
    'the state is emptied': (checkpoint) => {
      truncateSync(join(checkpoint, 'state.json'));
    },
    'the manifest is missing': (checkpoint) => {
      rmSync(join(checkpoint, 'manifest.json'));
    },
  };

  it.each(Object.entries(damages))('skips one where %s, says so, and takes the one before', (_title, damage) => {
    const store = open(1);
    for (const step of [10, 20, 30]) store.save(at(step));
    damage(join(folder, '1-30'));
    expect(open(2).inherited?.state.step).toBe(20);
    expect(warnings).toEqual([expect.stringContaining(`checkpoint ${join(folder, '1-30')} is damaged and skipped: `)]);
    expect(saved()).toEqual(['1-10', '1-20']);
  });

  it('does not stumble over an older damaged one that it does not need', () => {
    const store = open(1);
    for (const step of [10, 20]) store.save(at(step));
    truncateSync(join(folder, '1-10', 'state.json'));
    expect(open(2).inherited?.state.step).toBe(20);
  });

  it('begins anew where all are damaged, and removes what was left half written', () => {
    open(1).save(at(10));
    truncateSync(join(folder, '1-10', 'manifest.json'));
    mkdirSync(join(folder, '1-20.tmp'));
    const second = open(2);
    expect(second.inherited).toBeUndefined();
    second.save(at(5));
    expect(saved()).toEqual(['2-5']);
    expect(readFileSync(join(folder, 'incarnation-2.json'), 'utf8')).toBe('{"incarnation":2}\n');
  });

  it('fences an older incarnation off: it may not begin, nor save, and removes nothing of the newer', () => {
    const old = open(1);
    old.save(at(10));
    const next = open(2);
    expect(JSON.parse(readFileSync(join(folder, 'incarnation-2.json'), 'utf8'))).toEqual({
      incarnation: 2,
      inherits: '1-10',
    });
    next.save(at(20));
    const over = { exitCode: EXIT.internal, message: 'incarnation 1 is over: incarnation 2 has begun here' };
    expect(() => old.save(at(30))).toThrow(expect.objectContaining(over));
    expect(() => {
      old.finish();
    }).toThrow(expect.objectContaining(over));
    expect(() => open(1)).toThrow(expect.objectContaining(over));
    expect(saved()).toEqual(['1-10', '2-20']);
  });

  it('ignores and removes what an older incarnation has added since', () => {
    open(1).save(at(10));
    open(2);
    // As a pod would that was cut off from the folder's news: the same files, past the fence.
    mkdirSync(join(folder, '1-90'));
    expect(open(3).inherited?.state.step).toBe(10);
    expect(saved()).toEqual(['1-10']);
  });

  it('numbers runs that nobody numbers, and begins a finished training anew', () => {
    const first = open(undefined);
    expect(first.nameAt(5)).toBe('0-5');
    first.save(at(10));
    const second = open(undefined);
    expect(second.nameAt(5)).toBe('1-5');
    expect(second.inherited?.state.step).toBe(10);
    second.finish();
    const third = open(undefined);
    expect(third.inherited).toBeUndefined();
    expect(saved()).toEqual(['0-10']); // what there is, until there is something else
    third.save(at(5));
    expect(saved()).toEqual(['2-5']);
  });

  it('lets a numbered incarnation find the end of a finished training, whose report may be lost', () => {
    const first = open(1);
    first.save(at(10));
    first.finish();
    expect(open(2).inherited?.state.step).toBe(10);
  });

  it('refuses the folder of another job', () => {
    open(1).save(at(10));
    expect(() => open(2, { job: 'other' })).toThrow(
      expect.objectContaining({
        exitCode: EXIT.badConfig,
        message: `${folder} holds checkpoints of job "job": choose another folder for "other"`,
      }),
    );
  });

  it('begins anew for another version of the job, and goes on when the change is taken back before it saved', () => {
    open(1).save(at(10));
    expect(open(2, { fingerprint: 'g' }).inherited).toBeUndefined();
    expect(warnings).toEqual([
      'checkpoint 1-10 is of another version of this job or of its data: training starts anew',
    ]);
    expect(open(3).inherited?.state.step).toBe(10);
  });

  it('keeps what another version saved until it has as many of its own', () => {
    const other = open(1);
    for (const step of [10, 20]) other.save(at(step));
    const store = open(2, { fingerprint: 'g', keep: 2 });
    const save = (step: number): void => {
      const { state, arrays } = at(step);
      store.save({ state: { ...state, fingerprint: 'g' }, arrays });
    };
    expect(saved()).toEqual(['1-10', '1-20']);
    save(5);
    expect(saved()).toEqual(['1-20', '2-5']);
    save(15);
    expect(saved()).toEqual(['2-15', '2-5']);
    expect(open(2, { fingerprint: 'h' }).inherited).toBeUndefined();
    expect(saved()).toEqual([]);
  });

  it('leaves a checkpoint alone that the system could not read', () => {
    open(1).save(at(10));
    const weights = join(folder, '1-10', 'weights.safetensors');
    renameSync(weights, `${weights}.away`);
    symlinkSync('weights.safetensors', weights);
    expect(() => open(2)).toThrow(expect.objectContaining({ code: 'ELOOP' }));
    renameSync(`${weights}.away`, weights);
    expect(open(2).inherited?.state.step).toBe(10);
  });

  it('removes the markers that no checkpoint needs any more, and says of a damaged one what to do', () => {
    const marker = (incarnation: number): string => join(folder, `incarnation-${incarnation}.json`);
    open(1).save(at(10));
    open(2).save(at(20));
    const third = open(3, { keep: 1 });
    third.save(at(30));
    expect([1, 2, 3].map((incarnation) => existsSync(marker(incarnation)))).toEqual([false, false, true]);
    truncateSync(marker(3));
    expect(() => open(4)).toThrow(
      expect.objectContaining({
        exitCode: EXIT.badData,
        message: `${marker(3)} is damaged: it says which checkpoints count; remove it to go on from those before it`,
      }),
    );
  });
});
