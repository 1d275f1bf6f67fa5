import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { DatabaseError, databaseErrorOf } from './database-error.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import type { PostgresFolder } from './postgres-folder.js';
import { isPostmasterAlive, readPostmasterPid, removeStaleLock } from './postmaster-lock.js';
import { spawnPostgres } from './spawn-postgres.js';

/** `none`: for tests only, whose data may be lost with the machine. */
export type Durability = 'full' | 'none';

export interface PostmasterOptions {
  readonly folder: PostgresFolder;
  readonly binaries: PostgresBinaries;
  readonly durability: Durability;
  readonly signal: AbortSignal;
}

export interface Postmaster {
  /** A connection that lives as long as the server. */
  readonly connection: pg.Client;
  /** Undefined when the server was adopted. */
  readonly child: ChildProcess | undefined;
}

/** A killed predecessor keeps the shared memory for some moments, and another process may start the same server. */
const ATTEMPTS_MAX = 40;
const RETRY_MS = 150;
const POLL_MS = 15;
/** The name of the connection by which a process watches over its server. */
const SUPERVISOR = 'berth-supervisor';
/** Recovery after a crash writes the log again, at most one checkpoint's worth. */
const READY_WITHIN_MS = 60_000;
const CONNECT_WITHIN_MS = 5000;
/** Ctrl-C has 10 s for everything. */
const STOP_SIGNALS = [
  { signal: 'SIGINT', waitMs: 4000 }, // fast: ends all sessions, writes a checkpoint
  { signal: 'SIGQUIT', waitMs: 2000 }, // immediate: the next start recovers
  { signal: 'SIGKILL', waitMs: 1000 },
] as const;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** What is said before there is a log has no level, and several lines. */
const LAST_LINES = 3;
const LAST_WORDS_BYTES_MAX = 64 * 1024;

/** Adopts the server that answers in this folder, else starts one. */
export async function adoptOrStart(options: PostmasterOptions): Promise<Postmaster> {
  const { folder, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    const adopted = await untilReady(folder.url, signal, () => 'give up when absent');
    if (adopted !== undefined) return { connection: adopted, child: undefined };
    const started = start(options);
    const connection = await untilReady(folder.url, signal, () =>
      started.hasEnded() ? 'give up when absent' : 'wait',
    ).catch(async (error: unknown) => {
      if (signal.aborted) await stopPostmaster(started.child);
      throw error;
    });
    if (connection !== undefined) return { connection, child: started.isOwner() ? started.child : undefined };
    const lastWords = started.lastWords();
    if (attempt === ATTEMPTS_MAX || !mayPass(lastWords)) {
      throw databaseErrorOf('start-failed', 'PostgreSQL does not start', `${lastWords} (log: ${folder.log})`);
    }
    removeStaleLock(folder.data);
    await delay(RETRY_MS);
  }
}

/** Asks it to stop, in the end by force. */
export async function stopPostmaster(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  for (const { signal, waitMs } of STOP_SIGNALS) {
    child.kill(signal);
    await Promise.race([ended, delay(waitMs, undefined, { ref: false })]);
    if (!isRunning(child)) return;
  }
}

/**
 * Stops a server whose starter is gone, unless somebody else uses it, too: everybody who does has a connection of this
 * kind. It is no child of ours, so its end is looked for.
 */
export async function stopOrphan({ connection }: Postmaster, { folder }: PostmasterOptions): Promise<void> {
  const { rowCount } = await connection.query(
    'SELECT FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()',
    [SUPERVISOR],
  );
  const pid = readPostmasterPid(folder.data);
  if (rowCount !== 0 || pid === undefined) return;
  for (const { signal, waitMs } of STOP_SIGNALS) {
    const giveUpAt = performance.now() + waitMs;
    process.kill(pid, signal);
    while (performance.now() < giveUpAt) {
      if (!isPostmasterAlive(pid)) return;
      await delay(POLL_MS);
    }
  }
}

