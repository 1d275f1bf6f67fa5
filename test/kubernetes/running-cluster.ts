import { RunningSystem } from '../support/running-system.js';
import { ServerProcess } from '../support/server-process.js';
import { ControlPlane } from './rig/control-plane.js';
import { createNodes, type NodeManifest } from './rig/fake-nodes.js';
import { createNamespace } from './rig/namespaces.js';

export interface RunningClusterOptions {
  readonly nodes: readonly NodeManifest[];
  /** Devices of the only queue, `research`. */
  readonly gpus: number;
  /** Makes the kubeconfig that Berth is given, such as one of a proxy; the administrator's by default. */
  readonly access?: (plane: ControlPlane) => Promise<string>;
}

/** A whole Berth on a real control plane: both to do harm to, and both seen from outside. */
export class RunningCluster {
  private constructor(
    readonly plane: ControlPlane,
    readonly system: RunningSystem,
    private readonly kubeconfig: string,
  ) {}

  /** Ready when it returns; when it fails, nothing is left running. */
  static async start({ nodes, gpus, access }: RunningClusterOptions): Promise<RunningCluster> {
    const plane = await ControlPlane.start();
    try {
      await createNodes(plane.api, nodes);
      const kubeconfig = (await access?.(plane)) ?? plane.kubeconfig;
      const system = await RunningSystem.start({ quotas: quotasOf(gpus), options: driverOptions(kubeconfig) });
      return new RunningCluster(plane, system, kubeconfig);
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Pods that are made there, by whomever, are of the queue `research`. */
  async createNamespace(name: string): Promise<void> {
    await createNamespace(this.plane.api, name, { 'berth.dev/queue': 'research', 'berth.dev/team': 'research' });
  }

  /** Another scheduler on the same ledger, which leads when the first does not; it is the caller's to remove. */
  async startStandby(kubeconfig = this.kubeconfig): Promise<ServerProcess> {
    return ServerProcess.start({ database: this.system.postgres.url, options: driverOptions(kubeconfig) });
  }

  /** Of the scheduler that leads, or led last. */
  async epoch(): Promise<number> {
    const rows = await this.system.query<{ epoch: string }>('SELECT epoch FROM leadership');
    return Number(rows[0]?.epoch);
  }

  /** By the name that it has in the ledger; empty while nobody leads. */
  async leader(): Promise<string> {
    const rows = await this.system.query<{ holder: string }>('SELECT holder FROM leadership');
    return rows[0]?.holder ?? '';
  }

  async stop(): Promise<void> {
    await this.system.server.remove();
    await this.plane.stop();
  }
}

function driverOptions(kubeconfig: string): readonly string[] {
  return ['--driver', 'kubernetes', '--kubeconfig', kubeconfig];
}

function quotasOf(gpus: number): string {
  return `
teams:
  - { name: research, title: Research }
flavors:
  - { name: h100, model: nvidia-h100-80gb-hbm3 }
queues:
  - { name: research, team: research, quotas: { h100: { nominal: ${gpus} } } }
`;
}
