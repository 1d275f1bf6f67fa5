import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { CliError } from './cli-error.js';
import { shortName } from './present-workloads.js';

const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What a person calls a workload: its name, `team/name` where teams share a name, or its uid; `namespace/pod` where it
 * was found in Kubernetes, of which the newest counts: the name comes again.
 */
export async function findWorkload(client: ApiClient, reference: string): Promise<Workload> {
  const plain = reference.replace(/^workload\//, ''); // as `-o name` prints it
  if (UID.test(plain)) return client.readWorkload(plain);
  const slash = plain.indexOf('/');
  const named = await client.findWorkloads(plain.slice(slash + 1), slash === -1 ? undefined : plain.slice(0, slash));
  if (named.length === 0 && slash !== -1) {
    const [newest] = await client.findWorkloads(plain);
    if (newest !== undefined) return newest;
  }
  const [workload, ...others] = named;
  if (workload === undefined) {
    throw new CliError(`No workload ${plain} that you may see: \`berth get workloads\` lists them.`);
  }
  if (others.length === 0) return workload;
  throw new CliError(
    `${named.length} teams have a workload ${plain}: say which, ${named.map(shortName).join(' or ')}.`,
  );
}
