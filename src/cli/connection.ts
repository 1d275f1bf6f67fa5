import type { Command } from 'commander';
import { ApiClient } from './api-client.js';
import { configurationFile, readClientConfiguration, type ClientConfiguration } from './client-configuration.js';
import { CliError, UsageError } from './cli-error.js';
import type { ApiConnection } from './http-transport.js';

/** The options that every command takes which asks a server. */
export interface ConnectionFlags {
  readonly server?: string;
  readonly token?: string;
  readonly context?: string;
}

/** The client that the command's options, the environment and the configuration file ask for, in this order. */
export async function openClient(command: Command): Promise<ApiClient> {
  const file = configurationFile(process.env);
  const configuration = await readClientConfiguration(file);
  return new ApiClient(chooseConnection(command.optsWithGlobals<ConnectionFlags>(), process.env, configuration));
}

/**
 * Flag before environment before file, for the address and the token each. A token of the file goes to the server
 * that it is written beside, and to no other.
 */
export function chooseConnection(
  flags: ConnectionFlags,
  environment: NodeJS.ProcessEnv,
  configuration: ClientConfiguration,
): ApiConnection {
  const name = flags.context ?? configuration['current-context'];
  const context = configuration.contexts.find((candidate) => candidate.name === name);
  if (flags.context !== undefined && context === undefined) {
    const known = configuration.contexts.map((candidate) => candidate.name).join(', ');
    throw new UsageError(`No context ${flags.context} in the configuration; it has ${known === '' ? 'none' : known}.`);
  }
  const chosen = flags.server ?? given(environment['BERTH_SERVER']) ?? context?.server;
  if (chosen === undefined) {
    throw new CliError('No server is configured: start one with `npm start` or `berth up`, or name one with --server.');
  }
  const server = withoutSlash(chosen);
  const own = context !== undefined && withoutSlash(context.server) === server ? context.token : undefined;
  return { server, token: flags.token ?? given(environment['BERTH_TOKEN']) ?? own };
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function withoutSlash(server: string): string {
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new UsageError(`${server} is no address of a server: it must look like http://127.0.0.1:8080.`);
  }
  return server.replace(/\/+$/, '');
}
