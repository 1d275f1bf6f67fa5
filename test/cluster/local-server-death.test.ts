import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PodOrder } from '../../src/cluster/cluster.js';
import type { LocalLimits } from '../../src/cluster/local/local-limits.js';
import { LocalDriverHarness, SHIM_FILE, processesOf } from '../support/local-driver.js';
import { ObservationLog, readAll, until } from '../support/observation-log.js';
import { aNode, anOrder, shell } from '../support/pod-orders.js';
import { CHECKOUT } from '../support/scratch-checkout.js';

const HOST = join(CHECKOUT, 'test', 'support', 'local-driver-host.mjs');
/** The promise of the driver: so long after its server died, nothing of it runs. */
const ALL_OVER_MS = 10_000;
const TICKING = 'i=0; while :; do i=$((i+1)); echo $i > $BERTH_WORKLOAD_DIR/ticks; sleep 0.05; done';
const SAVES_ITSELF = `trap 'echo saved > $BERTH_WORKLOAD_DIR/checkpoint; exit 75' TERM; ${TICKING}`;
const STUBBORN = `trap '' TERM; ${TICKING}`;

describe('when the server is killed with -9', () => {
  let harness: LocalDriverHarness;
  const hosts: ChildProcess[] = [];

  beforeEach(() => {
    harness = new LocalDriverHarness();
  });

  afterEach(async () => {
    for (const host of hosts.splice(0)) host.kill('SIGKILL');
    await harness.dispose();
  });

  /** A server in a process of its own, with all these pods running. */
  async function serve(orders: readonly PodOrder[], limits: Partial<LocalLimits> = {}): Promise<ChildProcess> {
    const options = {
      directory: harness.directory,
      nodes: [aNode('node-a'), aNode('node-b')],
      shimFile: SHIM_FILE,
      limits,
    };
    const host = spawn(process.execPath, [HOST, JSON.stringify({ options, orders })], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DATABASE_URL: 'postgres://user:secret@db/berth', NODE_OPTIONS: '' },
    });
    hosts.push(host);
    let said = '';
    host.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until('the server', () => said.includes('ready'));
    return host;
  }

  function workloadFile(workload: string, name: string): string {
    return readFileSync(join(harness.directory, 'workloads', 'research', workload, name), 'utf8').trim();
  }

  it('its pods go on without a gap under a server that comes back in time', async () => {
    const order = anOrder(shell(TICKING));
    const host = await serve([order]);
    host.kill('SIGKILL');
    const log = new ObservationLog();
    const restarted = harness.create();
    const { name, pod, node } = order;
    expect(await restarted.start(log.observe)).toEqual([{ name, pod, node, state: 'started' }]);
    const before = Number(workloadFile('wl-1', 'ticks'));
    await until('the pod to go on', () => Number(workloadFile('wl-1', 'ticks')) > before + 5);
    await restarted.deletePod(name);
    expect(await log.end('wl-1')).toMatchObject({ outcome: 'deleted', exitCode: 143 });
  });

  it('a server that may not lead yet keeps the pods alive by opening the driver', async () => {
    const limits = { adoptWithinMs: 500 };
    const host = await serve([anOrder(shell(TICKING))], limits);
    host.kill('SIGKILL');
    const restarted = harness.create();
    await restarted.open();
    const start = performance.now();
    await until('three times the time to adopt', () => performance.now() - start > 3 * limits.adoptWithinMs);
    const log = new ObservationLog();
    expect(await restarted.start(log.observe)).toMatchObject([{ state: 'started' }]);
    expect(log.kinds).not.toContain('pod-ended');
  });

  it('its pods save and end within ten seconds when no server comes back, also those that resist', async () => {
    await serve([
      anOrder(shell(SAVES_ITSELF), { workload: 'saver', graceSeconds: 30 }),
      anOrder(shell(STUBBORN), { workload: 'stubborn', graceSeconds: 30 }),
    ]).then((host) => host.kill('SIGKILL'));
    const killedAt = performance.now();
    const running = (): readonly string[] => processesOf(harness.directory);
    expect(running().length).toBeGreaterThanOrEqual(4);
    await until('the end of all processes', () => running().length === 0, { deadlineMs: ALL_OVER_MS, state: running });
    expect(performance.now() - killedAt).toBeLessThan(ALL_OVER_MS);
    expect(workloadFile('saver', 'checkpoint')).toBe('saved');

    const log = new ObservationLog();
    const seen = await harness.create().start(log.observe);
    const ends = seen.map(({ pod, state, end }) => [pod.workload, state, end]);
    expect(ends).toEqual([
      ['saver', 'ended', { outcome: 'evicted', blame: 'node', exitCode: 75 }],
      ['stubborn', 'ended', { outcome: 'evicted', blame: 'node', exitCode: 137 }],
    ]);
    await log.end('saver');
    expect(await log.end('stubborn')).toMatchObject({ detail: expect.stringContaining('server of the virtual node') });
  });

  it('a newer incarnation that is started afterwards never runs beside the older one', async () => {
    const who = 'echo $BERTH_INCARNATION > $BERTH_WORKLOAD_DIR/ticks';
    const host = await serve([anOrder(shell(`trap '' TERM; while :; do ${who}; sleep 0.01; done`))]);
    host.kill('SIGKILL');
    const log = new ObservationLog();
    const restarted = harness.create();
    await restarted.start(log.observe);
    const newer = anOrder(shell('for i in 1 2 3 4 5 6 7 8 9 10; do cat $BERTH_WORKLOAD_DIR/ticks; sleep 0.02; done'), {
      incarnation: 2,
    });
    await restarted.createPod({
      ...newer,
      program: { kind: 'command', command: shell(`${who}; ${newerText(newer)}`), env: {} },
    });
    const output = await readAll(restarted.readLogs(newer.name, { follow: true }));
    expect(output).toBe('2\n'.repeat(10));
    expect(await log.end('wl-1')).toMatchObject({ outcome: 'evicted', blame: 'scheduler' });
  });

  it('a newer incarnation that another server starts fences the older one', async () => {
    const host = await serve([anOrder(shell(STUBBORN))], { adoptWithinMs: 60_000 });
    host.kill('SIGKILL');
    const log = new ObservationLog();
    const restarted = harness.create();
    await restarted.start(log.observe);
    await restarted.createPod(anOrder(shell('true'), { incarnation: 2 }));
    await log.end('wl-1', 2);
    const late = await restarted.createPod(anOrder(shell('true'), { index: 1 }));
    expect(late).toMatchObject({ kind: 'refused', retry: 'never' });
  });

  it('its pods never see its secrets', async () => {
    await serve([anOrder(shell(`env > $BERTH_WORKLOAD_DIR/env; ${TICKING}`))]);
    const ticks = join(harness.directory, 'workloads', 'research', 'wl-1', 'ticks');
    await until('the first tick', () => existsSync(ticks));
    expect(workloadFile('wl-1', 'env')).not.toContain('DATABASE_URL');
  });
});

function newerText({ program }: PodOrder): string {
  return program.kind === 'command' ? (program.command[2] ?? '') : '';
}
