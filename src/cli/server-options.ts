import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, type Command } from 'commander';
import { DriverSettingsSchema, type DriverSettings } from '../cluster/kubernetes/driver-settings.js';
import type { Fleet } from '../fleet-file/fleet-nodes.js';
import { readFleetFile } from '../fleet-file/read-fleet-file.js';
import { formatProblems, parseYamlDocument, type DocumentResult } from '../documents/yaml-document.js';
import type { ListenOptions } from '../server/listen.js';
import { QuotaFileSchema, type QuotaFile } from '../server/quotas/quota-file.schema.js';
import { PolicyFileSchema, type PolicyFile } from '../policy-file/policy-file.schema.js';
import { UsageError } from './cli-error.js';
import { DataDirectory } from './data-directory.js';

const PORT = 7411;
const LOOPBACK = '127.0.0.1';

/** Options of both commands that run a server. */
export interface ServerFlags {
  readonly dataDir?: string;
  readonly ephemeral?: true;
  readonly host: string;
  readonly port?: number;
  readonly fleet: string;
  readonly quotas: string;
  readonly policy?: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'where database and pods are kept (default: berth in $XDG_DATA_HOME)')
    .option('--ephemeral', 'keep everything in a temporary folder that is removed at the end')
    .option('--host <address>', 'address to listen on', LOOPBACK)
    .option('--port <port>', `port to listen on (default: that of the last start, else ${PORT})`, parsePort)
    .option('--fleet <file>', 'the virtual nodes', exampleFile('fleets/demo.yaml'))
    .option('--quotas <file>', 'teams, flavors and the quota tree', exampleFile('quotas/demo.yaml'))
    .option('--policy <file>', 'by what the scheduler decides (default: the default policy)');
}

/** A file of `docs/examples`, wherever Berth is installed. */
export function exampleFile(path: string): string {
  return fileURLToPath(new URL(`../../docs/examples/${path}`, import.meta.url));
}

export function openDataDirectory({ dataDir, ephemeral }: ServerFlags): DataDirectory {
  if (ephemeral !== true) return DataDirectory.open(dataDir, process.env);
  if (dataDir !== undefined) throw new UsageError('--ephemeral and --data-dir exclude each other: choose one.');
  return DataDirectory.temporary();
}

/** A port that was asked for is that or none; else the next free one will do. */
export function listenOptionsOf({ host, port }: ServerFlags, directory: DataDirectory): ListenOptions {
  return port === undefined
    ? { host, port: directory.lastPort ?? PORT, whenTaken: 'next-free' }
    : { host, port, whenTaken: 'fail' };
}

export function readFleet(file: string): Fleet {
  return valueOf(file, readFleetFile(readText(file)));
}

export function readQuotas(file: string): QuotaFile {
  return valueOf(file, parseYamlDocument(readText(file), QuotaFileSchema));
}

export function readPolicy(file: string | undefined): PolicyFile | undefined {
  return file === undefined ? undefined : valueOf(file, parseYamlDocument(readText(file), PolicyFileSchema));
}

/** A driver's settings; without a file, the default ones. */
export function readKubernetesSettings(file: string | undefined): DriverSettings {
  return file === undefined
    ? DriverSettingsSchema.parse({})
    : valueOf(file, parseYamlDocument(readText(file), DriverSettingsSchema));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function valueOf<T>(file: string, result: DocumentResult<T>): T {
  if (result.kind === 'valid') return result.value;
  throw new UsageError(`the file is wrong:\n${formatProblems(file, result.problems)}`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
}
