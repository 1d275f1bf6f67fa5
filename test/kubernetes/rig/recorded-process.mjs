import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_MS = 10;
/** The kernel ends a killed process at once, but one with much memory, on a busy machine, takes its time. */
const GONE_MS_MAX = 30_000;

/**
 * Writes down a process that was just started, so that whoever comes later can end it, and cannot end another that got
 * its number.
 * @param {string} file
 * @param {number} pid
 */
export function recordProcess(file, pid) {
  writeFileSync(file, `${pid} ${lifeOf(pid)?.start ?? ''}`);
}

/**
 * @param {string} file
 * @returns {number | undefined} undefined when the process has ended
 */
export function recordedPid(file) {
  const [number = '', start = ''] = readIfThere(file).split(' ');
  const pid = Number(number);
  if (number === '' || !Number.isSafeInteger(pid) || !isRunning(pid)) return undefined;
  const life = lifeOf(pid);
  // Where the system does not tell when a process started, the record is believed.
  if (life === undefined) return pid;
  return life.start === start && life.state !== 'Z' ? pid : undefined;
}

/**
 * Whether it ended without being told to.
 * @param {string} file
 */
export function hasDied(file) {
  return existsSync(file) && recordedPid(file) === undefined;
}

/**
 * Ends all that are recorded in a folder.
 * @param {string} folder
 */
export async function endAllRecorded(folder) {
  const records = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pid')) : [];
  await Promise.all(records.map((name) => endRecorded(join(folder, name))));
}

/**
 * Ends it at once, waits until it is gone, and removes the record.
 * @param {string} file
 */
export async function endRecorded(file) {
  const giveUpAt = performance.now() + GONE_MS_MAX;
  for (let pid = recordedPid(file); pid !== undefined; pid = recordedPid(file)) {
    if (performance.now() > giveUpAt) throw new Error(`process ${pid} of ${file} does not end`);
    killIfThere(pid);
    await delay(LOOK_MS);
  }
  rmSync(file, { force: true });
}

/** @param {number} pid */
function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * @param {number} pid
 * @returns {{ readonly state: string, readonly start: string } | undefined}
 */
function lifeOf(pid) {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  // The name of the program comes before, in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
