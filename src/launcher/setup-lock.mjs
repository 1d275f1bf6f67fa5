import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LaunchError } from './launch-error.mjs';

const POLL_MS = 50;
const WAIT_MS_MAX = 15 * 60_000;
/** A takeover is three system calls long; one this old belongs to a process that died in it. */
const TAKEOVER_MS_MAX = 10_000;

/**
 * Runs `work` while no other launcher installs or builds in this checkout. Waits for one that does; takes over from one
 * that died. The lock lies outside `node_modules`, which an install deletes.
 * @template T
 * @param {string} root
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetupLock(root, work) {
  const folder = join(root, '.berth');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'setup.lock');
  await acquire(file);
  // A signal ends the process without running `finally`; the lock is then stale, and the next launcher takes it over.
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param {string} file */
async function acquire(file) {
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  let isAnnounced = false;
  while (!isCreated(file)) {
    const holder = readHolder(file);
    if (holder === undefined || !isAlive(holder)) {
      removeStale(file, holder);
    } else if (!isAnnounced) {
      process.stderr.write(`berth: waiting for process ${holder.pid}, which is setting up this checkout\n`);
      isAnnounced = true;
    }
    if (Date.now() > deadlineMs) {
      throw new LaunchError(
        `Another process has been setting up this checkout for too long: see ${file}, end it, then try again.`,
      );
    }
    await wait(POLL_MS);
  }
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isCreated(file) {
  try {
    closeSync(openSync(file, 'wx'));
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
  try {
    writeFileSync(file, `${process.pid} ${startOf(process.pid)}`);
    return true;
  } catch (error) {
    rmSync(file, { force: true }); // a lock that names nobody would hold up the next launcher
    throw error;
  }
}

/**
 * Two waiters may both see the same dead holder; only the one that holds the takeover file removes the lock, and only
 * while it still names that holder. Otherwise the slower one would remove the lock that the faster one just made.
 * @param {string} file
 * @param {Holder | undefined} holder
 */
function removeStale(file, holder) {
  const takeover = `${file}.takeover`;
  if (!isCreated(takeover)) {
    const ageMs = Date.now() - (statSync(takeover, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (ageMs > TAKEOVER_MS_MAX) rmSync(takeover, { force: true });
    return;
  }
  const now = readHolder(file);
  const isOld = holder === undefined ? isOlderThan(file, TAKEOVER_MS_MAX) : now?.text === holder.text;
  if (isOld) rmSync(file, { force: true });
  rmSync(takeover, { force: true });
}

/** @typedef {{ readonly pid: number, readonly start: string, readonly text: string }} Holder */

/**
 * @param {string} file
 * @returns {Holder | undefined} undefined for a lock that is gone, or that its maker has not written yet
 */
function readHolder(file) {
  try {
    const text = readFileSync(file, 'utf8');
    const [pid = '', start = ''] = text.split(' ');
    return /^\d+$/.test(pid) ? { pid: Number(pid), start, text } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {Holder} holder
 * @returns {boolean}
 */
function isAlive(holder) {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return isCode(error, 'EPERM');
  }
  return startOf(holder.pid) === holder.start;
}

/**
 * When a process started, where the system tells: process ids are used again, most of all after a reboot.
 * @param {number} pid
 * @returns {string}
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/**
 * @param {string} file
 * @param {number} ageMs
 * @returns {boolean}
 */
function isOlderThan(file, ageMs) {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > ageMs;
}

/**
 * @param {unknown} error
 * @param {string} code
 * @returns {boolean}
 */
function isCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code;
}
