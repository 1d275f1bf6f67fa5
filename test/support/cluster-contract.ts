import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cluster } from '../../src/cluster/cluster.js';
import { ObservationLog, readAll, until } from './observation-log.js';
import { anOrder, shell } from './pod-orders.js';

/** A driver under test. Its fleet has the nodes `node-a` and `node-b`; nothing of before runs there. */
export interface ClusterHarness {
  /** A driver that is not started; called again for a restart, when the one before has been stopped. */
  create(): Cluster;
  /** Ends all that the driver has started, whatever state it is in. */
  dispose(): Promise<void>;
}

/** What the live loop relies on, whatever the driver: each driver's tests run this suite. */
export function describeClusterContract(driver: string, prepare: () => Promise<ClusterHarness>): void {
  describe(`${driver} keeps the contract of a cluster driver`, () => {
    let harness: ClusterHarness;
    let cluster: Cluster;
    let log: ObservationLog;

    beforeEach(async () => {
      harness = await prepare();
      cluster = harness.create();
      log = new ObservationLog();
    });

    afterEach(async () => {
      await harness.dispose();
    });

    it('observes all nodes before it lists its pods', async () => {
      const pods = await cluster.start(log.observe);
      expect(pods).toEqual([]);
      const nodes = log.all.flatMap((one) => (one.kind === 'node-seen' ? [one.node.name] : []));
      expect(nodes).toEqual(['node-a', 'node-b']);
    });

    it('tells the life of a pod in order, once, with its exit code and the end of its output', async () => {
      await cluster.start(log.observe);
      expect(await cluster.createPod(anOrder(shell('echo hello')))).toEqual({ kind: 'created' });
      const end = await log.end('wl-1');
      expect(end).toMatchObject({ outcome: 'succeeded', blame: 'workload', exitCode: 0, logTail: 'hello\n' });
      const kinds = log.ofPod('wl-1').map(({ kind }) => kind);
      expect(kinds).toEqual(['pod-bound', 'pod-started', 'pod-ended', 'pod-gone']);
    });

    it('reports the exit code of a program that fails', async () => {
      await cluster.start(log.observe);
      await cluster.createPod(anOrder(shell('exit 65')));
      expect(await log.end('wl-1')).toMatchObject({ outcome: 'failed', blame: 'workload', exitCode: 65 });
    });

    it('tells a pod who it is', async () => {
      await cluster.start(log.observe);
      const names = ['WORKLOAD', 'POD', 'INCARNATION', 'DEVICES', 'STATUS_URL', 'GRACE_SECONDS'].map(
        (name) => `BERTH_${name}`,
      );
      const show = [...names, 'RANK', 'WORLD_SIZE'].map((name) => `echo ${name}=$${name}`).join('; ');
      const order = anOrder(shell(`${show}; cat $BERTH_STATUS_TOKEN_FILE`), {
        incarnation: 3,
        rank: 1,
        worldSize: 2,
        slots: [
          { slot: 2, milli: 1000 },
          { slot: 5, milli: 1000 },
        ],
        env: { RANK: '7' }, // its own variables do not make it another pod
      });
      await cluster.createPod(order);
      const { logTail = '' } = await log.end('wl-1', 3);
      expect(logTail.split('\n')).toEqual([
        'BERTH_WORKLOAD=wl-1',
        'BERTH_POD=wl-1-3-worker-0',
        'BERTH_INCARNATION=3',
        'BERTH_DEVICES=2,5',
        'BERTH_STATUS_URL=http://127.0.0.1:9/status',
        'BERTH_GRACE_SECONDS=2',
        'RANK=1',
        'WORLD_SIZE=2',
        'secret-of-the-pod',
      ]);
    });

    it('runs a pod once, however often it is ordered', async () => {
      await cluster.start(log.observe);
      const order = anOrder(shell('echo once >> $BERTH_WORKLOAD_DIR/runs; cat $BERTH_WORKLOAD_DIR/runs'));
      const together = await Promise.all([cluster.createPod(order), cluster.createPod(order)]);
      await log.end('wl-1');
      expect([...together, await cluster.createPod(order)]).toEqual(Array(3).fill({ kind: 'created' }));
      expect(await log.end('wl-1')).toMatchObject({ logTail: 'once\n' });
    });

    it('keeps the folder of a workload for its next incarnation', async () => {
      await cluster.start(log.observe);
      await cluster.createPod(anOrder(shell('echo saved > $BERTH_WORKLOAD_DIR/checkpoint')));
      await log.end('wl-1');
      await cluster.createPod(anOrder(shell('cat $BERTH_WORKLOAD_DIR/checkpoint'), { incarnation: 2 }));
      expect(await log.end('wl-1', 2)).toMatchObject({ logTail: 'saved\n' });
    });

    it('lets a pod that is deleted stop by itself', async () => {
      await cluster.start(log.observe);
      const order = anOrder(shell('trap "echo saving; exit 75" TERM; echo ready; while :; do sleep 0.05; done'));
      await cluster.createPod(order);
      await outputOf(cluster, order.name, 'ready');
      expect(await cluster.deletePod(order.name)).toBe('stopping');
      const end = await log.end('wl-1');
      expect(end).toMatchObject({ outcome: 'deleted', blame: 'scheduler', exitCode: 75 });
      expect(end.logTail).toContain('saving');
    });

    it('kills a pod that does not stop within its grace', async () => {
      await cluster.start(log.observe);
      const stubborn = shell('trap "" TERM; echo ready; while :; do sleep 0.05; done');
      const order = anOrder(stubborn, { graceSeconds: 1 });
      await cluster.createPod(order);
      await outputOf(cluster, order.name, 'ready');
      await cluster.deletePod(order.name);
      expect(await log.end('wl-1')).toMatchObject({ outcome: 'deleted', blame: 'scheduler', exitCode: 137 });
    });

    it('does not know a pod that was never created', async () => {
      await cluster.start(log.observe);
      expect(await cluster.deletePod('wl-1-1-worker-0')).toBe('unknown');
      expect(await readAll(cluster.readLogs('wl-1-1-worker-0', { follow: true }))).toBe('');
    });

    it('refuses a pod for a node that it does not have', async () => {
      await cluster.start(log.observe);
      const creation = await cluster.createPod(anOrder(shell('true'), { node: 'node-z' }));
      expect(creation).toMatchObject({ kind: 'refused', retry: 'elsewhere' });
    });

    it('follows the output of a pod to its end', async () => {
      await cluster.start(log.observe);
      const order = anOrder(shell('for i in 1 2 3; do echo line $i; sleep 0.1; done'));
      await cluster.createPod(order);
      expect(await readAll(cluster.readLogs(order.name, { follow: true }))).toBe('line 1\nline 2\nline 3\n');
    });

    it('reads the last lines of an output', async () => {
      await cluster.start(log.observe);
      const order = anOrder(shell('seq 1 100'));
      await cluster.createPod(order);
      await log.end('wl-1');
      expect(await readAll(cluster.readLogs(order.name, { follow: false, tail: 2 }))).toBe('99\n100\n');
      expect(await readAll(cluster.readLogs(order.name, { follow: true, tail: 0 }))).toBe('');
    });

    it('finds its pods again after a restart, and still tells their end', async () => {
      await cluster.start(log.observe);
      const order = anOrder(shell('echo ready; while [ ! -e $BERTH_WORKLOAD_DIR/go ]; do sleep 0.05; done; exit 3'));
      await cluster.createPod(order);
      await log.kind('wl-1', 'pod-started');
      await cluster.stop('keep');
      const restarted = harness.create();
      const after = new ObservationLog();
      const { name, pod, node } = order;
      expect(await restarted.start(after.observe)).toEqual([{ name, pod, node, state: 'started' }]);
      await restarted.createPod(anOrder(shell('touch $BERTH_WORKLOAD_DIR/go'), { index: 1 }));
      const ends = (): number[] =>
        after.all.flatMap((one) => (one.kind === 'pod-ended' && one.pod.index === 0 ? [one.exitCode ?? -1] : []));
      await until('the end of the first pod', () => ends().length > 0);
      expect(ends()).toEqual([3]);
    });
  });
}

async function outputOf(cluster: Cluster, pod: string, text: string): Promise<void> {
  const controller = new AbortController();
  for await (const chunk of cluster.readLogs(pod, { follow: true, signal: controller.signal })) {
    if (chunk.includes(text)) return;
  }
  throw new Error(`${pod} ended without saying "${text}"`);
}
