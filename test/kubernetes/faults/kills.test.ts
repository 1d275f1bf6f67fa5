/**
 * The death of those who decide, with the real programs: a scheduler dies at each step of what it does, both die,
 * everything dies; and the leadership goes from one to the other. Rows 1, 2, 3, 5 and 43 of the fault plan.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { until } from '../../support/observation-log.js';
import { killProcess } from '../../support/postgres-hosts.js';
import type { ServerProcess } from '../../support/server-process.js';
import type { ControlPlane } from '../rig/control-plane.js';
import { describeWithRig } from '../rig/describe-with-rig.js';
import { fakeNodes } from '../rig/fake-nodes.js';
import { RunningCluster } from '../running-cluster.js';
import { FaultProxy, type Passing } from './fault-proxy.js';
import { Trial } from './trial.js';

const TEST_MS_MAX = 600_000;
const PATIENCE_MS = 120_000;
const GPUS = 32;
const NODES = fakeNodes({ racks: 1, nodesPerRack: 4 });
const GANG = { name: 'ring', size: 8 };
const MANY = 100;
/** From the start of the next server. */
const BOUND_MS = 30_000;
const LEADER_CHANGES = 20;

describeWithRig('Berth goes on where it was', () => {
  let cluster: RunningCluster;
  let proxy: FaultProxy;
  let trial: Trial;
  let count = 0;

  beforeAll(async () => {
    const access = async (plane: ControlPlane): Promise<string> => {
      proxy = await FaultProxy.start(plane);
      return proxy.kubeconfig;
    };
    cluster = await RunningCluster.start({ nodes: NODES, gpus: GPUS, access });
  }, TEST_MS_MAX);
  afterAll(async () => {
    await cluster.stop();
    await proxy.stop();
  }, TEST_MS_MAX);
  beforeEach(async () => {
    trial = await Trial.begin(cluster, `kills-${++count}`);
  }, TEST_MS_MAX);
  afterEach(async () => {
    proxy.mend();
    await trial.end(BOUND_MS);
  }, TEST_MS_MAX);

  describe('with a gang, when it dies', () => {
    it(
      'before it has written what it decided',
      async () => {
        const lock = await lockTable('decisions');
        await createGang();
        await untilBlocked();
        await cluster.system.server.kill();
        await lock.end();
        expect(await intents()).toBe(0);
        await goOn();
      },
      TEST_MS_MAX,
    );

    it.each([
      ['after it has written what it decided', 0],
      ['after the first of eight bindings', 1],
      ['after seven of eight bindings', 7],
    ])(
      '%s',
      async (_title, passed) => {
        const held = holdBindings(passed);
        await createGang();
        await until('the bindings to come', () => held.count === GANG.size, { deadlineMs: PATIENCE_MS });
        await trial.untilBound(passed);
        // The others are never let go: the proxy may hear only later that who asked for them is dead.
        await cluster.system.server.kill();
        // What is bound may have been confirmed already, and nothing else.
        const left = await intents();
        expect(left).toBeGreaterThanOrEqual(GANG.size - passed);
        expect(left).toBeLessThanOrEqual(GANG.size);
        expect(trial.history.boundPods).toBe(passed);
        await goOn();
      },
      TEST_MS_MAX,
    );

    it(
      'before it has written what was done',
      async () => {
        const held = holdBindings(0);
        await createGang();
        await until('the bindings to come', () => held.count === GANG.size, { deadlineMs: PATIENCE_MS });
        const lock = await lockTable('outbox');
        held.release();
        await trial.untilBound(GANG.size);
        await untilBlocked();
        await cluster.system.server.kill();
        await lock.end();
        expect(await intents()).toBe(GANG.size);
        await goOn();
      },
      TEST_MS_MAX,
    );

    it(
      'while bindings are on their way, which arrive when the next one is at work',
      async () => {
        const held = holdBindings(4, 'late');
        await createGang();
        await until('the bindings to come', () => held.count === GANG.size, { deadlineMs: PATIENCE_MS });
        await cluster.system.server.kill();
        await cluster.system.server.start();
        held.release();
        await trial.untilBound(GANG.size, BOUND_MS);
        expect(await trial.evictions()).toEqual([]);
      },
      TEST_MS_MAX,
    );
  });

  it(
    'when everything dies in the middle, and is started in another order',
    async () => {
      const { plane, system } = cluster;
      const creating = trial.createPods(MANY);
      await trial.untilBound(10);
      await Promise.all(
        (['kube-apiserver', 'etcd', 'kwok', 'kube-controller-manager'] as const).map((it) => plane.kill(it)),
      );
      await system.server.kill();
      await killProcess(system.postmaster);
      // Without an API server it says so and ends, and whoever runs it starts it again.
      await expect(system.server.start()).rejects.toThrow(/cannot reach the API server/);
      const apiServer = plane.restart('kube-apiserver');
      await delay(1000);
      await Promise.all([plane.restart('etcd'), apiServer]);
      await system.server.start();
      await Promise.all([plane.restart('kwok'), plane.restart('kube-controller-manager')]);
      await creating;
      await trial.untilBound(MANY);
      expect(await trial.evictions()).toEqual([]);
    },
    TEST_MS_MAX,
  );

  describe('with another scheduler beside it', () => {
    let other: ServerProcess;
    beforeAll(async () => {
      other = await cluster.startStandby();
    }, TEST_MS_MAX);
    afterAll(() => other.remove(), TEST_MS_MAX);

    it(
      'when the leader is frozen past its lease: the other leads, and the first stops when it wakes',
      async () => {
        const { server } = cluster.system;
        const creating = trial.createPods(MANY);
        await trial.untilBound(10);
        const before = await cluster.epoch();
        server.signal('SIGSTOP');
        await until('the other to lead', async () => (await cluster.epoch()) > before, { deadlineMs: PATIENCE_MS });
        server.signal('SIGCONT');
        await creating;
        await trial.untilBound(MANY);
        expect(await trial.evictions()).toEqual([]);
        const hasNoticed = (): boolean => server.logLines.some((line) => /leadership lost|term ended/.test(line));
        await until('the first to notice', hasNoticed, { deadlineMs: PATIENCE_MS });
      },
      TEST_MS_MAX,
    );

    it(
      `when the leadership goes from one to the other ${LEADER_CHANGES} times while pods come and go`,
      async () => {
        const holders = new Set<string>();
        for (let change = 0; change < LEADER_CHANGES; change += 1) {
          await trial.createPods(5, { prefix: `pod-${change}` });
          const present = await deposeLeader();
          await until('the next leader', async () => (await cluster.epoch()) > present, { deadlineMs: PATIENCE_MS });
          holders.add(await cluster.leader());
          await trial.deletePods(trial.history.standing.slice(0, 2));
        }
        expect(holders.size).toBe(2);
        await until('all that are left to be bound', async () => (await trial.workloads('pending')) === 0, {
          deadlineMs: PATIENCE_MS,
        });
        expect(await trial.evictions()).toEqual([]);
      },
      TEST_MS_MAX,
    );

    it(
      'when both die and one is started',
      async () => {
        const creating = trial.createPods(MANY);
        await trial.untilBound(10);
        await Promise.all([cluster.system.server.kill(), other.kill()]);
        await cluster.system.server.start();
        await creating;
        await trial.untilBound(MANY, BOUND_MS);
        expect(await trial.evictions()).toEqual([]);
      },
      TEST_MS_MAX,
    );
  });

  async function createGang(): Promise<void> {
    await trial.createPods(GANG.size, { prefix: GANG.name, gpus: 2, gang: GANG });
  }

  /** The next one leads, and no pod of the gang is started a second time or given up. */
  async function goOn(): Promise<void> {
    proxy.mend();
    await cluster.system.server.start();
    await trial.untilBound(GANG.size, BOUND_MS);
    expect(await trial.evictions()).toEqual([]);
  }

  async function intents(): Promise<number> {
    const rows = await cluster.system.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM outbox WHERE state = 'pending'`,
    );
    return rows[0]?.count ?? 0;
  }

  /** So many pass, the others wait; those of a dead server are forgotten, unless they are on their way already. */
  function holdBindings(passed: number, way: 'forgotten' | 'late' = 'forgotten') {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const held = {
      count: 0,
      release: (): void => {
        release();
      },
    };
    proxy.decide((call) => {
      if (!isBinding(call) || ++held.count <= passed) return undefined;
      return { kind: 'waits', until: released, ...(way === 'late' && { late: true }) };
    });
    return held;
  }

  /** Nobody writes to it until this ends, and everybody reads. */
  async function lockTable(table: 'decisions' | 'outbox'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: cluster.system.postgres.url });
    await client.connect();
    await client.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`);
    return client;
  }

  async function untilBlocked(): Promise<void> {
    const isBlocked = async (): Promise<boolean> => {
      const sql = `SELECT FROM pg_stat_activity WHERE application_name = 'berth' AND wait_event = 'relation'`;
      return (await cluster.system.query(sql)).length > 0;
    };
    await until('the scheduler to wait for the lock', isBlocked, { deadlineMs: PATIENCE_MS });
  }

  /** Its next write is refused, wherever it is, and whoever comes first leads; the epoch of nobody, in between. */
  async function deposeLeader(): Promise<number> {
    const [row] = await cluster.system.query<{ epoch: string }>(
      `UPDATE leadership SET epoch = epoch + 1, holder = '', expires_at = '-infinity' RETURNING epoch`,
    );
    return Number(row?.epoch);
  }
});

function isBinding({ method, path }: Passing): boolean {
  return method === 'POST' && path.endsWith('/binding');
}
