import type { Command } from 'commander';
import { openClient } from './connection.js';
import { remark, write } from './output.js';

export function addDashboardCommand(program: Command): void {
  program
    .command('dashboard')
    .description('print a link that signs a browser in, once')
    .action(async (_options: unknown, command: Command) => {
      const client = await openClient(command);
      const { code, expiresAt } = await client.createSessionCode();
      write(`${client.server}/#code=${code}\n`);
      remark(`It can be opened once, until ${new Date(expiresAt).toLocaleTimeString()}.`);
    });
}
