import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../src/cli/api-client.js';
import { readClientConfiguration } from '../../src/cli/client-configuration.js';
import { until } from './observation-log.js';
import { CHECKOUT } from './scratch-checkout.js';

const PROGRAM = join(CHECKOUT, 'dist', 'cli', 'main.js');
/** With initdb, on a machine that does other things too. */
const START_MS_MAX = 90_000;

/** `berth server` as its users run it: a process with its own database, fleet and configuration, to be killed at will. */
export class BerthProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-server-'));
  private child: ChildProcess | undefined;
  private said = '';
  private port = 0;

  /** Starts it, the first time on any free port and then on the same one again. */
  async start(): Promise<void> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run "npm run build"`);
    this.said = '';
    const args = [PROGRAM, 'server', '--data-dir', join(this.folder, 'data'), '--port', String(this.port)];
    const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
      env: { ...process.env, BERTH_CONFIG: this.configurationFile, DATABASE_URL: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    }
    await until('the server', () => this.isListening(child), { deadlineMs: START_MS_MAX, state: () => this.said });
    this.port = Number(new URL((await this.client()).server).port);
  }

  /** A client with the token of the operator, as the command line would have it. */
  async client(): Promise<ApiClient> {
    const { contexts } = await readClientConfiguration(this.configurationFile);
    const context = contexts[0];
    if (context === undefined) throw new Error(`the server has not written ${this.configurationFile}`);
    return new ApiClient({ server: context.server, token: context.token });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async dispose(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get configurationFile(): string {
    return join(this.folder, 'config.yaml');
  }

  private isListening(child: ChildProcess): boolean {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${this.said}`);
    return this.said.includes('"listening"');
  }
}
