import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The checkout that the tests belong to. */
export const CHECKOUT = join(import.meta.dirname, '..', '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own with some of the checkout's files, for tests of the tools that live in a checkout. */
export class ScratchCheckout {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-checkout-'));

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  write(files: Readonly<Record<string, string>>): this {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(this.path(path)), { recursive: true });
      writeFileSync(this.path(path), content);
    }
    return this;
  }

  copy(...paths: readonly string[]): this {
    for (const path of paths) cpSync(join(CHECKOUT, path), this.path(path), { recursive: true });
    return this;
  }

  /** All packages, without installing them again. */
  linkNodeModules(): this {
    symlinkSync(join(CHECKOUT, 'node_modules'), this.path('node_modules'));
    return this;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return runNode(args, { cwd: this.folder, env });
  }
}

/** Runs Node to its end, with standard input closed. */
export function runNode(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (chunks.stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (chunks.stderr += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, ...chunks });
    });
  });
}
