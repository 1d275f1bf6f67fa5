import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster, type PodCreation, type PodSeen } from '../../src/cluster/cluster.js';
import { DriverWatch } from '../../src/server/scheduler/driver-watch.js';
import type { LedgerState } from '../../src/server/scheduler/ledger.js';
import { LocalDriverHarness } from '../support/local-driver.js';
import { until } from '../support/observation-log.js';
import { anOrder, shell } from '../support/pod-orders.js';

const NOTHING_HELD: LedgerState = {
  queues: [],
  nodes: [],
  workloads: [],
  pods: [],
  view: { flavors: [], queues: [], teams: [], found: [], placed: [] },
  cursor: { txid: '0', seq: '0', loaded: '0:0:' },
};

describe(DriverWatch.name, () => {
  let harness: LocalDriverHarness;

  beforeEach(() => {
    harness = new LocalDriverHarness();
  });

  afterEach(async () => {
    await harness.dispose();
  });

  it('lets the driver forget a pod whose end is noted, so that no later server hears of it', async () => {
    const first = harness.create();
    const watch = new DriverWatch(first);
    await watch.begin(NOTHING_HELD, () => undefined);
    await first.createPod(anOrder(shell('true')));
    await until('the end', () => watch.peek(100).some(({ kind }) => kind === 'pod-gone'));
    watch.drop(watch.waiting);
    await watch.follow();
    expect(await harness.create().start(() => undefined)).toEqual([]);
  });
});

/** A driver with one pod that nobody knows, and that may not be deleted. */
class DriverWithAStray extends Cluster {
  readonly asked: string[] = [];

  start(): Promise<readonly PodSeen[]> {
    const pod = { workload: 'gone', incarnation: 1, podSet: 'pods', index: 0 };
    return Promise.resolve([{ name: 'gone-1-pods-0', pod, node: 'n', state: 'bound' }]);
  }

  override disown(names: readonly string[]): Promise<void> {
    this.asked.push(...names.map((name) => `disown ${name}`));
    return Promise.resolve();
  }

  createPod(): Promise<PodCreation> {
    return Promise.reject(new Error('nobody asks for that'));
  }

  deletePod(name: string): Promise<'stopping'> {
    this.asked.push(name);
    return Promise.reject(new Error('a disruption budget forbids it'));
  }

  async *readLogs(): AsyncGenerator<string, void, undefined> {
    // it has none
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a pod that the ledger does not hold', () => {
  it('counts as one of others, and keeps nobody from scheduling while it may not be deleted', async () => {
    const driver = new DriverWithAStray();
    const watch = new DriverWatch(driver);
    await watch.begin(NOTHING_HELD, () => undefined);
    await until('the deletion to be asked for', () => driver.asked.length > 1);
    await watch.follow();
    expect(driver.asked).toEqual(['disown gone-1-pods-0', 'gone-1-pods-0']);
  });
});
