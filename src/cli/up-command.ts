import { existsSync, renameSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { LocalPaths } from '../cluster/local/local-paths.js';
import { ROLES } from '../server/configuration.js';
import { PinoLogger } from '../server/logger.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import { ApiClient } from './api-client.js';
import { configurationFile } from './client-configuration.js';
import type { DataDirectory } from './data-directory.js';
import { runFirstJob } from './first-job.js';
import { FirstJobPrinter } from './first-job-printer.js';
import { EXIT_CODE } from './cli-error.js';
import { write } from './output.js';
import { openLocalDriver } from './open-driver.js';
import { reportFailure } from './report-failure.js';
import { runUntilStopped, type Access } from './run-until-stopped.js';
import { addServerOptions, openDataDirectory, readFleet, type ServerFlags } from './server-options.js';

interface Flags extends ServerFlags {
  readonly once?: true;
  readonly job: boolean;
}

/** When it is larger at a start, it becomes `server.log.1`; what that was is gone. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;

export function addUpCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start a demo: the control plane, a virtual fleet and a first training job')
    .option('--once', 'end after the first job: with 0 when it succeeded, else with 1')
    .option('--no-job', 'submit nothing');
  addServerOptions(command).action(runUp);
}

async function runUp(flags: Flags): Promise<void> {
  const directory = openDataDirectory(flags);
  const logger = new PinoLogger('info', pino.destination({ dest: freshLog(directory), sync: true }));
  write('Starting PostgreSQL, the control plane and the fleet …\n');
  process.exitCode = await runUntilStopped(
    {
      flags,
      directory,
      roles: ROLES,
      openDriver: () => openLocalDriver({ directory, fleet: flags.fleet, roles: ROLES }),
      logger,
      codeAfterSignal: flags.once === true ? EXIT_CODE.interrupted : EXIT_CODE.done,
    },
    (access) => tellStory(access, flags, directory),
  );
}

async function tellStory(access: Access, flags: Flags, directory: DataDirectory): Promise<number | undefined> {
  const client = new ApiClient({ server: access.url, token: access.token });
  access.signal.addEventListener('abort', () => {
    write('\nStopping: pods that train save a checkpoint first.\n');
  });
  await introduce(access, flags, client);
  const outcome = flags.job ? await firstJob({ access, flags, directory, client }) : 'none';
  if (flags.once === true) return outcome === 'succeeded' ? EXIT_CODE.done : EXIT_CODE.failed;
  if (!access.signal.aborted) write(`Data and log: ${shortPath(directory.path)}\n${NEXT}`);
  return undefined;
}

async function introduce(
  { url, takenPort, token, tokenIs }: Access,
  { fleet }: Flags,
  client: ApiClient,
): Promise<void> {
  const { code } = await client.createSessionCode();
  if (takenPort !== undefined) write(`Port ${takenPort} is taken: using ${new URL(url).port}.\n`);
  write(`
Fleet    ${fleetLine(fleet)}
Page     ${url}/#code=${code}   (opens once; \`npx berth dashboard\` prints another)
API      ${url}/docs
Token    ${tokenIs === 'new' ? `${token}   (shown this once)` : 'as before'}, saved in ${shortPath(configurationFile(process.env))}

`);
}

/** A failure to watch the job is no reason to stop a server that is to stay up. */
async function firstJob({
  access,
  flags,
  directory,
  client,
}: {
  readonly access: Access;
  readonly flags: Flags;
  readonly directory: DataDirectory;
  readonly client: ApiClient;
}): Promise<'succeeded' | 'failed' | 'stopped'> {
  const paths = new LocalPaths(directory.pods);
  const reportPlaces = ({ metadata }: Workload): readonly string[] => [
    `${access.url}/v1/workloads/${metadata.uid}/report`,
    shortPath(join(paths.workload(metadata.namespace, metadata.uid), 'report.html')),
  ];
  const printer = new FirstJobPrinter({ write, isTerminal: process.stdout.isTTY });
  try {
    return await runFirstJob({ client, printer, reportPlaces, signal: access.signal });
  } catch (error) {
    if (flags.once === true) throw error;
    reportFailure(error);
    return 'failed';
  }
}

const NEXT = `
Try next, in another terminal:
  npx berth get nodes
  npx berth describe queue research
  npx berth apply -f docs/examples/adult/adult.yaml --queue product --name adult-again

Berth stays up until Ctrl-C.
`;

/** `14 nodes; 64 nvidia-h100, 32 nvidia-a100, 8 google-tpu-v5p`. */
function fleetLine(file: string): string {
  const { nodes } = readFleet(file);
  const devices = new Map<string, number>();
  for (const { model, count } of nodes.flatMap(({ accelerators }) => accelerators)) {
    devices.set(model, (devices.get(model) ?? 0) + count);
  }
  const models = [...devices].map(([model, count]) => `${count} ${model}`).join(', ');
  return `${nodes.length} virtual nodes: ${models}`;
}

function freshLog({ log }: DataDirectory): string {
  if (existsSync(log) && statSync(log).size > LOG_BYTES_MAX) renameSync(log, `${log}.1`);
  return log;
}

function shortPath(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
