import type { FoundPod } from '../../cluster.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer } from '../api/api-server.js';
import type { KubePod } from '../kube-types.js';
import { resourcePath } from '../api/resource-path.js';
import { PODS } from '../api/resources.js';

/**
 * Asks a pod to stop as anybody would who is not its owner, so that disruption budgets hold. Its own grace is kept, and
 * nothing is forced. Returns when it was asked, also by somebody else, or is gone; throws what is to be tried again.
 */
export async function evict(api: ApiServer, pod: FoundPod): Promise<void> {
  const { namespace, name, uid } = pod;
  const path = resourcePath(PODS, { namespace, name, subresource: 'eviction' });
  const deleteOptions = { preconditions: { uid } };
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
  try {
    await api.create(path, body);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.isDisruptionBudget) throw refused(pod, error);
    // A conflict is another pod of this name, or about its budget: then the pod stands.
    const isAnswered = error.code === 404 || (error.code === 409 && (await isLeaving(api, pod)));
    if (!isAnswered) throw error;
  }
}

function refused({ namespace, name }: FoundPod, error: StatusError): Error {
  const why = error.causes.find(({ reason }) => reason === 'DisruptionBudget')?.message ?? '';
  const what = `pod ${name} of namespace ${namespace} is not evicted`;
  return new Error(`${what}: ${why || error.message}`, { cause: error });
}

async function isLeaving(api: ApiServer, { namespace, name, uid }: FoundPod): Promise<boolean> {
  try {
    const { metadata } = (await api.get(resourcePath(PODS, { namespace, name }))) as KubePod;
    return metadata.uid !== uid || metadata.deletionTimestamp !== undefined;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return true;
    throw error;
  }
}
