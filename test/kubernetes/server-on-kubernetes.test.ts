/**
 * The whole server on a real API server: what is submitted to Berth becomes pods, and what happens to pods and nodes
 * becomes what Berth says. Nodes renew their leases as kubelets do by default, so the seconds here are those that are
 * promised.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { API_VERSION, type Workload, type WorkloadDocumentInput } from '../../src/server/workloads/workload.schema.js';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import type { RunningSystem } from '../support/running-system.js';
import type { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { RACK_LABEL, fakeNodes, reviveNode, silenceNode } from './rig/fake-nodes.js';
import { RunningCluster } from './running-cluster.js';

const TEST_MS_MAX = 300_000;
const PATIENCE_MS = 120_000;
/** From the silence of a node: two renewals are missed, and six. */
const NO_NEW_PODS_MS_MAX = 25_000;
const GANG_DECISION_MS_MAX = 65_000;
const TEAM = 'research';
const PODS = `/api/v1/namespaces/${TEAM}/pods`;
const GANG_PODS = 4;
/** Each rack has a node more than the gang needs. */
const NODES = fakeNodes({ racks: 2, nodesPerRack: GANG_PODS + 1 });
const GPUS = 80;

interface StoredPod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources: { readonly limits: Readonly<Record<string, string>> } }[];
  };
  readonly status: { readonly phase: string };
}

describeWithRig('the server on Kubernetes', () => {
  let cluster: RunningCluster;
  let plane: ControlPlane;
  let system: RunningSystem;

  beforeAll(async () => {
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS });
    ({ plane, system } = cluster);
    await cluster.createNamespace(TEAM);
  }, TEST_MS_MAX);
  afterAll(() => cluster.stop(), TEST_MS_MAX);

  async function podsOf(uid: string): Promise<readonly StoredPod[]> {
    const path = `${PODS}?labelSelector=berth.dev%2Fworkload%3D${uid}`;
    return (await plane.api.ask<{ readonly items: readonly StoredPod[] }>({ method: 'GET', path })).items;
  }

  /** Their programs end well: KWOK is told so, since it runs none. */
  async function endWell(uid: string): Promise<void> {
    const body = { metadata: { annotations: { 'rig.berth.dev/runs-for': '10ms' } } };
    for (const { metadata } of await podsOf(uid))
      await plane.api.ask({ method: 'PATCH', path: `${PODS}/${metadata.name}`, body });
  }

  async function untilAtRest(): Promise<void> {
    const podCount = async (): Promise<number> => {
      const { items } = await plane.api.ask<{ readonly items: readonly unknown[] }>({ method: 'GET', path: PODS });
      return items.length;
    };
    await until('the ledger to let everything go', () => isAtRest(system), { deadlineMs: PATIENCE_MS });
    await until('the last pod to be removed', async () => (await podCount()) === 0, { deadlineMs: PATIENCE_MS });
    await checkLedger(system);
  }

  async function untilNodes(state: string, names: readonly string[], deadlineMs: number): Promise<void> {
    const sql = 'SELECT name, state FROM nodes WHERE name = ANY($1)';
    const seen = (): ReturnType<typeof system.query> => system.query(sql, [names]);
    await until(
      `${names.join(', ')} to be ${state}`,
      async () => (await seen()).every((node) => node['state'] === state),
      {
        deadlineMs,
      },
    );
  }

  it(
    'runs a gang as bound pods in one rack, through the death of the API server, to its end',
    async () => {
      const uid = await system.submit(aGang('gang'));
      const { status } = await system.untilState(uid, 'running');
      const pods = await podsOf(uid);
      expect(pods.map(({ status: { phase } }) => phase)).toEqual(Array(GANG_PODS).fill('Running'));
      expect(placesOf(pods)).toEqual(new Map(status.pods.map(({ name, node }) => [name, node])));
      expect(new Set(placesOf(pods).values()).size).toBe(GANG_PODS);
      expect(racksOf(pods).size).toBe(1);
      for (const [index, { metadata, spec }] of sorted(pods).entries()) {
        // Kubernetes adds the topology of the node.
        expect(metadata.labels).toMatchObject({
          'app.kubernetes.io/managed-by': 'berth',
          'berth.dev/workload': uid,
          'berth.dev/workload-name': 'gang',
          'berth.dev/incarnation': '1',
          'berth.dev/pod-set': 'worker',
          'berth.dev/index': String(index),
          'berth.dev/rank': String(index),
        });
        expect(spec.containers[0]?.resources.limits).toMatchObject({ 'nvidia.com/gpu': '8' });
      }

      await plane.kill('kube-apiserver');
      const hasNoticed = (): boolean => system.server.logLines.some((line) => line.includes('"what":"watch-failed"'));
      await until('the server to notice', hasNoticed, { deadlineMs: PATIENCE_MS });
      await plane.restart('kube-apiserver');
      // That it is submitted, run and ended by the new API server proves that Berth is back at work there.
      const other = await system.submit(aGang('other'));
      await system.untilState(other, 'running');
      const after = await system.workload(uid);
      expect(after.status).toMatchObject({ state: 'running', incarnation: 1, retries: 0 });
      expect(after.status.lastEviction).toBeUndefined();
      expect(uidsOf(await podsOf(uid))).toEqual(uidsOf(pods));

      await endWell(uid);
      await endWell(other);
      await system.untilWorkload(uid, 'to succeed', isSucceeded);
      await system.untilWorkload(other, 'to succeed', isSucceeded);
      await untilAtRest();
    },
    TEST_MS_MAX,
  );

  it(
    'gives a silent node no pods, and runs its gang again elsewhere in time',
    async () => {
      const uid = await system.submit(aGang('mover'));
      await system.untilState(uid, 'running');
      const first = await podsOf(uid);
      const taken = [...placesOf(first).values()];
      const [rack] = racksOf(first);
      const idle = NODES.map(({ metadata }) => metadata).find(
        ({ name, labels }) => labels[RACK_LABEL] === rack && !taken.includes(name),
      );
      const [lost] = taken;
      if (lost === undefined || idle === undefined) throw new Error('each rack has a node more than the gang needs');
      const silent = [lost, idle.name];

      const silentAt = performance.now();
      const msLeft = (msMax: number): number => msMax - (performance.now() - silentAt);
      for (const node of silent) await silenceNode(plane.api, node);
      await untilNodes('suspect', silent, msLeft(NO_NEW_PODS_MS_MAX));
      const pinned = await system.submit(aPodOn(idle.name));
      await until('the next incarnation', async () => (await system.workload(uid)).status.incarnation === 2, {
        deadlineMs: msLeft(GANG_DECISION_MS_MAX),
      });

      await system.untilState(uid, 'running');
      const second = (await podsOf(uid)).filter(({ metadata }) => metadata.labels['berth.dev/incarnation'] === '2');
      expect(second).toHaveLength(GANG_PODS);
      expect(racksOf(second).size).toBe(1);
      expect(racksOf(second)).not.toContain(rack);
      expect((await system.workload(pinned)).status.state).toBe('pending');
      // The pod on the silent node is still to be believed in: nobody has seen it end.
      const old = (await podsOf(uid)).filter(({ metadata }) => metadata.labels['berth.dev/incarnation'] === '1');
      expect([...placesOf(old).values()]).toEqual([lost]);

      for (const node of silent) await reviveNode(plane.api, node);
      await system.untilState(pinned, 'running');
      await endWell(pinned);
      await endWell(uid);
      await system.untilWorkload(uid, 'to succeed', isSucceeded);
      await system.untilWorkload(pinned, 'to succeed', isSucceeded);
      await untilAtRest();
    },
    TEST_MS_MAX,
  );
});

