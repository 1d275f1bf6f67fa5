import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, closeSync, openSync } from 'node:fs';
import type { Account } from './postgres-folder.js';

export interface PostgresProgram {
  readonly program: string;
  /** Given the path under which the program finds `data`. */
  readonly args: (data: string) => readonly string[];
  readonly data: string;
  readonly log: string;
  readonly account: Account | undefined;
}

/**
 * Spawns a program of PostgreSQL in a process group of its own, so that Ctrl-C in the terminal does not reach it.
 *
 * Root spawns it as another account, which cannot walk through root's home. It need not: the data directory is handed
 * over as an open file, and `/proc/self/fd/3` leads into it from wherever it lies.
 */
export function spawnPostgres({ program, args, data, log, account }: PostgresProgram): ChildProcess {
  const logFile = openSync(log, 'a', 0o600);
  const throughFile = account !== undefined && process.platform === 'linux';
  const dataFile = throughFile ? openSync(data, 'r') : undefined;
  try {
    if (account !== undefined) chownSync(log, account.uid, account.gid);
    return spawn(program, args(throughFile ? '/proc/self/fd/3' : data), {
      ...account,
      cwd: '/',
      detached: true,
      // Nothing of ours: neither secrets, nor variables that PostgreSQL would obey; its words in one language.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', logFile, logFile, ...(dataFile === undefined ? [] : [dataFile])],
    });
  } finally {
    closeSync(logFile);
    if (dataFile !== undefined) closeSync(dataFile);
  }
}
