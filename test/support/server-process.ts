import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { ApiClient } from '../../src/cli/api-client.js';
import { freePort } from './free-port.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const READY_MS_MAX = 120_000; // it only ends what hangs

export interface ServerFiles {
  /** Texts of a fleet and a quota file; the demo's by default. */
  readonly fleet?: string;
  readonly quotas?: string;
  /** The default policy by default. */
  readonly policy?: string;
  /** The address of the database; by default each server has one of its own. */
  readonly database?: string;
  /** Of `berth server`, beside those. */
  readonly options?: readonly string[];
}

/**
 * A Berth server as an operator runs it: the compiled program in a process of its own, with its own data directory,
 * embedded database and configuration file, all in one temporary folder. It can be killed and started again.
 */
export class ServerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-server-'));
  private child: ChildProcess | undefined;
  private address: URL | undefined;
  private port: number | undefined;
  private readonly log: string[] = [];

  private constructor(private readonly files: ServerFiles) {}

  static async start(files: ServerFiles = {}): Promise<ServerProcess> {
    const server = new ServerProcess(files);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.remove();
      throw error;
    }
  }

  get url(): string {
    if (this.address === undefined) throw new Error('the server has not been started');
    return this.address.origin;
  }

  /** The operator's token, as the server saved it for the command line. */
  get token(): string {
    const file: unknown = parse(readFileSync(this.configurationFile, 'utf8'));
    const { contexts } = file as { contexts: { token: string }[] };
    const [context] = contexts;
    if (context === undefined) throw new Error('the server saved no token');
    return context.token;
  }

  get client(): ApiClient {
    return new ApiClient({ server: this.url, token: this.token });
  }

  get configurationFile(): string {
    return join(this.folder, 'config.yaml');
  }

  get dataDirectory(): string {
    return join(this.folder, 'data');
  }

  get pid(): number {
    const { pid } = this.child ?? {};
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  /** Entries of the server's log, each a JSON text. */
  get logLines(): readonly string[] {
    return this.log;
  }

  /** On the port of the last start, so that pods of before find it. */
  async start(): Promise<void> {
    this.port ??= await freePort();
    const args = ['server', '--data-dir', this.dataDirectory, '--port', String(this.port)];
    args.push(...(this.files.options ?? []));
    for (const name of ['fleet', 'quotas', 'policy'] as const) {
      const text = this.files[name];
      if (text === undefined) continue;
      const file = join(this.folder, `${name}.yaml`);
      writeFileSync(file, text);
      args.push(`--${name}`, file);
    }
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, BERTH_CONFIG: this.configurationFile, DATABASE_URL: this.files.database ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.address = new URL(await this.listening(child));
  }

  /** Freezes it with `SIGSTOP`, until `SIGCONT`. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.pid, signal);
  }

  /** As the kernel does it when memory is short: nothing of the server gets to say anything. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As an operator does it; the exit code. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** Stops what runs and removes the folder. */
  async remove(): Promise<void> {
    // A database that outlived a killed server is stopped by the next one that adopts it.
    if (this.child?.signalCode === 'SIGKILL' && this.files.database === undefined) await this.start();
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  }

  private async listening(child: ChildProcess): Promise<string> {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('the server has no output');
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`the server is not ready after ${READY_MS_MAX} ms:\n${this.log.join('\n')}`));
      }, READY_MS_MAX);
      createInterface(stderr).on('line', (line) => this.log.push(line));
      createInterface(stdout).on('line', (line) => {
        this.log.push(line);
        const url = line.startsWith('{') ? listeningUrl(line) : undefined;
        if (url === undefined) return;
        clearTimeout(late);
        resolve(url);
      });
      child.once('exit', (code) => {
        clearTimeout(late);
        reject(new Error(`the server ended with ${String(code)}:\n${this.log.join('\n')}`));
      });
    });
  }
}

function listeningUrl(line: string): string | undefined {
  const entry = JSON.parse(line) as { msg?: string; url?: string };
  return entry.msg === 'listening' ? entry.url : undefined;
}
