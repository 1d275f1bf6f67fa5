/**
 * What others do to the pods and nodes that Berth is at work on, with the real programs: they change them, delete them,
 * bind theirs beside them, and ask for more than there is. Rows 17 and 34 to 37 of the fault plan.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { until } from '../../support/observation-log.js';
import { describeWithRig } from '../rig/describe-with-rig.js';
import { GPU_RESOURCE, fakeNodes } from '../rig/fake-nodes.js';
import { RunningCluster } from '../running-cluster.js';
import { Trial } from './trial.js';

const TEST_MS_MAX = 300_000;
const PATIENCE_MS = 120_000;
const GPUS = 32;
const NODE_GPUS = 8;
const NODES = fakeNodes({ racks: 1, nodesPerRack: 4 });
const WRITES_PER_POD = 5;

describeWithRig('Berth, beside others', () => {
  let cluster: RunningCluster;
  let trial: Trial;
  let count = 0;

  beforeAll(async () => {
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS });
  }, TEST_MS_MAX);
  afterAll(() => cluster.stop(), TEST_MS_MAX);
  beforeEach(async () => {
    trial = await Trial.begin(cluster, `others-${++count}`);
  }, TEST_MS_MAX);
  afterEach(() => trial.end(), TEST_MS_MAX);

  it(
    'binds pods that somebody changes all the while, and keeps what they have written',
    async () => {
      const pods = Array.from({ length: GPUS + 8 }, (_, index) => `pod-${index}`);
      await trial.createPods(pods.length, { gpus: 1 });
      let last = 0;
      const flap = async (name: string): Promise<void> => {
        for (let write = 1; write <= WRITES_PER_POD || trial.history.boundPods < GPUS; write += 1) {
          await annotate(name, String(write));
          last = Math.max(last, write);
        }
        await annotate(name, 'the last');
      };
      await Promise.all(pods.map(flap));
      expect(last).toBeGreaterThanOrEqual(WRITES_PER_POD);
      // Room for those that have waited, whose notes were in the way of somebody else's writes.
      await trial.deletePods(trial.history.standing.slice(0, 8));
      await trial.untilBound(pods.length);
      const stored = await storedPods();
      expect(stored.map(({ metadata }) => metadata.annotations?.['example.com/flaps'])).toEqual(
        stored.map(() => 'the last'),
      );
    },
    TEST_MS_MAX,
  );

  it(
    'lets go of pods that are deleted in a loop while they are bound, alone and in gangs, and gives their room to others',
    async () => {
      const isDone = { is: false };
      const loop = (async () => {
        for (let index = 0; !isDone.is; index = (index + 1) % 40)
          await trial.deletePods([`pod-${index}`, `ring-${index % 10}-${index % 4}`]);
      })();
      for (let round = 0; round < 3; round += 1) {
        await trial.createPods(40, { gpus: 1 });
        for (let ring = 0; ring < 10; ring += 1) {
          const name = `ring-${ring}`;
          await trial.createPods(4, { prefix: name, gpus: 2, gang: { name, size: 4 } });
        }
      }
      isDone.is = true;
      await loop;
      await trial.createPods(4, { prefix: 'last', gpus: 1 });
      await trial.deletePods((await storedPods()).map(({ metadata }) => metadata.name).filter(isNotLast));
      await until('the last four alone', () => standsAlone(trial.history.standing), {
        deadlineMs: PATIENCE_MS,
        state: () => trial.history.standing,
      });
    },
    TEST_MS_MAX,
  );

  it(
    'gives nobody what somebody else has bound to a node, from 5 s on',
    async () => {
      const [node] = NODES;
      const name = node?.metadata.name ?? '';
      for (let index = 0; index < NODE_GPUS; index += 1) await bindOurselves(`stranger-${index}`, name);
      const isSeen = async (): Promise<boolean> => {
        const rows = await cluster.system.query('SELECT FROM nodes WHERE name = $1 AND foreign_pods = $2', [
          name,
          NODE_GPUS,
        ]);
        return rows.length === 1;
      };
      await until('the strangers to be seen', isSeen, { deadlineMs: 5000 });
      await trial.createPods(GPUS, { gpus: 1 });
      await trial.untilBound(GPUS);
      await until('the others to wait', async () => (await trial.workloads('pending')) === NODE_GPUS, {
        deadlineMs: PATIENCE_MS,
      });
      expect((await storedPods()).filter(({ spec }) => spec.nodeName === name)).toHaveLength(NODE_GPUS);
    },
    TEST_MS_MAX,
  );

  it(
    'starts no pod of a gang of which one can run nowhere, and says so on each',
    async () => {
      const gang = { name: 'ring', size: 4 };
      await trial.createPods(3, { prefix: 'able', gpus: 1, gang });
      await trial.createPods(1, { prefix: 'unable', gpus: 1, gang, nodeSelector: { nowhere: 'true' } });
      const reasons = async (): Promise<readonly (string | undefined)[]> => (await storedPods()).map(reasonOf);
      await until('all four to say why', async () => (await reasons()).every((reason) => reason === 'Unschedulable'), {
        deadlineMs: PATIENCE_MS,
        state: reasons,
      });
      expect(trial.history.boundPods).toBe(0);
    },
    TEST_MS_MAX,
  );

  it(
    'runs one after the other of gangs that fit alone and not together, made at the same time',
    async () => {
      const gangs = Array.from({ length: 6 }, (_, index) => ({ name: `ring-${index}`, size: 3 }));
      await Promise.all(gangs.map((gang) => trial.createPods(3, { prefix: gang.name, gpus: NODE_GPUS, gang })));
      for (let ended = 0; ended < gangs.length; ended += 1) {
        await trial.untilBound(3 * (ended + 1));
        const { standing } = trial.history;
        expect(new Set(standing.map((pod) => pod.slice(0, 'ring-0'.length))).size).toBe(1);
        expect(standing).toHaveLength(3);
        await trial.deletePods(standing);
        await until('its end', () => !trial.history.standing.some((pod) => standing.includes(pod)));
      }
    },
    TEST_MS_MAX,
  );

  async function storedPods(): Promise<readonly StoredPod[]> {
    const { api } = cluster.plane;
    const { items } = await api.ask<{ readonly items: readonly StoredPod[] }>({ method: 'GET', path: trial.pods });
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  async function annotate(name: string, value: string): Promise<void> {
    const body = { metadata: { annotations: { 'example.com/flaps': value } } };
    await cluster.plane.api.call({ method: 'PATCH', path: `${trial.pods}/${name}`, body, timeoutMs: PATIENCE_MS });
  }

  /** A pod that Berth has not been asked to place. */
  async function bindOurselves(name: string, node: string): Promise<void> {
    const { api } = cluster.plane;
    const resources = { requests: { cpu: '1', [GPU_RESOURCE]: '1' }, limits: { [GPU_RESOURCE]: '1' } };
    const spec = { schedulerName: 'somebody', containers: [{ name: 'main', image: 'none', resources }] };
    await api.ask({ method: 'POST', path: trial.pods, body: { metadata: { name }, spec } });
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
    await api.ask({ method: 'POST', path: `${trial.pods}/${name}/binding`, body: binding });
  }
});

interface StoredPod {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly reason?: string }[] };
}

function reasonOf({ status }: StoredPod): string | undefined {
  return status.conditions?.find(({ type }) => type === 'PodScheduled')?.reason;
}

function isNotLast(name: string): boolean {
  return !name.startsWith('last-');
}

function standsAlone(standing: readonly string[]): boolean {
  return standing.length === 4 && !standing.some(isNotLast);
}
