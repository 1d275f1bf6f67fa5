import { InvalidArgumentError, Option, type Command } from 'commander';
import type { LoggerService } from '@nestjs/common';
import { pino } from 'pino';
import { ROLES, type ServerRole } from '../server/configuration.js';
import { PinoLogger } from '../server/logger.js';
import { unreachable } from '../server/unreachable.js';
import { EXIT_CODE, UsageError } from './cli-error.js';
import { DRIVERS, openKubernetesDriver, openLocalDriver, type DriverName, type OpenDriver } from './open-driver.js';
import { runUntilStopped } from './run-until-stopped.js';
import type { DataDirectory } from './data-directory.js';
import { addServerOptions, openDataDirectory, type ServerFlags } from './server-options.js';

interface Flags extends ServerFlags {
  readonly roles: readonly ServerRole[];
  readonly driver: DriverName;
  readonly kubeconfig?: string;
  readonly kubeContext?: string;
  readonly kubernetesSettings?: string;
  readonly advertise?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** What only one of the drivers reads. */
const DRIVER_OF_OPTION: Readonly<Record<string, DriverName>> = {
  fleet: 'local',
  kubeconfig: 'kubernetes',
  kubeContext: 'kubernetes',
  kubernetesSettings: 'kubernetes',
};

export function addServerCommand(program: Command): void {
  const command = program
    .command('server')
    .description('run the control plane; one JSON line a log entry on standard output')
    .option('--roles <roles>', `which parts this process is: ${ROLES.join(',')}`, parseRoles, [...ROLES])
    .addOption(new Option('--driver <driver>', 'where pods run').choices(DRIVERS).default('local'))
    .option('--kubeconfig <file>', 'the Kubernetes cluster (default: KUBECONFIG, else that of the pod that this is)')
    .option('--kube-context <name>', 'an entry of the kubeconfig instead of its current one')
    .option('--kubernetes-settings <file>', 'image of the trainer, labels of nodes (default: the default settings)')
    .option('--advertise <url>', 'where pods reach this server (default: where it listens)', parseUrl)
    .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info'));
  addServerOptions(command).action(runServer);
}

async function runServer(flags: Flags, command: Command): Promise<void> {
  if (!flags.roles.includes('api')) {
    throw new UsageError('Pods report to the server that runs them: keep api among the roles.');
  }
  refuseOptionsOfOthers(flags.driver, command);
  const logger = new PinoLogger(flags.logLevel, pino.destination({ dest: 1, sync: true }));
  const directory = openDataDirectory(flags);
  process.exitCode = await runUntilStopped(
    {
      flags,
      directory,
      roles: flags.roles,
      openDriver: () => openDriver(flags, directory, logger),
      podsReach: flags.advertise,
      logger,
      codeAfterSignal: EXIT_CODE.done,
    },
    ({ url }) => {
      logger.log({ message: 'listening', url });
      return Promise.resolve(undefined);
    },
  );
}

function openDriver(flags: Flags, directory: DataDirectory, logger: LoggerService): Promise<OpenDriver> {
  switch (flags.driver) {
    case 'local':
      return openLocalDriver({ directory, fleet: flags.fleet, roles: flags.roles });
    case 'kubernetes':
      return openKubernetesDriver({ ...flags, logger });
    default:
      return unreachable(flags.driver);
  }
}

/** Whoever names a fleet file or a kubeconfig expects it to be used. */
function refuseOptionsOfOthers(driver: DriverName, command: Command): void {
  for (const option of command.options) {
    const owner = DRIVER_OF_OPTION[option.attributeName()];
    if (owner === undefined || owner === driver || command.getOptionValueSource(option.attributeName()) !== 'cli')
      continue;
    throw new UsageError(
      `${String(option.long)} is for --driver ${owner}, and this is --driver ${driver}: leave one out.`,
    );
  }
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('It must be an http(s):// URL.');
  return text.replace(/\/+$/, '');
}

function parseRoles(text: string): readonly ServerRole[] {
  const roles = text.split(',').map((role) => ROLES.find((known) => known === role.trim()));
  const known = roles.filter((role) => role !== undefined);
  if (known.length < roles.length) throw new InvalidArgumentError(`They are ${ROLES.join(', ')}.`);
  return known;
}
