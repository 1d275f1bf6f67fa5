import type { Command } from 'commander';
import { openClient } from './connection.js';
import { describeNode } from './describe-node.js';
import { describeQueue } from './describe-queue.js';
import { describeWorkload } from './describe-workload.js';
import { CliError } from './cli-error.js';
import { findWorkload } from './find-workload.js';
import { write } from './output.js';

export function addDescribeCommand(program: Command): void {
  const describe = program.command('describe').description('show all about one workload, node or queue');
  describe
    .command('workload')
    .aliases(['workloads', 'wl'])
    .argument('<workload>', 'NAME, TEAM/NAME or uid')
    .action(async (reference: string, _options: unknown, command: Command) => {
      const client = await openClient(command);
      const workload = await findWorkload(client, reference);
      const isPending = workload.status.state === 'pending';
      const explanation = isPending ? await client.explain(workload.metadata.uid) : undefined;
      write(describeWorkload(workload, explanation, Date.now()));
    });
  describe
    .command('node')
    .alias('nodes')
    .argument('<name>', 'the node')
    .action(async (name: string, _options: unknown, command: Command) => {
      const client = await openClient(command);
      write(describeNode(await client.node(name)));
    });
  describe
    .command('queue')
    .alias('queues')
    .argument('<name>', 'the queue')
    .action(async (name: string, _options: unknown, command: Command) => {
      const client = await openClient(command);
      const queues = await client.queues();
      const queue = queues.find((candidate) => candidate.name === name);
      if (queue === undefined) throw new CliError(`No queue ${name}: \`berth get queues\` lists them.`);
      write(describeQueue(queue, queues));
    });
}
