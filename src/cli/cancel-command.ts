import type { Command } from 'commander';
import type { ApiClient } from './api-client.js';
import { openClient } from './connection.js';
import { findWorkload } from './find-workload.js';
import { write } from './output.js';
import { isSettled, workloadName } from './present-workloads.js';
import { reportFailure } from './report-failure.js';

export function addCancelCommand(program: Command): void {
  program
    .command('cancel')
    .description('stop workloads; their pods get their grace period')
    .argument('<workload...>', 'NAME, TEAM/NAME or uid')
    .option('--remove', 'also remove those that have ended, with their reports')
    .action(async (references: readonly string[], { remove }: { readonly remove?: true }, command: Command) => {
      const client = await openClient(command);
      for (const reference of references) {
        try {
          write(`${await cancel(client, reference, remove === true ? 'remove' : 'keep')}\n`);
        } catch (error) {
          process.exitCode = reportFailure(error); // the others are still meant
        }
      }
    });
}

/** Without `remove` a workload that has ended stays: its report is more than the name that it blocks. */
async function cancel(client: ApiClient, reference: string, ended: 'keep' | 'remove'): Promise<string> {
  const workload = await findWorkload(client, reference);
  const name = workloadName(workload);
  if (isSettled(workload) && ended === 'keep') return `${name} is ${workload.status.state} already`;
  const left = await client.cancelWorkload(workload.metadata.uid);
  return left === undefined ? `${name} removed` : `${name} cancelling`;
}
