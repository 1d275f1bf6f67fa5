import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aNode } from '../support/fleet-builders.js';
import { LedgerRig, podsStarted } from '../support/ledger-rig.js';

describe('the life of a workload', () => {
  let rig: LedgerRig;
  beforeAll(async () => {
    rig = await LedgerRig.open();
    await rig.see(aNode('node-1'), aNode('node-2'));
  });
  afterAll(() => rig.close());

  it('goes from its submission to its end, and every book follows', async () => {
    const uid = await rig.submit('mnist', { pods: 2, devices: 4 });
    const pods = podsStarted(await rig.settle(), uid);
    expect(pods).toHaveLength(2);
    expect(await rig.workload(uid)).toMatchObject({ state: 'starting', incarnation: 1, started_at: null });
    expect(await rig.query('SELECT queue, flavor, used FROM queue_usage')).toEqual([
      { queue: 'lab', flavor: 'h100', used: '8000' },
    ]);
    const intents = await rig.ledger.dueIntents(100);
    expect(intents).toMatchObject([
      { kind: 'create-pod', rank: 0, worldSize: 2, workloadName: 'mnist', team: 'lab' },
      { kind: 'create-pod', rank: 1, worldSize: 2 },
    ]);
    await rig.ledger.settleIntents(
      rig.leadership,
      intents.map(({ id }) => ({ id, outcome: { kind: 'done' } })),
    );
    expect(await rig.ledger.dueIntents(100)).toEqual([]);
    await rig.startPods(pods);
    expect(await rig.workload(uid)).toMatchObject({ state: 'running', started_at: expect.any(Date) });
    await rig.succeedPods(pods);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'succeeded', reason: '', finished_at: expect.any(Date) });
    expect(await rig.query('SELECT used FROM queue_usage')).toEqual([{ used: '0' }]);
    expect(await rig.query('SELECT FROM slots WHERE claimed_milli > 0 OR occupied_milli > 0')).toEqual([]);
  });
});
