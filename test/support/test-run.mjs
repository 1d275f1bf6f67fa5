import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endAllRecorded } from '../kubernetes/rig/recorded-process.mjs';

const PREFIX = 'berth-tests-';
const STOP_WITHIN_MS = 5000;
const LOOK_MS = 10;

/**
 * Makes the folder that all workers of this run share: its PostgreSQL lives there, when a suite asks for one, and so do
 * control planes of Kubernetes.
 */
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
  const inside = existsSync(folder) ? readdirSync(folder) : [];
  const planes = inside.filter((name) => name.startsWith('control-plane-'));
  for (const plane of planes) await endAllRecorded(join(folder, plane));
  const data = join(folder, 'postgres', 'data');
  const lock = join(data, 'postmaster.pid');
  const postmaster = existsSync(lock) ? Number(readFileSync(lock, 'utf8').split('\n')[0]) : undefined;
  if (postmaster !== undefined && isRunning(postmaster) && worksIn(postmaster, data)) await stop(postmaster, lock);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Its data is thrown away, so it need not write it.
 * @param {number} postmaster
 * @param {string} lock
 */
async function stop(postmaster, lock) {
  process.kill(postmaster, 'SIGQUIT');
  if (await isGone(postmaster, lock)) return;
  process.kill(postmaster, 'SIGKILL');
  await isGone(postmaster, lock);
}

/**
 * The lock goes last; the process may stay as a zombie where nobody waits for it.
 * @param {number} postmaster
 * @param {string} lock
 */
async function isGone(postmaster, lock) {
  const giveUpAt = performance.now() + STOP_WITHIN_MS;
  while (existsSync(lock) && isRunning(postmaster)) {
    if (performance.now() > giveUpAt) return false;
    await delay(LOOK_MS);
  }
  return true;
}

/**
 * Process ids are used again, but PostgreSQL works in its data folder, and a stranger does not. Where the system does
 * not tell, the lock is believed.
 * @param {number} pid
 * @param {string} folder
 */
function worksIn(pid, folder) {
  if (process.platform !== 'linux') return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
  } catch {
    return false;
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
