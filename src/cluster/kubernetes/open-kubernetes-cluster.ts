import { NoAnswerError, StatusError } from './api/api-error.js';
import { ApiServer } from './api/api-server.js';
import { Connection } from './api/connection.js';
import type { DriverSettings } from './driver-settings.js';
import { servesPodGroups } from './found/found-surroundings.js';
import { KubernetesCluster } from './kubernetes-cluster.js';
import { resourcePath, type Resource } from './api/resource-path.js';
import { CLAIMS, LEASES, LEASE_NAMESPACE, NAMESPACES, NODES, POD_GROUPS, PODS, VOLUMES } from './api/resources.js';
import { readServerAccess, type AccessSource } from './api/server-access.js';
import { systemTimers } from './timers.js';

export interface OpenKubernetesOptions {
  readonly source: AccessSource;
  readonly settings: DriverSettings;
  /** For the log; the driver goes on by itself. */
  readonly report: (trouble: object) => void;
}

export interface OpenKubernetes {
  readonly cluster: KubernetesCluster;
  /** After the cluster has stopped. */
  readonly close: () => Promise<void>;
}

/** The API server is away, or does not let Berth read what it must; the message has the next step. */
export class KubernetesAccessError extends Error {
  override readonly name = 'KubernetesAccessError';
}

/** Calls, watches and followed logs together. */
const CONNECTIONS_MAX = 128;
/** A person waits for the answer. */
const CHECK_MS_MAX = 10_000;
/** What the driver cannot do without, so that a right that is missing is told at the start. */
const READ: readonly { readonly resource: Resource; readonly namespace?: string; readonly name: string }[] = [
  { resource: NODES, name: 'nodes' },
  { resource: PODS, name: 'pods' },
  { resource: LEASES, namespace: LEASE_NAMESPACE, name: `leases in ${LEASE_NAMESPACE}` },
  { resource: NAMESPACES, name: 'namespaces' },
  { resource: CLAIMS, name: 'persistentvolumeclaims' },
  { resource: VOLUMES, name: 'persistentvolumes' },
];

/**
 * The driver of one cluster, when its API server has been seen to answer. Throws {@link KubernetesAccessError}, or
 * `KubernetesConfigurationError` when it is not known which server that is.
 */
export async function openKubernetesCluster({
  source,
  settings,
  report,
}: OpenKubernetesOptions): Promise<OpenKubernetes> {
  const access = await readServerAccess(source);
  const connection = await Connection.open(access, {
    timers: systemTimers,
    connectionsMax: CONNECTIONS_MAX,
    report: (message, error) => {
      report({ message, error });
    },
  });
  try {
    const parts = { timers: systemTimers, random: Math.random };
    const api = new ApiServer({ connection, ...parts });
    for (const each of READ) await checkRead(api, connection.name, each);
    if (await servesPodGroups(api)) await checkRead(api, connection.name, { resource: POD_GROUPS, name: 'podgroups' });
    const tell = ({ error, ...trouble }: { readonly error?: unknown }): void => {
      report({ message: 'trouble with the API server', ...trouble, error: String(error) });
    };
    const cluster = new KubernetesCluster({
      api,
      ...parts,
      report: tell,
      mapping: settings.nodes,
      pods: settings.pods,
    });
    return { cluster, close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function checkRead(api: ApiServer, server: string, { resource, namespace, name }: (typeof READ)[number]) {
  const path = resourcePath(resource, namespace === undefined ? {} : { namespace });
  try {
    await api.listPage(path, { limit: 1 }, { timeoutMs: CHECK_MS_MAX });
  } catch (error) {
    throw explained(error, server, name);
  }
}

function explained(error: unknown, server: string, name: string): unknown {
  if (error instanceof NoAnswerError)
    return new KubernetesAccessError(
      `cannot reach the API server: ${error.message}; see that it is up, or choose another by --kubeconfig ` +
        'and --kube-context',
      { cause: error },
    );
  if (!(error instanceof StatusError)) return error;
  switch (error.code) {
    case 401:
      return new KubernetesAccessError(
        `the API server ${server} does not accept these credentials: renew them in the kubeconfig, or choose another ` +
          'by --kubeconfig',
        { cause: error },
      );
    case 403:
      return new KubernetesAccessError(
        `the API server ${server} does not let Berth list ${name}: grant the rights of docs/reference/kubernetes.md`,
        { cause: error },
      );
    default:
      return new KubernetesAccessError(
        `the API server does not list ${name}: ${error.message}; see that it is healthy, and start again`,
        { cause: error },
      );
  }
}
