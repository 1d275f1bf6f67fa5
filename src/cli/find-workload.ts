import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { CliError } from './cli-error.js';
import { shortName } from './present-workloads.js';

const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a person calls a workload: its name, `team/name` where teams share a name, or its uid. */
export async function findWorkload(client: ApiClient, reference: string): Promise<Workload> {
  const plain = reference.replace(/^workload\//, ''); // as `-o name` prints it
  if (UID.test(plain)) return client.readWorkload(plain);
  const slash = plain.indexOf('/');
  const found = await client.findWorkloads(plain.slice(slash + 1), slash === -1 ? undefined : plain.slice(0, slash));
  const [workload, ...others] = found;
  if (workload === undefined) {
    throw new CliError(`No workload ${plain} that you may see: \`berth get workloads\` lists them.`);
  }
  if (others.length === 0) return workload;
  throw new CliError(
    `${found.length} teams have a workload ${plain}: say which, ${found.map(shortName).join(' or ')}.`,
  );
}
