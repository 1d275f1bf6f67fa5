import { createNamespace } from '../../kubernetes/rig/namespaces.js';
import { until } from '../../support/observation-log.js';
import { RunningSystem } from '../../support/running-system.js';
import { BindWatch } from './bind-watch.js';
import { planeWithoutKubelets } from './plane-without-kubelets.js';
import { aPod, inParallel } from './pods.js';
import { ownUsage, usageOf } from './process-usage.js';

const PATIENCE_MS = 600_000;
const NAMESPACE = 'research';
const PATH = `/api/v1/namespaces/${NAMESPACE}/pods`;
const QUOTAS = `
teams: [{ name: research, title: Research }]
flavors: [{ name: h100, model: nvidia-h100-80gb-hbm3 }]
queues: [{ name: research, team: research, quotas: { h100: { nominal: 1000000 } } }]`;

export interface Restart {
  readonly nodes: number;
  /** Bound before the scheduler was killed. */
  readonly pods: number;
  /** From the start of the process to the binding of a pod that came while none ran. */
  readonly firstBindMs: number;
  /** Of the server's process then. */
  readonly residentMib: number;
  /** Of its database, with what its processes share counted for each. */
  readonly databaseMib: number;
}

/** Berth is killed with so many pods bound, and started again on what is left: ledger and API server. */
export async function measureRestart(nodes: number, pods: number): Promise<Restart> {
  const plane = await planeWithoutKubelets(nodes);
  try {
    await createNamespace(plane.api, NAMESPACE, { 'berth.dev/queue': 'research', 'berth.dev/team': 'research' });
    const create = (name: string): Promise<unknown> => {
      const body = aPod(name, { gpus: 0, cpu: '100m' }, { schedulerName: 'berth' });
      return plane.api.ask({ method: 'POST', path: PATH, body, timeoutMs: PATIENCE_MS });
    };
    await inParallel(pods, (index) => create(`pod-${index}`));
    const binds = await BindWatch.begin(plane, NAMESPACE);
    const options = ['--driver', 'kubernetes', '--kubeconfig', plane.kubeconfig];
    const system = await RunningSystem.start({ quotas: QUOTAS, options });
    try {
      const untilBound = (count: number): Promise<unknown> =>
        until(`${count} bound pods`, () => binds.count >= count, { deadlineMs: PATIENCE_MS, state: () => binds.count });
      await untilBound(pods);
      await until('the ledger to have noted them', async () => (await unconfirmed(system)) === 0, {
        deadlineMs: PATIENCE_MS,
      });
      await system.server.kill();
      await create('last');
      const startedMs = performance.now();
      const starting = system.server.start();
      await untilBound(pods + 1);
      const firstBindMs = binds.lastMs - startedMs;
      await starting;
      const { residentMib = 0 } = ownUsage(system.server.pid) ?? {};
      return { nodes, pods, firstBindMs, residentMib, databaseMib: usageOf(system.postmaster).residentMib };
    } finally {
      await system.server.remove();
      await binds.end();
    }
  } finally {
    await plane.stop();
  }
}

async function unconfirmed(system: RunningSystem): Promise<number> {
  const sql = `SELECT count(*)::int AS count FROM pods WHERE state = 'expected'`;
  const [row] = await system.query<{ count: number }>(sql);
  return row?.count ?? 0;
}
