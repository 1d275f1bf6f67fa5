import type { Command } from 'commander';
import type { Change } from '../server/events/events.schema.js';
import type { Node } from '../server/fleet/fleet.schema.js';
import type { Queue, Team } from '../server/quotas/quotas.schema.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { CliError } from './cli-error.js';
import { openClient } from './connection.js';
import { findWorkload } from './find-workload.js';
import { ChangePrinter, OUTPUT_FORMATS, outputOption, printList, printOne } from './output.js';
import type { OutputFormat, Presentation } from './output.js';
import { NODES } from './present-fleet.js';
import { QUEUES, presentTeams } from './present-queues.js';
import { presentWorkloads } from './present-workloads.js';

interface GetOptions {
  readonly output: OutputFormat;
  readonly watch?: true;
  readonly team?: string;
  readonly queue?: string;
  readonly state?: string;
}

/** One kind of resource, and how to read it. */
interface Resource<T> {
  readonly presentation: Presentation<T>;
  list(client: ApiClient, options: GetOptions): Promise<readonly T[]>;
  read(client: ApiClient, name: string): Promise<T>;
  /** What a change of the event stream says about this kind. */
  inChange(change: Change): readonly T[];
  isWanted(item: T, options: GetOptions): boolean;
}

export function addGetCommand(program: Command): void {
  const get = program.command('get').description('list workloads, queues, nodes or teams');
  addWatch(addGet(get, 'workloads', { of: WORKLOADS, aliases: ['workload', 'wl'] }))
    .option('--team <team>', 'only those of this team')
    .option('--queue <queue>', 'only those in this queue')
    .option('--state <state>', 'only those in this state, e.g. running');
  addWatch(addGet(get, 'queues', { of: QUEUE_RESOURCE, aliases: ['queue'] })).option(
    '--team <team>',
    'only those of this team',
  );
  addWatch(addGet(get, 'nodes', { of: NODE_RESOURCE, aliases: ['node'] }));
  addGet(get, 'teams', { of: TEAMS, aliases: ['team'] });
}

function addGet<T>(
  get: Command,
  noun: string,
  { of: resource, aliases }: { readonly of: Resource<T>; readonly aliases: readonly string[] },
): Command {
  return get
    .command(noun)
    .aliases(aliases)
    .description(`list ${noun}, or show one`)
    .argument('[name]', `one of the ${noun}`)
    .addOption(outputOption(...OUTPUT_FORMATS))
    .action(async (name: string | undefined, options: GetOptions, command: Command) => {
      const client = await openClient(command);
      if (options.watch === true) await watch(client, resource, { name, options });
      else if (name === undefined) {
        const items = await resource.list(client, options);
        printList(items, options.output, resource.presentation);
      } else printOne(await resource.read(client, name), options.output, resource.presentation);
    });
}

function addWatch(command: Command): Command {
  return command.option('-w, --watch', 'go on, and print what changes');
}

/** Until it is interrupted, as `kubectl get --watch`. */
async function watch<T>(
  client: ApiClient,
  resource: Resource<T>,
  { name, options }: { readonly name: string | undefined; readonly options: GetOptions },
): Promise<void> {
  const { presentation } = resource;
  const printer = new ChangePrinter(options.output, presentation);
  const only = name === undefined ? undefined : presentation.key(await resource.read(client, name));
  /** What was printed last: a reconnection sends everything again. */
  const printed = new Map<string, string>();
  for await (const change of client.events(new AbortController().signal)) {
    const news = resource.inChange(change).filter((item) => {
      const key = presentation.key(item);
      if (only === undefined ? !resource.isWanted(item, options) : key !== only) return false;
      const now = JSON.stringify(item);
      if (printed.get(key) === now) return false;
      printed.set(key, now);
      return true;
    });
    printer.print(news);
  }
}

const WORKLOADS: Resource<Workload> = {
  presentation: presentWorkloads(Date.now),
  // The server says which states there are.
  list: (client, { team, queue, state }) =>
    client.workloads({
      ...(team === undefined ? {} : { team }),
      ...(queue === undefined ? {} : { queue }),
      ...(state === undefined ? {} : { state }),
    }),
  read: findWorkload,
  inChange: ({ workloads }) => workloads,
  isWanted: ({ metadata, spec, status }, { team, queue, state }) =>
    (team === undefined || metadata.namespace === team) &&
    (queue === undefined || spec.queue === queue) &&
    (state === undefined || status.state === state),
};

const QUEUE_RESOURCE: Resource<Queue> = {
  presentation: QUEUES,
  list: async (client, options) => (await client.queues()).filter((queue) => QUEUE_RESOURCE.isWanted(queue, options)),
  read: (client, name) => client.queue(name),
  inChange: ({ queues }) => queues,
  isWanted: (queue, { team }) => team === undefined || queue.team === team,
};

const NODE_RESOURCE: Resource<Node> = {
  presentation: NODES,
  list: (client) => client.nodes(),
  read: (client, name) => client.node(name),
  inChange: ({ nodes }) => nodes,
  isWanted: () => true,
};

const TEAMS: Resource<Team> = {
  presentation: presentTeams(Date.now),
  list: (client) => client.teams(),
  read: async (client, name) => {
    const team = (await client.teams()).find((candidate) => candidate.name === name);
    if (team !== undefined) return team;
    throw new CliError(`No team ${name}: \`berth get teams\` lists them.`);
  },
  inChange: () => [],
  isWanted: () => true,
};
