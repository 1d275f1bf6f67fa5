import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JobSchema } from '../../src/trainer/contract.js';
import type { LocalCluster } from '../../src/cluster/local/local-cluster.js';
import { PodFolder } from '../../src/cluster/local/pod-folder.js';
import { LocalDriverHarness, processesOf } from '../support/local-driver.js';
import { ObservationLog, readAll, until } from '../support/observation-log.js';
import { aNode, anOrder, shell } from '../support/pod-orders.js';

const FOR_EVER = shell('echo ready; while :; do sleep 0.05; done');
const EATS_MEMORY = [
  process.execPath,
  '-e',
  'const eaten = []; setInterval(() => eaten.push(Buffer.alloc(4 * 2 ** 20, 1)), 5);',
];

describe('LocalCluster', () => {
  let harness: LocalDriverHarness;
  let log: ObservationLog;

  beforeEach(() => {
    harness = new LocalDriverHarness();
    log = new ObservationLog();
  });

  afterEach(async () => {
    await harness.dispose();
  });

  async function started(options: Parameters<LocalDriverHarness['create']>[0] = {}): Promise<LocalCluster> {
    const cluster = harness.create(options);
    await cluster.start(log.observe);
    return cluster;
  }

  describe('limits', () => {
    it.each(['auto', 'never'] as const)(
      'kill a pod over its memory and say the numbers (control groups: %s)',
      async (cgroups) => {
        const cluster = await started({ limits: { cgroups } });
        await cluster.createPod(anOrder(EATS_MEMORY, { memoryMib: 200 }));
        const end = await log.end('wl-1');
        expect(end).toMatchObject({ outcome: 'failed', blame: 'workload', exitCode: 137 });
        expect(end.detail).toMatch(/^OOMKilled: the pod used \d+ MiB, its limit is 200 MiB/);
      },
    );

    it('do not make a pod larger than this machine impossible', async () => {
      const cluster = await started();
      await cluster.createPod(anOrder(shell('exit 0'), { memoryMib: 900_000, cpuMilli: 90_000 }));
      expect(await log.end('wl-1')).toMatchObject({ outcome: 'succeeded' });
    });

    it('bound how many pods run at once; the next one is tried again later', async () => {
      const cluster = await started({ limits: { podsMax: 1 } });
      await cluster.createPod(anOrder(FOR_EVER));
      await expect(cluster.createPod(anOrder(FOR_EVER, { index: 1 }))).rejects.toThrow('its limit is 1');
    });

    it('bound the output that is kept of a pod, which says so', async () => {
      const cluster = await started();
      const order = anOrder(shell('yes 0123456789abcdef | head -c 12000000; echo the end'));
      await cluster.createPod(order);
      await log.end('wl-1');
      const output = await readAll(cluster.readLogs(order.name, { follow: false }));
      expect(output).toMatch(/^\[berth\] \d+ older parts of this log were dropped/);
      expect(output.endsWith('the end\n')).toBe(true);
      expect(output.length).toBeLessThan(8.1 * 2 ** 20);
    });
  });

  describe('programs', () => {
    it('that do not exist end with 127, and those that cannot be run with 126', async () => {
      const cluster = await started();
      await cluster.createPod(anOrder(['/no/such/program'], { workload: 'absent' }));
      await cluster.createPod(anOrder([harness.directory], { workload: 'folder' }));
      expect(await log.end('absent')).toMatchObject({ outcome: 'failed', blame: 'workload', exitCode: 127 });
      expect(await log.end('folder')).toMatchObject({ outcome: 'failed', blame: 'workload', exitCode: 126 });
    });

    it('leave no process behind when they end, not even in another session', async () => {
      const cluster = await started();
      await cluster.createPod(anOrder(shell('setsid sleep 1000 & sleep 1000 & echo bye')));
      await log.end('wl-1');
      const left = (): readonly string[] => processesOf(harness.directory).filter((line) => line.includes('sleep'));
      expect(left()).toEqual([]);
    });

    it('of the trainer get their job as a file, and virtual devices', async () => {
      const trainerFile = join(harness.directory, 'trainer.mjs');
      writeFileSync(
        trainerFile,
        `import { readFileSync } from 'node:fs';
         const [flag, file] = process.argv.slice(2);
         console.log(flag, JSON.parse(readFileSync(file, 'utf8')).name, process.env.BERTH_VIRTUAL_DEVICES);`,
      );
      const job = JobSchema.parse({
        name: 'adult-income',
        data: { format: 'csv', train: '/data/a.csv' },
        features: [{ name: 'age', type: 'number' }],
        target: { name: 'income', type: 'binary' },
        model: { type: 'mlp', hidden: [4] },
        train: { epochs: 1 },
      });
      const cluster = await started({ trainerFile });
      await cluster.createPod(anOrder([], { program: { kind: 'trainer', job } }));
      expect(await log.end('wl-1')).toMatchObject({ logTail: '--file adult-income 1\n' });
    });

    it('keep their token to themselves', async () => {
      const cluster = await started();
      const order = anOrder(FOR_EVER);
      await cluster.createPod(order);
      const token = join(harness.directory, 'pods', order.name, 'token');
      expect(statSync(token).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(harness.directory, 'pods', order.name, 'plan.json'), 'utf8')).not.toContain('secret-of');
    });
  });

  describe('names', () => {
    it.each(['../../etc', 'a/b', '.hidden', '', 'a..b', 'x'.repeat(200)])('refuse %j as a folder', async (name) => {
      const cluster = await started();
      const orders = [
        { ...anOrder(shell('true')), name },
        anOrder(shell('true'), { team: name }),
        anOrder(shell('true'), { workload: name }),
      ];
      for (const order of orders) {
        expect(await cluster.createPod(order)).toMatchObject({ kind: 'refused', retry: 'never' });
      }
      expect(readdirSync(join(harness.directory, 'pods'))).toEqual([]);
    });

    it('of a folder too deep for a socket still work', async () => {
      const directory = join(harness.directory, 'd'.repeat(60), 'e'.repeat(60));
      const deep = new LocalDriverHarness({ directory });
      const cluster = deep.create();
      await cluster.start(log.observe);
      await cluster.createPod(anOrder(shell('echo deep')));
      expect(await log.end('wl-1')).toMatchObject({ logTail: 'deep\n' });
      await deep.dispose();
    });
  });

  describe('nodes', () => {
    it('that fail lose their pods at once, and only theirs', async () => {
      const cluster = await started();
      await cluster.createPod(anOrder(shell('trap "" TERM; while :; do sleep 0.05; done'), { workload: 'here' }));
      await cluster.createPod(anOrder(FOR_EVER, { workload: 'there', node: 'node-b' }));
      await log.kind('here', 'pod-started');
      await log.kind('there', 'pod-started');
      expect(await cluster.fail('node-a')).toBe('failed');
      expect(await log.end('here')).toMatchObject({ outcome: 'lost', blame: 'node', exitCode: 137 });
      expect(log.ofPod('there').map(({ kind }) => kind)).toEqual(['pod-bound', 'pod-started']);
      const lost = { kind: 'node-state-changed', node: 'node-a', state: 'lost', cause: 'failed by an operator' };
      expect(log.all).toContainEqual(lost);
      expect(await cluster.createPod(anOrder(FOR_EVER, { workload: 'next' }))).toMatchObject({ retry: 'elsewhere' });
      expect(await cluster.fail('node-z')).toBe('unknown-node');
    });

    it('stay failed over a restart, until they are restored, empty', async () => {
      const before = await started();
      await before.fail('node-a');
      await before.stop('end');
      log = new ObservationLog();
      const cluster = await started();
      expect(log.all).toContainEqual(expect.objectContaining({ node: 'node-a', state: 'lost' }));
      expect(await cluster.restore('node-a')).toBe('restored');
      expect(log.all.slice(-2)).toMatchObject([
        { kind: 'node-fenced', node: 'node-a' },
        { kind: 'node-state-changed', node: 'node-a', state: 'healthy' },
      ]);
      expect(await cluster.createPod(anOrder(shell('true')))).toEqual({ kind: 'created' });
      expect(await cluster.restore('node-z')).toBe('unknown-node');
    });

    it('that left the fleet file are removed, with their pods', async () => {
      const before = await started();
      await before.createPod(anOrder(FOR_EVER, { node: 'node-b' }));
      await log.kind('wl-1', 'pod-started');
      await before.stop('keep');
      log = new ObservationLog();
      const seen = await harness.create({ nodes: [aNode('node-a')] }).start(log.observe);
      expect(seen).toMatchObject([{ state: 'ended', end: { outcome: 'lost', blame: 'node' } }]);
      expect(log.all[0]).toEqual({ kind: 'node-removed', node: 'node-b' });
    });
  });

  describe('a shim that is killed', () => {
    it('takes its pod with it, as lost', async () => {
      const cluster = await started();
      const order = anOrder(FOR_EVER);
      await cluster.createPod(order);
      await log.kind('wl-1', 'pod-started');
      const shim = new PodFolder(join(harness.directory, 'pods', order.name)).claimant();
      process.kill(shim?.pid ?? Number.NaN, 'SIGKILL');
      expect(await log.end('wl-1')).toMatchObject({ outcome: 'lost', blame: 'node' });
      await until('the end of its processes', () => processesOf(harness.directory).length === 0);
    });

    it('is never confused with another process that got its pid', async () => {
      const before = await started();
      const order = anOrder(FOR_EVER);
      await before.createPod(order);
      await log.kind('wl-1', 'pod-started');
      await before.stop('end');
      const folder = join(harness.directory, 'pods', order.name);
      // As if the machine had lost power: the folder says "started", its pids are others' now.
      writeFileSync(join(folder, 'claim.json'), JSON.stringify({ pid: process.pid, birth: 'long-ago/1' }));
      const group = { pid: process.ppid, birth: 'long-ago/2' };
      writeFileSync(join(folder, 'status.json'), JSON.stringify({ phase: 'started', cgroups: [], group }));
      log = new ObservationLog();
      await started();
      expect(await log.end('wl-1')).toMatchObject({ outcome: 'lost', blame: 'node' });
    });
  });

  describe('stop', () => {
    it('with end lets pods save, and kills what resists, in less than eight seconds', async () => {
      const cluster = await started();
      const saves = shell('trap "echo saved; exit 75" TERM; echo ready; while :; do sleep 0.05; done');
      const resists = shell('trap "" TERM; echo ready; while :; do sleep 0.05; done');
      await cluster.createPod(anOrder(saves, { workload: 'saves', graceSeconds: 60 }));
      await cluster.createPod(anOrder(resists, { workload: 'resists', graceSeconds: 1 }));
      for (const workload of ['saves', 'resists']) {
        const tail = cluster.readLogs(`${workload}-1-worker-0`, { follow: true });
        for await (const chunk of tail) if (chunk.includes('ready')) break;
      }
      const start = performance.now();
      await cluster.stop('end');
      expect(performance.now() - start).toBeLessThan(8000);
      expect(await harness.create().start(log.observe)).toMatchObject([
        { pod: { workload: 'resists' }, end: { outcome: 'evicted', blame: 'node', exitCode: 137 } },
        { pod: { workload: 'saves' }, end: { outcome: 'evicted', blame: 'node', exitCode: 75 } },
      ]);
    });

    it('refuses a second server on the same folder', async () => {
      await started();
      await expect(harness.create().start(log.observe)).rejects.toThrow('another server runs the pods');
    });
  });

  it('tells again what its server could not take', async () => {
    let isFull = true;
    const cluster = harness.create();
    await cluster.start((observation) => {
      if (isFull && observation.kind.startsWith('pod-')) throw new Error('full');
      log.observe(observation);
    });
    await cluster.createPod(anOrder(shell('echo done')));
    await until('the end', () => processesOf(harness.directory).length === 0);
    expect(log.ofPod('wl-1')).toEqual([]);
    isFull = false;
    await log.end('wl-1');
    expect(log.ofPod('wl-1').map(({ kind }) => kind)).toEqual(['pod-bound', 'pod-started', 'pod-ended', 'pod-gone']);
  });

  it('lists an ended pod until its server has deleted it, and keeps its output', async () => {
    const before = await started();
    const order = anOrder(shell('echo kept'));
    await before.createPod(order);
    await log.end('wl-1');
    await before.stop('keep');
    const second = harness.create();
    expect(await second.start(log.observe)).toMatchObject([{ state: 'ended' }]);
    await until('the second telling', () => log.kinds.filter((kind) => kind === 'pod-gone').length === 2);
    await second.deletePod(order.name);
    await second.stop('keep');
    const third = await started();
    expect(await readAll(third.readLogs(order.name, { follow: true }))).toBe('kept\n');
    expect(log.kinds.filter((kind) => kind === 'pod-gone')).toHaveLength(2);
  });

  it('removes folders that are no pods of its own', async () => {
    const pods = join(harness.directory, 'pods');
    mkdirSync(join(pods, '.new-half'), { recursive: true });
    mkdirSync(join(pods, 'broken'));
    writeFileSync(join(pods, 'broken', 'plan.json'), '{"name": "broken"');
    expect(await harness.create().start(log.observe)).toEqual([]);
    expect(readdirSync(pods)).toEqual([]);
  });
});
