import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readPostmasterPid, removeStaleLock } from './postmaster-lock.js';

const itOnLinux = process.platform === 'linux' ? it : it.skip;
const NO_SUCH_PROCESS = 4_194_305; // above the largest number that the kernel gives

describe(removeStaleLock.name, () => {
  let data: string;
  let lock: string;

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'berth-lock-'));
    lock = join(data, 'postmaster.pid');
  });

  afterEach(() => {
    rmSync(data, { recursive: true });
  });

  function write(pid: number): void {
    writeFileSync(lock, `${pid}\n${data}\n0\n5432\n${data}\n\n  5432001 999999\nready   \n`);
  }

  itOnLinux('removes the lock of a process that is gone, or is a stranger', () => {
    for (const pid of [NO_SUCH_PROCESS, process.pid]) {
      write(pid);
      removeStaleLock(data);
      expect(readdirSync(data)).toEqual([]);
    }
  });

  itOnLinux('keeps the lock of a server that runs', () => {
    const server = spawn('/bin/sh', ['-c', 'read line', 'postgres'], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      write(server.pid ?? 0);
      removeStaleLock(data);
      expect(readPostmasterPid(data)).toBe(server.pid);
    } finally {
      server.kill('SIGKILL');
    }
  });

  itOnLinux('keeps an empty lock while its server may still fill it', () => {
    writeFileSync(lock, '');
    removeStaleLock(data);
    expect(existsSync(lock)).toBe(true);
    utimesSync(lock, new Date(0), new Date(0));
    removeStaleLock(data);
    expect(existsSync(lock)).toBe(false);
  });

  it('has nothing to do where there is no lock', () => {
    removeStaleLock(data);
    expect(readPostmasterPid(data)).toBeUndefined();
  });
});
