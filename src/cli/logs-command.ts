import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient, LogRequest } from './api-client.js';
import { openClient } from './connection.js';
import { findWorkload } from './find-workload.js';
import { followWorkloads } from './follow-workloads.js';
import { parseWholeNumber, remark } from './output.js';
import { isSettled, shortName } from './present-workloads.js';

interface LogsOptions extends Omit<LogRequest, 'signal'> {
  readonly follow?: true;
}

export function addLogsCommand(program: Command): void {
  program
    .command('logs')
    .description('print what a pod of a workload prints')
    .argument('<workload>', 'NAME, TEAM/NAME or uid')
    .option('-f, --follow', 'go on until the pod ends; wait for it where it has not started')
    .option('--tail <lines>', 'only so many lines from the end', parseWholeNumber)
    .option('--pod <pod>', 'this pod instead of the one of rank 0')
    .action(async (reference: string, { follow, tail, pod }: LogsOptions, command: Command) => {
      const client = await openClient(command);
      const workload = await findWorkload(client, reference);
      if (follow === true && !hasPod(workload)) await waitForPod(client, workload);
      const chunks = client.logs(workload.metadata.uid, {
        ...(follow === undefined ? {} : { follow }),
        ...(tail === undefined ? {} : { tail }),
        ...(pod === undefined ? {} : { pod }),
      });
      await pipeline(Readable.from(chunks), process.stdout, { end: false });
    });
}

async function waitForPod(client: ApiClient, workload: Workload): Promise<void> {
  remark(`${shortName(workload)} is ${workload.status.state} and has no pod yet; waiting. ${workload.status.message}`);
  for await (const seen of followWorkloads(client, [workload.metadata.uid], new AbortController().signal)) {
    if (hasPod(seen)) return;
  }
}

/** Or will never get one, so that there is nothing to wait for. */
function hasPod(workload: Workload): boolean {
  return isSettled(workload) || workload.status.pods.some(({ rank }) => rank === 0);
}
