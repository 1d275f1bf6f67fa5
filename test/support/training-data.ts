import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrainingReportSchema, type Job, type TrainingReport } from '../../src/trainer/contract.js';
import { aJob, censusCsv } from '../trainer/small-job.js';
import { fingerprintOf, runTrainer } from '../trainer/trainer-process.js';

const ROWS = 2000;

/** What must not depend on how often a training was interrupted, and where it ran. */
export interface TrainingResult {
  readonly report: Omit<TrainingReport, 'backend' | 'seconds' | 'resumedFromStep'>;
  /** Of weights, optimiser and curves. */
  readonly fingerprint: string;
}

/** Data of a training that takes long enough to be disturbed in its middle: 113 steps an epoch. */
export class TrainingData {
  private readonly folder = mkdtempSync(join(tmpdir(), 'berth-training-'));

  constructor() {
    writeFileSync(join(this.folder, 'train.csv'), censusCsv(ROWS, 1));
    writeFileSync(join(this.folder, 'test.csv'), censusCsv(ROWS / 10, 2));
  }

  job(epochs: number): Job {
    return aJob({
      data: {
        format: 'csv',
        train: join(this.folder, 'train.csv'),
        test: join(this.folder, 'test.csv'),
        validation: 0.1,
      },
      train: { epochs, batchSize: 16, optimizer: { type: 'adamw' }, schedule: { type: 'cosine', warmupSteps: 100 } },
      checkpoint: { everySteps: 200 },
    });
  }

  /** What the job comes to where nothing disturbs it: trained here and now, without any server. */
  async undisturbed(epochs: number): Promise<TrainingResult> {
    const [file, out] = [join(this.folder, 'job.yaml'), join(this.folder, 'undisturbed')];
    writeFileSync(file, JSON.stringify(this.job(epochs))); // JSON is YAML
    const { code, stderr } = await runTrainer({ file, out });
    if (code !== 0) throw new Error(`the trainer ended with ${String(code)}: ${stderr}`);
    const report = TrainingReportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
    return resultOf(report, join(out, 'checkpoints'));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export function resultOf(report: TrainingReport, checkpoints: string): TrainingResult {
  const { backend: _backend, seconds: _seconds, resumedFromStep: _step, ...same } = report;
  return { report: same, fingerprint: fingerprintOf(checkpoints) };
}
