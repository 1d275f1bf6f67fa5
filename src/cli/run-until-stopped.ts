import type { LoggerService } from '@nestjs/common';
import { ConfigurationError, readEnvironment, type ServerRole } from '../server/configuration.js';
import { DatabaseError } from '../server/database/database-error.js';
import { PortTakenError } from '../server/listen.js';
import { CliError, EXIT_CODE, UsageError } from './cli-error.js';
import { configurationFile, readClientConfiguration, removeContext, saveContext } from './client-configuration.js';
import type { DataDirectory } from './data-directory.js';
import type { OpenDriver } from './open-driver.js';
import { listenOptionsOf, readPolicy, readQuotas, type ServerFlags } from './server-options.js';
import type { RunningServer } from './start-server.js';

export interface ServerRun {
  readonly flags: ServerFlags;
  /** Removed at the end when it is ephemeral. */
  readonly directory: DataDirectory;
  readonly roles: readonly ServerRole[];
  readonly openDriver: () => Promise<OpenDriver>;
  /** Where pods reach this server; absent: where it listens. */
  readonly podsReach?: string | undefined;
  readonly logger: LoggerService;
  /** A server is meant to end by a signal, a single job is not. */
  readonly codeAfterSignal: number;
}

/** What the work beside a running server is told. */
export interface Access {
  readonly url: string;
  /** The port that was wanted, when it became another. */
  readonly takenPort: number | undefined;
  readonly token: string;
  /** Whether the token was made just now, so that it is to be shown this once. */
  readonly tokenIs: 'new' | 'known';
  /** Aborted when the server is to stop. */
  readonly signal: AbortSignal;
}

/** One Ctrl-C comes twice: from the terminal, and from npm or a watcher that passes it on. */
const SAME_SIGNAL_MS = 1_000;
/** Everything has ended by then, or is ended. */
const STOP_MS_MAX = 9_500;

/**
 * Runs a server until a signal, or until `work` resolves with an exit code; `undefined` lets the server go on. Resolves
 * with the exit code when everything has stopped.
 */
export async function runUntilStopped(
  run: ServerRun,
  work: (access: Access) => Promise<number | undefined>,
): Promise<number> {
  const stopping = new AbortController();
  const release = onStopSignal(() => {
    stopping.abort();
  });
  const { directory } = run;
  try {
    const settings = {
      directory,
      databaseUrl: databaseUrl(),
      quotas: readQuotas(run.flags.quotas),
      policy: readPolicy(run.flags.policy),
      roles: run.roles,
      address: listenOptionsOf(run.flags, directory),
      podsReach: run.podsReach,
      logger: run.logger,
    };
    // First of all, before Nest and TypeORM are read: pods of a server that died wait only seconds for the next one.
    const driver = await run.openDriver();
    // No other command may wait for these.
    const { startServer } = await import('./start-server.js');
    const server = await startServer({ ...settings, driver });
    try {
      const code = await workBeside(server, { work, directory, signal: stopping.signal });
      return code ?? run.codeAfterSignal;
    } finally {
      await stopInTime(server);
    }
  } catch (error) {
    throw foreseen(error);
  } finally {
    release();
    if (run.flags.ephemeral === true) await removeContext(configurationFile(process.env), contextOf(directory));
    directory.remove();
  }
}

interface Beside {
  readonly work: (access: Access) => Promise<number | undefined>;
  readonly directory: DataDirectory;
  readonly signal: AbortSignal;
}

async function workBeside(server: RunningServer, { work, directory, signal }: Beside): Promise<number | undefined> {
  const access = await saveAccess(server, directory);
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  const code = await Promise.race([work({ ...access, signal }), stopped]);
  if (code === undefined) await stopped;
  return code;
}

/** The command line finds the server from now on, with a token that this ledger knows. */
async function saveAccess(server: RunningServer, directory: DataDirectory): Promise<Omit<Access, 'signal'>> {
  const file = configurationFile(process.env);
  const name = contextOf(directory);
  const { contexts } = await readClientConfiguration(file);
  const known = contexts.find((context) => context.name === name)?.token;
  const token = await server.operatorToken(known);
  await saveContext(file, { name, server: server.url, token });
  return { url: server.url, takenPort: server.takenPort, token, tokenIs: token === known ? 'known' : 'new' };
}

/** One entry of the configuration for each data directory: their tokens differ. */
function contextOf(directory: DataDirectory): string {
  return `local:${directory.path}`;
}

async function stopInTime(server: RunningServer): Promise<void> {
  const late = setTimeout(() => {
    process.stderr.write('berth: some parts did not stop in time and were left behind.\n');
    process.exit(1);
  }, STOP_MS_MAX);
  try {
    await server.stop('end');
  } finally {
    clearTimeout(late);
  }
}

/** The first signal asks; one that comes a while later insists. */
function onStopSignal(stop: () => void): () => void {
  let askedAtMs: number | undefined;
  const hear = (): void => {
    if (askedAtMs !== undefined) {
      if (performance.now() - askedAtMs > SAME_SIGNAL_MS) process.exit(EXIT_CODE.interrupted);
      return;
    }
    askedAtMs = performance.now();
    stop();
  };
  process.on('SIGINT', hear).on('SIGTERM', hear);
  return () => {
    process.off('SIGINT', hear).off('SIGTERM', hear);
  };
}

function databaseUrl(): string | undefined {
  return readEnvironment(process.env).DATABASE_URL;
}

/** What a person can put right, as the command line tells it: one line, no stack. */
function foreseen(error: unknown): unknown {
  if (error instanceof ConfigurationError) return new UsageError(error.message);
  if (error instanceof PortTakenError || error instanceof DatabaseError) return new CliError(error.message);
  return error;
}
