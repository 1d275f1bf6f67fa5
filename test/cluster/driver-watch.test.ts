import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
  view: { flavors: [], queues: [], teams: [], found: [] },
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
    await watch.end();
    expect(await harness.create().start(() => undefined)).toEqual([]);
  });
});
