import type { ControlPlane } from '../../kubernetes/rig/control-plane.js';
import { createNamespace } from '../../kubernetes/rig/namespaces.js';
import { RunningSystem } from '../../support/running-system.js';
import { until } from '../../support/observation-log.js';
import { BindWatch } from './bind-watch.js';
import { aPod, inParallel, type PodSize } from './pods.js';
import { planeWithoutKubelets } from './plane-without-kubelets.js';
import { usageOf, type Usage } from './process-usage.js';

const PATIENCE_MS = 600_000;
const GANG = 8;
const TEAM = 'research';
const GPUS_PER_NODE = 8;

export const SCHEDULERS = ['kube-scheduler', 'berth'] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** Pods that are all there before the scheduler starts. */
export interface Load extends PodSize {
  readonly name: string;
  readonly pods: (nodes: number) => number;
  /** Do so many of them start together? */
  readonly gang?: number;
}

export const LOADS: readonly Load[] = [
  { name: 'plain pods', pods: (nodes) => Math.min(2000, nodes * 20), gpus: 0, cpu: '100m' },
  { name: 'pods of 8 GPUs', pods: (nodes) => Math.min(1000, nodes), gpus: 8, cpu: '8' },
  { name: 'gangs of 8', pods: (nodes) => Math.min(2000, nodes * GPUS_PER_NODE), gpus: 1, cpu: '1', gang: GANG },
];

export interface Outcome {
  readonly scheduler: SchedulerName;
  readonly load: string;
  readonly nodes: number;
  readonly pods: number;
  /** Between the first and the last binding that a watcher sees. */
  readonly boundPerSecond: number;
  /** From the start of the process. */
  readonly firstBindMs: number;
  readonly lastBindMs: number;
  readonly cpuMsPerPod: number;
  /** At the last binding, with all that it started: of Berth, its database. */
  readonly residentMib: number;
  readonly writesPerPod: number;
}

interface Target {
  readonly namespace: string;
  readonly schedulerName: string;
}

/** One API server and its nodes, on which schedulers take turns. */
export class Arena {
  private constructor(
    private readonly plane: ControlPlane,
    private readonly nodes: number,
  ) {}

  static async open(nodes: number): Promise<Arena> {
    return new Arena(await planeWithoutKubelets(nodes), nodes);
  }

  async close(): Promise<void> {
    await this.plane.stop();
  }

  async run(scheduler: SchedulerName, load: Load): Promise<Outcome> {
    const { plane, nodes } = this;
    const namespace = `${scheduler}-${load.name.replaceAll(' ', '-').toLowerCase()}`;
    await createNamespace(plane.api, namespace, { 'berth.dev/queue': TEAM, 'berth.dev/team': TEAM });
    const pods = load.pods(nodes);
    await this.createPods(load, { namespace, schedulerName: scheduler === 'berth' ? 'berth' : 'default-scheduler' });
    const binds = await BindWatch.begin(plane, namespace);
    const writes = await this.writes();
    const contestant = await (scheduler === 'berth' ? BerthRun.start(plane) : KubeSchedulerRun.start(plane));
    try {
      await until(`${pods} bound pods`, () => binds.count >= pods, {
        deadlineMs: PATIENCE_MS,
        state: () => `${binds.count} are bound`,
      });
      const { cpuMs, residentMib } = contestant.usage();
      const { firstMs, lastMs } = binds;
      return {
        scheduler,
        load: load.name,
        nodes,
        pods,
        boundPerSecond: ((pods - 1) * 1000) / Math.max(1, lastMs - firstMs),
        firstBindMs: firstMs - contestant.startedMs,
        lastBindMs: lastMs - contestant.startedMs,
        cpuMsPerPod: cpuMs / pods,
        residentMib,
        writesPerPod: ((await this.writes()) - writes) / pods,
      };
    } finally {
      await contestant.end();
      await binds.end();
      await this.removePods(namespace);
    }
  }

  private async createPods(load: Load, { namespace, schedulerName }: Target): Promise<void> {
    const { plane } = this;
    const { gang } = load;
    const count = load.pods(this.nodes);
    if (gang !== undefined) {
      const path = `/apis/scheduling.k8s.io/v1beta1/namespaces/${namespace}/podgroups`;
      await inParallel(count / gang, (index) => {
        const spec = { schedulingPolicy: { gang: { minCount: gang } } };
        return plane.api.ask({ method: 'POST', path, body: { metadata: { name: `gang-${index}` }, spec } });
      });
    }
    await inParallel(count, (index) => {
      const group = gang === undefined ? {} : { schedulingGroup: { podGroupName: `gang-${Math.floor(index / gang)}` } };
      const body = aPod(`pod-${index}`, load, { schedulerName, ...group });
      return plane.api.ask({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods`,
        body,
        timeoutMs: PATIENCE_MS,
      });
    });
  }

  /** By force: there is no kubelet to let them end. */
  private async removePods(namespace: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const remove = { method: 'DELETE', path, body: { gracePeriodSeconds: 0 }, timeoutMs: PATIENCE_MS } as const;
    await until('the pods to be gone', async () => {
      await this.plane.api.ask(remove);
      return (await this.plane.api.ask<{ items: unknown[] }>({ method: 'GET', path })).items.length === 0;
    });
  }

  /** Requests that change something, of all clients: during a run only the scheduler works. */
  private async writes(): Promise<number> {
    const text = await this.plane.api.ask<string>({ method: 'GET', path: '/metrics' });
    const counted = /^apiserver_request_total\{[^}]*verb="(?:POST|PUT|PATCH|DELETE)"[^}]*\} (\S+)$/gm;
    return [...text.matchAll(counted)].reduce(
      (sum, [line, value]) => (line.includes('leases') ? sum : sum + Number(value)),
      0,
    );
  }
}

interface Contestant {
  readonly startedMs: number;
  usage(): Usage;
  end(): Promise<void>;
}

class KubeSchedulerRun implements Contestant {
  private constructor(
    private readonly plane: ControlPlane,
    readonly startedMs: number,
  ) {}

  static async start(plane: ControlPlane): Promise<KubeSchedulerRun> {
    const startedMs = performance.now();
    await plane.restart('kube-scheduler');
    return new KubeSchedulerRun(plane, startedMs);
  }

  usage(): Usage {
    return usageOf(this.plane.pidOf('kube-scheduler'));
  }

  end(): Promise<void> {
    return this.plane.kill('kube-scheduler');
  }
}

/** As an operator starts it for the first time, but for the tree of quotas: there is plenty. */
class BerthRun implements Contestant {
  private constructor(
    private readonly system: RunningSystem,
    readonly startedMs: number,
  ) {}

  static async start(plane: ControlPlane): Promise<BerthRun> {
    const quotas = `
teams: [{ name: ${TEAM}, title: Research }]
flavors: [{ name: h100, model: nvidia-h100-80gb-hbm3 }]
queues: [{ name: ${TEAM}, team: ${TEAM}, quotas: { h100: { nominal: 1000000 } } }]`;
    const startedMs = performance.now();
    const options = ['--driver', 'kubernetes', '--kubeconfig', plane.kubeconfig];
    return new BerthRun(await RunningSystem.start({ quotas, options }), startedMs);
  }

  usage(): Usage {
    const server = usageOf(this.system.server.pid);
    const database = usageOf(this.system.postmaster);
    return { cpuMs: server.cpuMs + database.cpuMs, residentMib: server.residentMib + database.residentMib };
  }

  end(): Promise<void> {
    return this.system.server.remove();
  }
}
