import { InvalidArgumentError, Option, type Command } from 'commander';
import { pino } from 'pino';
import { ROLES, type ServerRole } from '../server/configuration.js';
import { PinoLogger } from '../server/logger.js';
import { EXIT_CODE, UsageError } from './cli-error.js';
import { runUntilStopped } from './run-until-stopped.js';
import { addServerOptions, openDataDirectory, type ServerFlags } from './server-options.js';

interface Flags extends ServerFlags {
  readonly roles: readonly ServerRole[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export function addServerCommand(program: Command): void {
  const command = program
    .command('server')
    .description('run the control plane; one JSON line a log entry on standard output')
    .option('--roles <roles>', `which parts this process is: ${ROLES.join(',')}`, parseRoles, [...ROLES])
    .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info'));
  addServerOptions(command).action(runServer);
}

async function runServer(flags: Flags): Promise<void> {
  if (!flags.roles.includes('api')) {
    throw new UsageError('Pods of the local driver report to the server that runs them: keep api among the roles.');
  }
  const logger = new PinoLogger(flags.logLevel, pino.destination({ dest: 1, sync: true }));
  const directory = openDataDirectory(flags);
  process.exitCode = await runUntilStopped(
    { flags, directory, roles: flags.roles, logger, codeAfterSignal: EXIT_CODE.done },
    ({ url }) => {
      logger.log({ message: 'listening', url });
      return Promise.resolve(undefined);
    },
  );
}

function parseRoles(text: string): readonly ServerRole[] {
  const roles = text.split(',').map((role) => ROLES.find((known) => known === role.trim()));
  const known = roles.filter((role) => role !== undefined);
  if (known.length < roles.length) throw new InvalidArgumentError(`They are ${ROLES.join(', ')}.`);
  return known;
}
