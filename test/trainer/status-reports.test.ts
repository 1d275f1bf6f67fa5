import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/trainer/contract.js';
import { freePort } from '../support/free-port.js';
import { writeSmallJob, type JobText } from './small-job.js';
import { StatusServer, type Received, type StatusAnswer } from './status-server.js';
import { newestStep, TrainerProcess } from './trainer-process.js';

const ACCEPTED: StatusAnswer = { status: 200, reply: { round: 0, worldSize: 1 } };
/** More epochs than any test waits for. */
const ENDLESS: JobText = { train: { epochs: 100_000, batchSize: 16 }, checkpoint: { everySteps: 1000 } };

describe('a pod and its control plane', () => {
  let folder: string;
  let tokenFile: string;
  const open: { dispose: () => Promise<void> }[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-status-'));
    tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first\n');
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.dispose()));
    rmSync(folder, { recursive: true });
  });

  function serverThat(answer: (received: Received) => StatusAnswer): StatusServer {
    const server = new StatusServer(answer);
    open.push({ dispose: () => server.close() });
    return server;
  }

  function start(
    url: string,
    job: JobText = {},
    { rowCount, incarnation = 3 }: { readonly rowCount?: number; readonly incarnation?: number } = {},
  ): TrainerProcess {
    const trainer = new TrainerProcess({
      file: writeSmallJob(folder, job, rowCount),
      environment: {
        BERTH_WORKLOAD: 'w1',
        BERTH_POD: `w1-${incarnation}-worker-0`,
        BERTH_INCARNATION: String(incarnation),
        BERTH_WORKLOAD_DIR: join(folder, 'home'),
        BERTH_STATUS_URL: url,
        BERTH_STATUS_TOKEN_FILE: tokenFile,
      },
    });
    open.push(trainer);
    return trainer;
  }

  it('tells phases, epochs, speed and time left, and the report last', async () => {
    const server = serverThat(() => ACCEPTED);
    const { code, stderr } = await start(await server.open()).ended;
    expect({ code, stderr, refused: server.refused }).toEqual({ code: EXIT.done, stderr: '', refused: [] });
    const { reports } = server;
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, index) => index + 1));
    for (const report of reports) {
      expect(report).toMatchObject({ workload: 'w1', pod: 'w1-3-worker-0', incarnation: 3, rank: 0 });
    }
    const steps = reports.map(({ step }) => step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(reports[0]?.phase).toBe('loading');
    expect(reports.flatMap(({ epochs = [] }) => epochs.map(({ epoch }) => epoch))).toEqual([1, 2, 3, 4]);
    const last = reports.at(-1);
    expect(last).toMatchObject({ phase: 'done', step: 4 * 36, stepsTotal: 4 * 36, remainingSeconds: 0 });
    expect(last?.samplesPerSecond).toBeGreaterThan(0);
    expect(last?.backend).toMatch(/^wasm \d+\.\d+\.\d+, CPU$/);
    expect(last?.checkpoint).toEqual({ step: 4 * 36, path: join(folder, 'home', 'checkpoints', `3-${4 * 36}`) });
    expect(last?.report?.epochs).toHaveLength(4);
    expect(last?.reportHtml).toContain('<!doctype html>');
    expect(reports.filter(({ report }) => report !== undefined)).toHaveLength(1);
  });

  it('gives the time left while it trains, and reads its token anew for each call', async () => {
    const server = serverThat(() => {
      writeFileSync(tokenFile, `after-${server.received.length}`);
      return ACCEPTED;
    });
    const trainer = start(await server.open(), ENDLESS);
    await trainer.until('a heartbeat with a time left', () =>
      server.reports.some(({ phase, remainingSeconds = 0 }) => phase === 'training' && remainingSeconds > 0),
    );
    await trainer.dispose();
    const tokens = server.received.map(({ authorization }) => authorization);
    expect(tokens.length).toBeGreaterThan(2);
    expect(tokens).toEqual(['Bearer first', ...tokens.slice(1).map((_, index) => `Bearer after-${index + 1}`)]);
  });

  it('exits at once on 409, and writes nothing more', async () => {
    const server = serverThat(({ report }) => (report.epochs === undefined ? ACCEPTED : { status: 409 }));
    const { code, stderr } = await start(await server.open(), ENDLESS).ended;
    expect(code).toBe(EXIT.internal);
    expect(stderr).toBe('a newer incarnation of this workload has begun; this one ends without writing\n');
    expect(server.reports.filter(({ epochs }) => epochs !== undefined)).toHaveLength(1);
    expect(server.reports.at(-1)).toMatchObject({ phase: 'training' });
    expect(existsSync(join(folder, 'home', 'report.json'))).toBe(false);
  });

  it('saves and ends when it is asked to stop', async () => {
    const server = serverThat(({ report }) => ({
      status: 200,
      reply: { round: 0, worldSize: 1, ...(report.epochs === undefined ? {} : { stop: true }) },
    }));
    const { code } = await start(await server.open(), ENDLESS).ended;
    expect(code).toBe(EXIT.preempted);
    expect(newestStep(join(folder, 'home', 'checkpoints'))).toBe(server.reports.at(-1)?.checkpoint?.step);
  });

  it('ends at once when it is told to while it reads its data: there is nothing to save', async () => {
    const trainers: TrainerProcess[] = [];
    const server = serverThat(() => {
      for (const trainer of trainers) trainer.signal('SIGTERM');
      return ACCEPTED;
    });
    const trainer = start(await server.open(), ENDLESS, { rowCount: 100_000 });
    trainers.push(trainer);
    const { code, stdout } = await trainer.ended;
    expect(code).toBe(EXIT.preempted);
    expect(stdout).toBe('stopped before its first step; the same command goes on from there\n');
    expect(newestStep(join(folder, 'home', 'checkpoints'))).toBe(0);
  });

  it('does not tell epochs again that were refused', async () => {
    const server = serverThat(({ report }) => (report.epochs === undefined ? ACCEPTED : { status: 400 }));
    const { code } = await start(await server.open()).ended;
    expect(code).toBe(EXIT.done);
    const told = server.reports.flatMap(({ epochs = [] }) => epochs.map(({ epoch }) => epoch));
    expect(told).toEqual([...new Set(told)]);
    expect(server.reports.at(-1)?.report?.epochs).toHaveLength(4);
  });

  it('says why it failed', async () => {
    const server = serverThat(() => ACCEPTED);
    const url = await server.open();
    const features = [{ name: 'colour', type: 'number' }];
    const inThread = await start(url, { features }).ended;
    const inFile = await start(url, { features: [{ name: 'color', type: 'category' }] }).ended;
    expect([inThread.code, inFile.code]).toEqual([EXIT.badData, EXIT.badConfig]);
    const failures = server.reports.flatMap(({ failure }) => failure ?? []);
    expect(failures.map((failure) => `${failure}\n`)).toEqual([inThread.stderr, inFile.stderr]);
    expect(server.reports.at(-1)?.phase).toBe('failed');
  });

  it('trains without a control plane, and tells all of it when it comes back', async () => {
    const port = await freePort();
    const trainer = start(`http://127.0.0.1:${port}/status`);
    await trainer.until('the report', () => existsSync(join(folder, 'home', 'checkpoints', 'finished.json')));
    const server = serverThat(() => ACCEPTED);
    await server.open(port);
    const { code, stderr } = await trainer.ended;
    expect(code).toBe(EXIT.done);
    expect(stderr).toMatch(
      /^warning: the control plane does not answer \(.*ECONNREFUSED.*\); training goes on\nwarning: the control plane answers again\n$/,
    );
    const last = server.reports.at(-1);
    expect(last?.epochs).toHaveLength(4);
    expect(last?.report?.test['accuracy']).toBeGreaterThan(0.5);
  });

  it('is preempted when it is asked to end before its report was taken, and hands it over the next time', async () => {
    const port = await freePort();
    const trainer = start(`http://127.0.0.1:${port}/status`);
    await trainer.until('the report', () => existsSync(join(folder, 'home', 'checkpoints', 'finished.json')));
    trainer.signal('SIGTERM');
    const { code, stderr } = await trainer.ended;
    expect(code).toBe(EXIT.preempted);
    expect(stderr).toContain('the control plane did not take the last report');
    const server = serverThat(() => ACCEPTED);
    const next = start(await server.open(), {}, { incarnation: 4 });
    expect((await next.ended).code).toBe(EXIT.done);
    expect(server.reports.at(-1)?.report?.resumedFromStep).toBeGreaterThan(0);
    expect(server.reports.at(-1)?.report?.test['accuracy']).toBeGreaterThan(0.5);
  });
});
