import type { Command } from 'commander';
import type { NodeVerb } from '../server/fleet/node-commands.js';
import { openClient } from './connection.js';
import { write } from './output.js';

/** The server's order takes effect soon after, so what is said is what will be. */
const VERBS: readonly { readonly verb: NodeVerb; readonly does: string; readonly done: string }[] = [
  { verb: 'cordon', does: 'let a node take no new pods', done: 'cordoned' },
  { verb: 'uncordon', does: 'let a node take pods again', done: 'uncordoned' },
  { verb: 'fail', does: 'kill a virtual node with all its pods', done: 'failing' },
  { verb: 'restore', does: 'bring a virtual node back', done: 'coming back' },
];

export function addNodeCommand(program: Command): void {
  const node = program.command('node').description('operate nodes');
  for (const { verb, does, done } of VERBS) {
    node
      .command(verb)
      .description(does)
      .argument('<name>', 'the node')
      .action(async (name: string, _options: unknown, command: Command) => {
        const client = await openClient(command);
        await client.operateNode(name, verb);
        write(`node/${name} ${done}\n`);
      });
  }
}
