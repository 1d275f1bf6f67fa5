import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { databaseErrorOf } from './database-error.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { DATABASE_USER, type PostgresFolder } from './postgres-folder.js';
import { spawnPostgres } from './spawn-postgres.js';

/** Makes the data directory where there is none: beside its place, then renamed, so there is never half of one. */
export async function initialiseCluster(folder: PostgresFolder, { initdb }: PostgresBinaries): Promise<void> {
  if (existsSync(folder.data)) return;
  removeAbandoned(folder.data);
  const unfinished = mkdtempSync(`${folder.data}.${process.pid}.`);
  try {
    await runInitdb(initdb, unfinished, folder);
    renameSync(join(unfinished, 'data'), folder.data);
  } catch (error) {
    if (!existsSync(folder.data)) throw error; // else another process was faster
  } finally {
    remove(unfinished);
  }
}

async function runInitdb(initdb: string, unfinished: string, { account }: PostgresFolder): Promise<void> {
  const data = join(unfinished, 'data');
  const log = join(unfinished, 'initdb.log');
  mkdirSync(data, { mode: 0o700 });
  if (account !== undefined) chownSync(data, account.uid, account.gid);
  const child = spawnPostgres({
    program: initdb,
    args: (path) => ['-D', path, '-U', DATABASE_USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', ...QUIETLY],
    data,
    log,
    account,
  });
  const outcome = await once(child, 'exit').then(
    ([code, signal]: unknown[]) => (code === 0 ? 'done' : `it ended with ${String(code ?? signal)}`),
    (error: unknown) => String(error),
  );
  if (outcome === 'done') return;
  const said = readFileSync(log, 'utf8').trim().split('\n');
  const lastWords = said.findLast((line) => /error|fatal|no space/i.test(line)) ?? said.at(-1) ?? '';
  const reason = `${lastWords || outcome} (or set DATABASE_URL to a PostgreSQL server of yours)`;
  throw databaseErrorOf('init-failed', 'PostgreSQL cannot make its data directory', reason);
}

const QUIETLY = ['--no-sync', '--no-instructions'];

/** What a killed process left: its number is in the name. */
function removeAbandoned(data: string): void {
  for (const name of readdirSync(dirname(data))) {
    const [, pid] = new RegExp(`^${basename(data)}\\.(\\d+)\\.`).exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    remove(join(dirname(data), name));
  }
}

/** A child of a killed initdb may still write there; it ends when it finds its files gone. */
function remove(unfinished: string): void {
  rmSync(unfinished, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
