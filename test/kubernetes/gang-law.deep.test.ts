/**
 * The gang law under load, with the real processes: whatever happens to the scheduler, no gang is bound in part for long,
 * and no node has more than it holds. It is read from what the API server told, not from what Berth says.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { ServerProcess } from '../support/server-process.js';
import { PodHistory } from './pod-history.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { GPU_RESOURCE, createNodes, fakeNodes } from './rig/fake-nodes.js';
import { createNamespace } from './rig/namespaces.js';

const TEST_MS_MAX = 900_000;
const PATIENCE_MS = 600_000;
const GANG_MS_MAX = 20_000;
const NAMESPACE = 'research';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const GANGS = 200;
const KILLS = 5;
const CREATORS = 16;
const NODE = { gpus: 8, cpuMilli: 96_000 };
const NODES = fakeNodes({ racks: 10, nodesPerRack: 10 });

const QUOTAS = `
teams:
  - { name: research, title: Research }
flavors:
  - { name: h100, model: nvidia-h100-80gb-hbm3 }
queues:
  - { name: research, team: research, quotas: { h100: { nominal: 800 } } }
`;

describeWithRig('the gang law, where pods of Kubernetes are many and the scheduler dies', () => {
  let plane: ControlPlane;
  let system: RunningSystem;
  /** It leads when the other is dead for longer than a lease. */
  let standby: ServerProcess;

  beforeAll(async () => {
    plane = await ControlPlane.start();
    await createNodes(plane.api, NODES);
    await createNamespace(plane.api, NAMESPACE, { 'berth.dev/queue': 'research' });
    const options = ['--driver', 'kubernetes', '--kubeconfig', plane.kubeconfig];
    system = await RunningSystem.start({ quotas: QUOTAS, options });
    standby = await ServerProcess.start({ database: system.postgres.url, options });
  }, TEST_MS_MAX);
  afterAll(async () => {
    await standby.remove();
    await system.server.remove();
    await plane.stop();
  }, TEST_MS_MAX);

  it(
    `binds ${GANGS} gangs of 2 to 16 pods whole within 20 s each, through ${KILLS} deaths, and no node more than it has`,
    async () => {
      const gangs = new Map(Array.from({ length: GANGS }, (_, i) => [`gang-${i}`, 2 + ((i * 7) % 15)]));
      const podCount = [...gangs.values()].reduce((sum, size) => sum + size, 0);
      const history = await PodHistory.begin(plane.api, NAMESPACE);
      const creating = createGangs(plane, gangs);
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const wanted = Math.floor((podCount * kill) / (KILLS + 1));
        await until(`${wanted} bound pods`, () => history.boundPods >= wanted, { deadlineMs: PATIENCE_MS });
        const victim = await leader();
        await victim.kill();
        await victim.start();
      }
      await creating;
      await until('all pods to have been bound', () => history.boundPods >= podCount, { deadlineMs: PATIENCE_MS });
      await until('the ledger to let everything go', () => isAtRest(system), { deadlineMs: PATIENCE_MS });
      await history.end();

      expect(history.boundPods).toBe(podCount);
      expect(history.overfull(NODE)).toEqual([]);
      expect(history.partlyBound(gangs).filter(({ ms }) => ms > GANG_MS_MAX)).toEqual([]);
      await checkLedger(system);
      const states = await system.query('SELECT state, count(*)::int AS count FROM workloads GROUP BY state');
      expect(states).toEqual([{ state: 'succeeded', count: GANGS }]);
    },
    TEST_MS_MAX,
  );

  /** A server with a database of its own has a name of its own; the other is somebody else each time. */
  async function leader(): Promise<ServerProcess> {
    const [row] = await system.query<{ holder: string }>('SELECT holder FROM leadership');
    return row?.holder === 'embedded' ? system.server : standby;
  }
});

async function createGangs(plane: ControlPlane, gangs: ReadonlyMap<string, number>): Promise<void> {
  const pods = [...gangs].flatMap(([gang, size]) => Array.from({ length: size }, (_, i) => aPod(gang, size, i)));
  const work = pods.values();
  const creator = async (): Promise<void> => {
    for (const body of work) await plane.api.ask({ method: 'POST', path: PODS, body, timeoutMs: PATIENCE_MS });
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
}

function aPod(gang: string, size: number, index: number): object {
  const resources = { requests: { cpu: '4', [GPU_RESOURCE]: '1' }, limits: { [GPU_RESOURCE]: '1' } };
  return {
    metadata: {
      name: `${gang}-${index}`,
      labels: { 'berth.dev/gang': gang, 'berth.dev/gang-size': String(size) },
      annotations: { 'rig.berth.dev/runs-for': '5s' },
    },
    spec: { schedulerName: 'berth', restartPolicy: 'Never', containers: [{ name: 'main', image: 'none', resources }] },
  };
}
