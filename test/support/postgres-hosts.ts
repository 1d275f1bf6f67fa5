import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { readPostmasterPid } from '../../src/server/database/postmaster-lock.js';
import { until } from './observation-log.js';
import { CHECKOUT } from './scratch-checkout.js';

/** It may have to make its data, or to copy the programs, on a machine that does other things too. */
const READY_WITHIN_MS = 40_000;

interface HostOptions {
  readonly directory: string;
  readonly rows?: boolean;
}

interface HostPlace {
  /** Another checkout than this one. */
  readonly checkout?: string;
  readonly account?: { readonly uid: number; readonly gid: number };
}

/** A process of its own with an embedded PostgreSQL. */
export class PostgresHost {
  private said = '';

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    }
  }

  get url(): string | undefined {
    return /^ready (.*)$/m.exec(this.said)?.[1];
  }

  /** The number of the last row that was committed. */
  get lastRow(): number {
    return Number(/row (\d+)\n(?!.*row)/.exec(this.said)?.[1] ?? 0);
  }

  async ready(): Promise<string> {
    return until('the host', () => this.url, { deadlineMs: READY_WITHIN_MS, state: () => this.said });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}

/** Hosts in folders of their own, and the certainty that nothing of them is left at the end. */
export class PostgresHosts {
  private readonly hosts: PostgresHost[] = [];
  private readonly directories: string[] = [];

  makeDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'berth-postgres-'));
    this.directories.push(directory);
    return directory;
  }

  spawn(options: HostOptions, { checkout = CHECKOUT, account }: HostPlace = {}): PostgresHost {
    const file = join(checkout, 'test', 'support', 'postgres-host.mjs');
    if (!existsSync(join(checkout, 'dist'))) throw new Error('dist/ is missing: run "npm run build"');
    const child = spawn(process.execPath, [file, JSON.stringify(options)], {
      ...account,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const host = new PostgresHost(child);
    this.hosts.push(host);
    return host;
  }

  /** Of all hosts and of the servers that they leave behind. */
  async end(): Promise<void> {
    for (const host of this.hosts.splice(0)) await host.end('SIGKILL');
    for (const directory of this.directories) {
      const pid = postmasterOf(directory);
      if (pid !== undefined) await killProcess(pid);
    }
  }

  removeDirectories(): void {
    for (const directory of this.directories.splice(0)) {
      rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
    }
  }
}

/** Undefined when no server runs there. */
export function postmasterOf(directory: string): number | undefined {
  const pid = readPostmasterPid(join(directory, 'data'));
  return pid !== undefined && isRunning(pid) ? pid : undefined;
}

/** Those whose standard output is a file below this folder, oldest first; Linux only. */
export function processesWritingTo(directory: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && outputOf(pid).startsWith(`${directory}/`))
    .sort((a, b) => a - b);
}

function outputOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/1`);
  } catch {
    return ''; // gone meanwhile
  }
}

export async function killProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(`the end of ${pid}`, () => !isRunning(pid));
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