function aGang(name: string): WorkloadDocumentInput {
  return aWorkload(name, { count: GANG_PODS, topology: { required: 'rack' } });
}

function aPodOn(node: string): WorkloadDocumentInput {
  return aWorkload('pinned', { nodeSelector: { 'kubernetes.io/hostname': node } });
}

function aWorkload(
  name: string,
  podSet: Partial<WorkloadDocumentInput['spec']['podSets'][number]>,
): WorkloadDocumentInput {
  const containers = [{ name: 'main', image: 'none', command: ['train'] }];
  const common = { accelerators: { flavors: ['h100'], count: 8 }, template: { spec: { containers } } };
  return {
    apiVersion: API_VERSION,
    kind: 'Workload',
    metadata: { name },
    spec: { queue: 'research', podSets: [{ ...common, ...podSet }] },
  };
}

function isSucceeded({ status }: Workload): boolean {
  return status.state === 'succeeded';
}

function sorted(pods: readonly StoredPod[]): readonly StoredPod[] {
  return [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function placesOf(pods: readonly StoredPod[]): ReadonlyMap<string, string | undefined> {
  return new Map(sorted(pods).map(({ metadata, spec }) => [metadata.name, spec.nodeName]));
}

function racksOf(pods: readonly StoredPod[]): ReadonlySet<string | undefined> {
  const nodes = new Set(placesOf(pods).values());
  return new Set(
    NODES.filter(({ metadata }) => nodes.has(metadata.name)).map(({ metadata }) => metadata.labels[RACK_LABEL]),
  );
}

function uidsOf(pods: readonly StoredPod[]): readonly string[] {
  return sorted(pods).map(({ metadata }) => metadata.uid);
}
