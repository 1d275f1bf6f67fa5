import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT, TrainingReportSchema } from '../../src/trainer/contract.js';
import { SMALL_JOB, censusCsv, writeSmallJob } from './small-job.js';
import { runTrainer } from './trainer-process.js';

describe('a training run', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-run-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('trains, evaluates and reports', async () => {
    const train = { epochs: 8, batchSize: 16, optimizer: { type: 'adam', learningRate: 0.01 } };
    const file = writeSmallJob(folder, { train });
    const out = join(folder, 'out');
    const { code, stdout, stderr } = await runTrainer({ file, out });
    expect({ code, stderr }).toEqual({ code: EXIT.done, stderr: '' });

    const report = TrainingReportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
    const accuracy = report.test['accuracy'] ?? 0;
    expect(accuracy).toBeGreaterThan(0.9);
    expect(stdout).toMatch(/\nepoch 8\/8 {2}loss \d\.\d{4} {2}accuracy .* samples\/s {2}ETA 0\.0 s\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`Test accuracy: ${accuracy.toFixed(4)}`);

    expect(report.rows).toEqual({ train: 576, validation: 64, test: 160 });
    expect(report.classes).toEqual(['no', 'yes']);
    const [[noNo = 0, noYes = 0] = [], [yesNo = 0, yesYes = 0] = []] = report.confusion;
    expect(noNo + noYes + yesNo + yesYes).toBe(160);
    expect((noNo + yesYes) / 160).toBe(accuracy);
    expect(report.cleaning.map(({ of, why }) => `${of}: ${why}`)).toEqual(
      ['train split', 'validation split', 'test'].map(
        (of) => `${of}: colour: value is missing, kept as a category of its own`,
      ),
    );

    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    const logged: unknown[] = lines.map((line): unknown => JSON.parse(line));
    expect(logged).toEqual(report.epochs.map(({ epoch, metrics }) => ({ epoch, ...metrics })));
    expect(report.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);

    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html).toContain(`<div class="value">${accuracy.toFixed(4)}</div>`);
    expect(html).toContain(`>${noYes}<small>`);
    expect(html.match(/<svg /g)).toHaveLength(2);
  });

  it('repeats itself bit for bit, and lets no word of the data become markup', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    const file = writeSmallJob(folder, { target: { name: 'label', type: 'binary' } });
    for (const name of ['train.csv', 'test.csv']) {
      writeFileSync(join(folder, name), readFileSync(join(folder, name), 'utf8').replaceAll('yes', hostile));
    }
    const outs = ['a', 'b'].map((name) => join(folder, name));
    for (const out of outs) expect((await runTrainer({ file, out })).code).toBe(EXIT.done);
    const [first, second] = outs.map((out) => {
      const report = TrainingReportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
      return { ...report, seconds: 0 };
    });
    expect(first).toEqual(second);
    const html = readFileSync(join(folder, 'a', 'report.html'), 'utf8');
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    // It is served in a sandbox, and sent by mail: no script, nothing loaded; the rest are name spaces of SVG.
    expect(html).not.toMatch(/<script|<link|@import/);
    expect(html.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:\/\//);
  });

  it('learns a number too, and scores the validation rows where there is no test file', async () => {
    const file = writeSmallJob(folder, {
      data: { format: 'csv', train: 'train.csv', validation: 0.2 },
      features: [{ name: 'x', type: 'number' }],
      target: { name: 'y', type: 'number' },
      model: { type: 'mlp', hidden: [4], activation: 'tanh' },
    });
    const rows = Array.from({ length: 200 }, (_, row) => `${row / 100},${3 * (row / 100) + 5}`);
    writeFileSync(join(folder, 'train.csv'), ['x,y', ...rows].join('\n'));
    const { code, stdout } = await runTrainer({ file, out: join(folder, 'out') });
    expect(code).toBe(EXIT.done);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^Validation mean absolute error: \d/);
    expect(stdout).toMatch(/Validation R²: 0\.\d{4}/);
  });

  describe('ends with a sentence and writes nothing', () => {
    function corrupt(line: number, text: string): string {
      const file = writeSmallJob(folder);
      const lines = censusCsv(640, 1).split('\n');
      lines[line - 1] = text;
      writeFileSync(join(folder, 'train.csv'), lines.join('\n'));
      return file;
    }

    it('when a row of the data is corrupt: file, line, column, exit 65', async () => {
      const { code, stderr, stdout } = await runTrainer({
        file: corrupt(417, '1.5, abc, red, yes'),
        out: join(folder, 'out'),
      });
      expect(code).toBe(EXIT.badData);
      const place = `${join(folder, 'train.csv')}:417: column 2 "y"`;
      expect(stderr).toBe(`${place}: expected a number, found "abc"\n`);
      expect(stdout).toBe('');
      expect(readdirSync(join(folder, 'out'))).toEqual([]);
    });

    it('when the data is missing: exit 69', async () => {
      const file = writeSmallJob(folder);
      rmSync(join(folder, 'test.csv'));
      const { code, stderr } = await runTrainer({ file });
      expect(code).toBe(EXIT.missingResource);
      expect(stderr).toBe(`${join(folder, 'test.csv')}: cannot be read (ENOENT)\n`);
      expect(existsSync(join(folder, 'runs'))).toBe(false);
    });

    it('when the job file has mistakes: all of them, with lines, exit 64', async () => {
      const file = join(folder, 'job.yaml');
      writeFileSync(
        file,
        'name: A B\nseeds: 1\nmodel: { type: cnn }\ntrain: { epochs: ten }\ntarget: { name: y, type: binary }\n',
      );
      const { code, stderr } = await runTrainer({ file });
      expect(code).toBe(EXIT.badConfig);
      const places = stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(`${file}:`, '').replace(/^(\d+):\d+: ([a-z.]+): .*/, '$1 $2'));
      expect(places.sort()).toEqual(['1 data', '1 features', '1 name', '2 seeds', '3 model.type', '4 train.epochs']);
      expect(readdirSync(folder)).toEqual(['job.yaml']);
    });

    it('when the loss is no number any more', async () => {
      const optimizer = { type: 'adam', learningRate: 1e38 };
      const file = writeSmallJob(folder, { train: { epochs: 2, optimizer } });
      const { code, stderr } = await runTrainer({ file, out: join(folder, 'out') });
      expect(code).toBe(EXIT.badConfig);
      expect(stderr).toMatch(/^the loss is no longer a number after step \d+: lower train\.optimizer\.learningRate/);
      expect(existsSync(join(folder, 'out', 'report.json'))).toBe(false);
    });

    it('when devices were allocated that the backend cannot use, unless they are virtual', async () => {
      const file = writeSmallJob(folder, { train: { epochs: 1 } });
      const run = (virtual: string): ReturnType<typeof runTrainer> =>
        runTrainer({ file, environment: { BERTH_DEVICES: '0,1', BERTH_VIRTUAL_DEVICES: virtual } });
      const real = await run('0');
      expect(real.code).toBe(EXIT.internal);
      expect(real.stderr).toBe('devices 0, 1 were allocated, but backend wasm cannot use them; ask for no devices\n');
      const virtual = await run('1');
      expect(virtual.code).toBe(EXIT.done);
      expect(virtual.stdout).toContain('CPU (virtual devices 0, 1)');
    });
  });

  it('only looks when asked to check', async () => {
    const file = writeSmallJob(folder);
    const good = await runTrainer({ file, more: ['--check'] });
    expect(good).toMatchObject({
      code: EXIT.done,
      stdout: `${file}: job small is right: 3 features, target label (binary)\n`,
    });
    expect(readdirSync(folder).sort()).toEqual(['job.yaml', 'test.csv', 'train.csv']);
    writeFileSync(file, JSON.stringify({ ...SMALL_JOB, target: { name: 'lable', type: 'binary' } }));
    const bad = await runTrainer({ file, more: ['--check'] });
    expect(bad.code).toBe(EXIT.badConfig);
    expect(bad.stderr).toContain('has no column "lable"; it has x, y, colour, label');
  });

  it('is stopped in order also when it has hardly begun', async () => {
    const asSoonAsItListens = `
      process.once('newListener', (name) => setImmediate(() => name === 'SIGTERM' && process.kill(process.pid, name)));`;
    const preload = `--import=data:text/javascript,${encodeURIComponent(asSoonAsItListens)}`;
    const { code } = await runTrainer({ file: 'is-not-there.yaml', environment: { NODE_OPTIONS: preload } });
    expect(code).toBe(EXIT.preempted);
  });

  it('refuses an option that it does not know', async () => {
    const { code, stderr } = await runTrainer({ file: 'job.yaml', more: ['--backend', 'cuda'] });
    expect({ code, stderr }).toEqual({ code: EXIT.badConfig, stderr: '--backend cuda is not known; wasm is\n' });
  });
});
