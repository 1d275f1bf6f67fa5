import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Between making its lock file and filling it a starting server needs microseconds. */
const EMPTY_FOR_MS_MAX = 5000;

/** The process that holds, or held, this data directory. */
export function readPostmasterPid(data: string): number | undefined {
  const pid = Number(readLock(data)?.split('\n')[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/**
 * Removes the lock of a server that was killed, where PostgreSQL itself does not dare to: a killed process that
 * nobody reaps (a container without an init process), or a stranger who got its number (a container that started
 * again), look alive to it. Linux only, where the kernel tells us more.
 */
export function removeStaleLock(data: string): void {
  const content = readLock(data);
  if (process.platform !== 'linux' || content === undefined || !isStale(data, content)) return;
  const file = lockFile(data);
  const aside = `${file}.${process.pid}`;
  renameSync(file, aside);
  // Between the look and the rename another server may have started.
  if (readFileSync(aside, 'utf8') === content) rmSync(aside);
  else renameSync(aside, file);
}

function isStale(data: string, content: string): boolean {
  if (content.trim() === '') return Date.now() - statSync(lockFile(data)).mtimeMs > EMPTY_FOR_MS_MAX;
  const lines = content.split('\n');
  const sharedMemoryId = lines[6]?.trim().split(/\s+/)[1];
  return !isPostgres(lines[0] ?? '') && !isAttached(sharedMemoryId);
}

/** Also false for one that has ended and that nobody reaps. */
export function isPostmasterAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || isPostgres(String(pid));
}

/** A zombie has no command line any more. */
function isPostgres(pid: string): boolean {
  return (readText(`/proc/${pid}/cmdline`) ?? '').includes('postgres');
}

/** Whether backends of the killed server still live. */
function isAttached(sharedMemoryId: string | undefined): boolean {
  const segments = readText('/proc/sysvipc/shm')?.split('\n').slice(1) ?? [];
  const [ID, ATTACHED] = [1, 6];
  return segments
    .map((segment) => segment.trim().split(/\s+/))
    .some((fields) => fields[ID] === sharedMemoryId && fields[ATTACHED] !== '0');
}

function lockFile(data: string): string {
  return join(data, 'postmaster.pid');
}

function readLock(data: string): string | undefined {
  return readText(lockFile(data));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
