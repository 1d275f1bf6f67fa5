import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binariesFolder } from './binaries.mjs';
import { endRecorded, hasDied, recordedPid, recordProcess } from './recorded-process.mjs';

export interface ProgramPlan {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves. Asked again and again, and may throw while nobody listens. */
  readonly isReady: () => Promise<boolean>;
}

/**
 * One program of the rig: a process of its own that outlives ours, with a log, and a record of who it is. Both are files
 * in the folder, which is also its home, so that it reads nobody's configuration.
 */
export class Program {
  constructor(
    private readonly folder: string,
    readonly plan: ProgramPlan,
  ) {}

  get hasDied(): boolean {
    return hasDied(this.record);
  }

  async start(): Promise<void> {
    const { name, args, env } = this.plan;
    const log = openSync(this.log, 'a');
    try {
      const child = spawn(join(binariesFolder(), name), args, {
        cwd: this.folder,
        detached: true,
        env: { PATH: process.env['PATH'], HOME: this.folder, ...env },
        stdio: ['ignore', log, log],
      });
      // Without a number there is no process, and the next line throws the reason.
      if (child.pid !== undefined) recordProcess(this.record, child.pid);
      await once(child, 'spawn');
      child.unref();
    } finally {
      closeSync(log);
    }
  }

  get pid(): number {
    const pid = recordedPid(this.record);
    if (pid === undefined) throw new Error(`${this.plan.name} does not run`);
    return pid;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** At once and surely, also when it is frozen; nothing happens when it has ended. */
  async end(): Promise<void> {
    await endRecorded(this.record);
  }

  /** The line of the log that tells best why it ended. */
  lastWords(): string {
    const lines = existsSync(this.log) ? readFileSync(this.log, 'utf8').trim().split('\n') : [];
    const complaint = lines.findLast((line) =>
      /command failed|^Error|^flag |"level":"(error|fatal|panic)"|^panic/i.test(line),
    );
    return (complaint ?? lines.at(-1) ?? '').trim() || 'its log is empty';
  }

  private get record(): string {
    return join(this.folder, `${this.plan.name}.pid`);
  }

  private get log(): string {
    return join(this.folder, `${this.plan.name}.log`);
  }
}