export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** The first connection, or undefined when nobody answers and the caller does not want to wait for it. */
async function untilReady(
  url: string,
  signal: AbortSignal,
  whenAbsent: () => 'wait' | 'give up when absent',
): Promise<pg.Client | undefined> {
  const giveUpAt = performance.now() + READY_WITHIN_MS;
  while (performance.now() < giveUpAt) {
    signal.throwIfAborted();
    const patience = whenAbsent(); // asked before the look: who has ended then does not answer later
    const answer = await tryToConnect(url);
    if (answer.kind === 'ready') return answer.connection;
    if (answer.kind === 'absent' && patience === 'give up when absent') return undefined;
    await delay(POLL_MS);
  }
  throw new DatabaseError(
    'start-failed',
    `PostgreSQL is not ready after ${READY_WITHIN_MS / 1000} s: try again later.`,
  );
}

type Answer = { readonly kind: 'ready'; readonly connection: pg.Client } | { readonly kind: 'busy' | 'absent' };

async function tryToConnect(connectionString: string): Promise<Answer> {
  const connection = new pg.Client({
    connectionString,
    application_name: SUPERVISOR,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  });
  connection.on('error', () => undefined); // its end is what counts
  try {
    await connection.connect();
    return { kind: 'ready', connection };
  } catch (error) {
    void connection.end().catch(() => undefined);
    // An answer with an SQLSTATE comes from a server that lives: it starts, stops, or has no connection left.
    return { kind: error instanceof pg.DatabaseError ? 'busy' : 'absent' };
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly hasEnded: () => boolean;
  /** False when another process was faster, and this one is about to end. */
  readonly isOwner: () => boolean;
  readonly lastWords: () => string;
}

function start({ folder, binaries, durability }: PostmasterOptions): Started {
  folder.prepareSocketFolder();
  const logStart = boundLog(folder.log);
  const child = spawnPostgres({
    program: binaries.postgres,
    args: (data) => argumentsOf(folder, data, durability),
    data: folder.data,
    log: folder.log,
    account: folder.account,
  });
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    spawnError = error;
  });
  child.unref();
  return {
    child,
    hasEnded: () => !isRunning(child),
    isOwner: () => readPostmasterPid(folder.data) === child.pid,
    lastWords: () => spawnError?.message ?? lastWordsOf(child.pid, readFrom(folder.log, logStart)),
  };
}

function argumentsOf(folder: PostgresFolder, data: string, durability: Durability): readonly string[] {
  const socketFolder = folder.socketFolder === folder.data ? data : folder.socketFolder;
  const settings = [
    'shared_buffers=32MB',
    'max_connections=60',
    'unix_socket_permissions=0700',
    'log_line_prefix=%m [%p] ',
    ...(durability === 'full' ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']),
  ];
  return ['-D', data, '-k', socketFolder, '-h', '', ...settings.flatMap((setting) => ['-c', setting])];
}

/** Whether what stopped the start goes away by itself, or by the removal of a stale lock. */
function mayPass(lastWords: string): boolean {
  return /lock file|pre-existing shared memory|already in use/i.test(lastWords) && !/no space/i.test(lastWords);
}

/** What this process said last; other starters write to the same log. */
function lastWordsOf(pid: number | undefined, log: string): string {
  const all = log.trim().split('\n');
  const own = all.filter((line) => line.includes(`[${String(pid)}]`));
  const said = own.length > 0 ? own : all;
  return said.findLast((line) => /(FATAL|PANIC|error)/.test(line)) ?? said.slice(-LAST_LINES).join(' ');
}

/** Where the next words will stand in the log, which is emptied when it has grown too long. */
function boundLog(log: string): number {
  if (!existsSync(log)) return 0;
  if (statSync(log).size > LOG_BYTES_MAX) truncateSync(log);
  return statSync(log).size;
}

function readFrom(log: string, start: number): string {
  const file = openSync(log, 'r');
  try {
    const buffer = Buffer.alloc(LAST_WORDS_BYTES_MAX);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, start));
  } finally {
    closeSync(file);
  }
}
