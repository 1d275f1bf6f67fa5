import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { WorkloadExplanation } from '../server/workloads/workload.schema.js';
import { openClient } from './connection.js';
import { findWorkload } from './find-workload.js';
import { outputOption, write, type OutputFormat } from './output.js';
import { shortName } from './present-workloads.js';

export function addExplainCommand(program: Command): void {
  program
    .command('explain')
    .description('say why a workload waits, and what would start it')
    .argument('<workload>', 'NAME, TEAM/NAME or uid')
    .addOption(outputOption('table', 'json', 'yaml'))
    .action(async (reference: string, { output }: { readonly output: OutputFormat }, command: Command) => {
      const client = await openClient(command);
      const workload = await findWorkload(client, reference);
      const explanation = await client.explain(workload.metadata.uid);
      if (output === 'json') write(`${JSON.stringify(explanation, undefined, 2)}\n`);
      else if (output === 'yaml') write(stringify(explanation));
      else write(`${shortName(workload)} is ${explanation.state}.\n${formatExplanation(explanation)}`);
    });
}

/** The sentence, then what else binds. Empty for a workload that does not wait and has nothing to say. */
export function formatExplanation({ sentence, also }: WorkloadExplanation): string {
  const lines = [sentence, ...also.map((constraint) => `Also: ${constraint}`)];
  return lines.map((line) => `${line}\n`).join('');
}
