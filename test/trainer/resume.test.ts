import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT, TrainingReportSchema } from '../../src/trainer/contract.js';
import { randomFor } from '../../src/trainer/random.js';
import { writeSmallJob } from './small-job.js';
import { fingerprintOf, newestStep, runTrainer, TrainerProcess } from './trainer-process.js';

const STEPS_TOTAL = 75 * 40;
const KILLS = 3;
/** Less than training takes from one checkpoint to the next few. */
const KILL_MS_MAX = 100;
const SEED = 20_261_125;

describe('a training that is interrupted', () => {
  let folder: string;
  let file: string;
  let wanted: string;
  const running: TrainerProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-resume-'));
    // Without validation rows no epoch is the best, so checkpoints come at their steps only.
    file = writeSmallJob(folder, {
      data: { format: 'csv', train: 'train.csv', test: 'test.csv', validation: 0 },
      train: {
        epochs: 75,
        batchSize: 16,
        optimizer: { type: 'adamw', learningRate: 0.003 },
        schedule: { type: 'cosine', warmupSteps: 100 },
      },
      checkpoint: { everySteps: 200 },
    });
    const whole = await runTrainer({ file, out: join(folder, 'whole') });
    expect(whole.code).toBe(EXIT.done);
    wanted = fingerprintOf(join(folder, 'whole', 'checkpoints'));
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((trainer) => trainer.dispose()));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function start(name: string, environment: NodeJS.ProcessEnv = {}): TrainerProcess {
    const trainer = new TrainerProcess({ file, out: join(folder, name), environment });
    running.push(trainer);
    return trainer;
  }

  it('by SIGTERM saves, exits with 75, and goes on bit for bit', async () => {
    const checkpoints = join(folder, 'terminated', 'checkpoints');
    const first = start('terminated');
    await first.until('a checkpoint', () => newestStep(checkpoints) > 0);
    first.signal('SIGTERM');
    const { code, stdout } = await first.ended;
    expect(code).toBe(EXIT.preempted);
    const stoppedAt = Number(/stopped at step (\d+), checkpoint saved/.exec(stdout)?.[1]);
    expect(stoppedAt).toBe(newestStep(checkpoints));
    expect(stoppedAt).toBeLessThan(STEPS_TOTAL);

    const second = await start('terminated').ended;
    expect(second.code).toBe(EXIT.done);
    expect(second.stdout).toContain(`resumed from the checkpoint of step ${stoppedAt.toLocaleString('en-US')}\n`);
    expect(fingerprintOf(checkpoints)).toBe(wanted);
    const reportOf = (name: string): object => ({
      ...TrainingReportSchema.parse(JSON.parse(readFileSync(join(folder, name, 'report.json'), 'utf8'))),
      seconds: 0,
      resumedFromStep: 0,
    });
    expect(reportOf('terminated')).toEqual(reportOf('whole'));
    const curves = (name: string): string => readFileSync(join(folder, name, 'metrics.jsonl'), 'utf8');
    expect(curves('terminated')).toBe(curves('whole'));
  });

  it(`by kill -9 at ${KILLS} random points (seed ${SEED}) of its training ends with the same weights`, async () => {
    const checkpoints = join(folder, 'killed', 'checkpoints');
    const random = randomFor(SEED, 'kills');
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = newestStep(checkpoints);
      const trainer = start('killed');
      await trainer.until('a newer checkpoint', () => newestStep(checkpoints) > before);
      await delay(random.below(KILL_MS_MAX));
      trainer.signal('SIGKILL');
      expect((await trainer.ended).signal).toBe('SIGKILL');
    }
    const { code, stderr } = await start('killed').ended;
    expect({ code, stderr }).toEqual({ code: EXIT.done, stderr: '' });
    expect(newestStep(checkpoints)).toBe(STEPS_TOTAL);
    expect(fingerprintOf(checkpoints)).toBe(wanted);
  });

  it('in a pod goes on in the folder of its workload, as another incarnation', async () => {
    const home = join(folder, 'workload');
    const podOf = (incarnation: number): NodeJS.ProcessEnv => ({
      BERTH_WORKLOAD: 'w1',
      BERTH_INCARNATION: String(incarnation),
      BERTH_WORKLOAD_DIR: home,
    });
    const first = new TrainerProcess({ file, environment: podOf(1) });
    running.push(first);
    await first.until('a checkpoint', () => newestStep(join(home, 'checkpoints')) > 0);
    first.signal('SIGSTOP'); // as one that nobody can reach any more
    const second = new TrainerProcess({ file, environment: podOf(2) });
    running.push(second);
    await second.until('its marker', () => existsSync(join(home, 'checkpoints', 'incarnation-2.json')));
    // The first runs again: it finds the marker of the second, and ends without another word.
    first.signal('SIGCONT');
    expect(await first.ended).toMatchObject({
      code: EXIT.internal,
      stderr: 'incarnation 1 is over: incarnation 2 has begun here\n',
    });
    expect(await second.ended).toMatchObject({ code: EXIT.done, stderr: '' });
    expect(fingerprintOf(join(home, 'checkpoints'))).toBe(wanted);
    const curvesOf = (out: string): string => readFileSync(join(out, 'metrics.jsonl'), 'utf8');
    expect(curvesOf(home)).toBe(curvesOf(join(folder, 'whole')));
    const late = await runTrainer({ file, environment: podOf(1) });
    expect(late).toMatchObject({
      code: EXIT.internal,
      stderr: 'incarnation 1 is over: incarnation 2 has begun here\n',
    });
  });
});
