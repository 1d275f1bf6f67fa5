import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PREFIX = 'berth-tests-';
const STOP_WITHIN_MS = 5000;
const LOOK_MS = 10;

/** Makes the folder that all workers of this run share: its PostgreSQL lives there, when a suite asks for one. */
export async function openTestRun() {
  await closeAbandonedRuns();
  const folder = folderOf(process.pid);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  process.env['BERTH_TEST_RUN'] = folder; // the workers inherit it
}

export async function closeTestRun() {
  await close(folderOf(process.pid));
}

/** Runs that were killed could not close themselves. */
async function closeAbandonedRuns() {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined);
    if (Number.isSafeInteger(pid) && !isRunning(pid) && isOurs(folderOf(pid))) await close(folderOf(pid));
  }
}

/** @param {number} pid */
function folderOf(pid) {
  return join(tmpdir(), `${PREFIX}${pid}`);
}

/** @param {string} folder */
async function close(folder) {
  const lock = join(folder, 'postgres', 'data', 'postmaster.pid');
  const postmaster = existsSync(lock) ? Number(readFileSync(lock, 'utf8').split('\n')[0]) : undefined;
  if (postmaster !== undefined && isRunning(postmaster)) await stop(postmaster, lock);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Its data is thrown away, so it need not write it.
 * @param {number} postmaster
 * @param {string} lock
 */
async function stop(postmaster, lock) {
  process.kill(postmaster, 'SIGQUIT');
  const giveUpAt = performance.now() + STOP_WITHIN_MS;
  // The lock goes last; the process may stay as a zombie where nobody waits for it.
  while (existsSync(lock) && isRunning(postmaster)) {
    if (performance.now() > giveUpAt) process.kill(postmaster, 'SIGKILL');
    await delay(LOOK_MS);
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} folder */
function isOurs(folder) {
  return statSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.();
}
