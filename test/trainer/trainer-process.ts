import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpointName } from '../../src/trainer/checkpoint/lineage.js';
import { until } from '../support/observation-log.js';
import { CHECKOUT } from '../support/scratch-checkout.js';

/** The compiled program, as a pod runs it. */
const PROGRAM = join(CHECKOUT, 'dist', 'trainer', 'main.js');
/** One process of several suites must not wait for the whole machine. */
const DEADLINE_MS = 120_000;

export interface TrainerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TrainerArguments {
  readonly file: string;
  readonly out?: string;
  readonly more?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** A real run of the trainer. */
export class TrainerProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<TrainerEnd>;
  private readonly child: ChildProcess;

  constructor({ file, out, more = [], environment = {} }: TrainerArguments) {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run "npm run build"`);
    const place = out === undefined ? [] : ['--out', out];
    this.child = spawn(process.execPath, [PROGRAM, '--file', file, ...place, ...more], {
      // Nothing of a pod that may run these tests.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for a condition, which the end of the process must not come before. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    await until(what, () => isSo() || !this.isRunning, {
      deadlineMs: DEADLINE_MS,
      state: () => ({ stdout: this.stdout, stderr: this.stderr }),
    });
    if (!isSo()) throw new Error(`the trainer ended before ${what}: ${this.stdout}${this.stderr}`);
  }

  /** For the end of a test, whatever became of it. */
  async dispose(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

export async function runTrainer(trainer: TrainerArguments): Promise<TrainerEnd> {
  return new TrainerProcess(trainer).ended;
}

/** The highest step of which a whole checkpoint is there; 0 where there is none. */
export function newestStep(checkpoints: string): number {
  return newest(checkpoints)?.step ?? 0;
}

/** SHA-256 of the weights, the optimiser state and the curves of the newest checkpoint. */
export function fingerprintOf(checkpoints: string): string {
  const { name } = newest(checkpoints) ?? {};
  if (name === undefined) throw new Error(`no checkpoint in ${checkpoints}`);
  const hash = createHash('sha256');
  for (const file of ['weights.safetensors', 'optimizer.safetensors']) {
    hash.update(readFileSync(join(checkpoints, name, file)));
  }
  const state: unknown = JSON.parse(readFileSync(join(checkpoints, name, 'state.json'), 'utf8'));
  const { step, epochs } = state as { step: number; epochs: unknown };
  return hash.update(JSON.stringify({ step, epochs })).digest('hex');
}

function newest(checkpoints: string): { readonly name: string; readonly step: number } | undefined {
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return names
    .flatMap((name) => {
      const parsed = parseCheckpointName(name);
      return parsed === undefined ? [] : [{ name, ...parsed }];
    })
    .sort((a, b) => b.step - a.step || b.incarnation - a.incarnation)[0];
}
