import type { LoggerService } from '@nestjs/common';
import type { KubernetesCluster } from '../cluster/kubernetes/kubernetes-cluster.js';
import type { LocalCluster } from '../cluster/local/local-cluster.js';
import type { TopologyLevel } from '../core/index.js';
import type { ServerRole } from '../server/configuration.js';
import { CliError, UsageError } from './cli-error.js';
import type { DataDirectory } from './data-directory.js';
import { readFleet, readKubernetesSettings } from './server-options.js';

export const DRIVERS = ['local', 'kubernetes'] as const;
export type DriverName = (typeof DRIVERS)[number];

/** Where pods run. Only what a driver needs has been read for it: the other one costs nothing. */
export type OpenDriver = (
  | { readonly kind: 'local'; readonly cluster: LocalCluster }
  | { readonly kind: 'kubernetes'; readonly cluster: KubernetesCluster }
) & {
  /** Of its topology, outermost first. */
  readonly levels: readonly TopologyLevel[];
  /** After the cluster has stopped. */
  readonly close: () => Promise<void>;
};

interface LocalWish {
  readonly directory: DataDirectory;
  readonly fleet: string;
  readonly roles: readonly ServerRole[];
}

/** Virtual nodes of a file, whose pods are processes; claimed where this process schedules. */
export async function openLocalDriver({ directory, fleet, roles }: LocalWish): Promise<OpenDriver> {
  const { nodes, levels } = readFleet(fleet);
  const { LocalCluster } = await import('../cluster/local/local-cluster.js');
  const cluster = new LocalCluster({ directory: directory.pods, nodes });
  if (roles.includes('scheduler')) await cluster.open();
  return { kind: 'local', cluster, levels, close: () => Promise.resolve() };
}

interface KubernetesWish {
  readonly kubeconfig?: string | undefined;
  readonly kubeContext?: string | undefined;
  readonly kubernetesSettings?: string | undefined;
  readonly logger: LoggerService;
}

/** The cluster of a kubeconfig, whose API server has answered. */
export async function openKubernetesDriver(wish: KubernetesWish): Promise<OpenDriver> {
  const { kubeconfig, kubeContext: context, logger } = wish;
  const settings = readKubernetesSettings(wish.kubernetesSettings);
  const { KubernetesAccessError, openKubernetesCluster } =
    await import('../cluster/kubernetes/open-kubernetes-cluster.js');
  const { KubernetesConfigurationError } = await import('../cluster/kubernetes/api/server-access.js');
  const source = { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) };
  try {
    const opened = await openKubernetesCluster({
      source,
      settings,
      report: (trouble) => {
        logger.warn(trouble, 'kubernetes');
      },
    });
    const levels = [...settings.nodes.topology.map(({ level }) => level), 'host'];
    return { kind: 'kubernetes', ...opened, levels };
  } catch (error) {
    if (error instanceof KubernetesConfigurationError) throw new UsageError(`${error.message}.`);
    if (error instanceof KubernetesAccessError) throw new CliError(`${error.message}.`);
    throw error;
  }
}
