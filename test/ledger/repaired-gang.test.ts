import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PodRef } from '../../src/core/index.js';
import { podNameOf } from '../../src/server/scheduler/pod-name.js';
import { aNode } from '../support/fleet-builders.js';
import { LedgerRig, podsStarted } from '../support/ledger-rig.js';

let rig: LedgerRig;
beforeEach(async () => {
  rig = await LedgerRig.open();
  await rig.see(aNode('node-1'), aNode('node-2'), aNode('node-3'));
});
afterEach(() => rig.close());

/** A gang of two that lost the node of its first pod: the pods of before, and those of the start that followed. */
async function repaired(): Promise<{
  readonly uid: string;
  readonly before: readonly PodRef[];
  readonly pods: readonly PodRef[];
}> {
  const uid = await rig.submit('pair', { pods: 2, devices: 8 });
  const before = podsStarted(await rig.settle(), uid);
  await rig.startPods(before);
  await rig.settle();
  await rig.observe({ kind: 'node-state-changed', node: 'node-1', state: 'lost', cause: 'silent' });
  const decided = await rig.settle();
  expect(decided.map(({ kind }) => kind)).toEqual(['evict', 'start']);
  return { uid, before, pods: podsStarted(decided, uid) };
}

async function podsOn(node: string): Promise<readonly unknown[]> {
  return rig.query('SELECT incarnation, state, claimed, occupied FROM pods WHERE node = $1 ORDER BY incarnation', [
    node,
  ]);
}

async function creationsOf(incarnation: number): Promise<readonly string[]> {
  const intents = await rig.ledger.dueIntents(100);
  return intents.flatMap(({ kind, pod, podName }) =>
    kind === 'create-pod' && pod.incarnation === incarnation ? [podName] : [],
  );
}

describe('a gang that comes back in the place of its own pods', () => {
  it('claims where they are still leaving, and is created there when they are gone', async () => {
    const { uid, before, pods } = await repaired();
    const [, leaving] = before;
    const [stays, moves] = pods;
    if (leaving === undefined || stays === undefined || moves === undefined) throw new Error('two pods each');
    expect(await rig.workload(uid)).toMatchObject({ state: 'starting', incarnation: 2 });
    expect(await podsOn('node-2')).toEqual([
      { incarnation: 1, state: 'leaving', claimed: false, occupied: true },
      { incarnation: 2, state: 'waiting', claimed: true, occupied: false },
    ]);
    expect(await rig.query('SELECT milli::int FROM charges WHERE workload = $1', [uid])).toEqual([{ milli: 16_000 }]);
    expect(await creationsOf(2)).toEqual([podNameOf(moves)]);
    await rig.observe({ kind: 'pod-gone', pod: leaving });
    expect(await creationsOf(2)).toHaveLength(2);
    await rig.startPods(pods);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'running', incarnation: 2 });
  });

  it('goes on after a restart of the scheduler while they leave', async () => {
    const { uid, before, pods } = await repaired();
    const known = rig.session.view().nodes;
    await rig.lead();
    expect(rig.session.view().nodes).toEqual(known);
    expect(await rig.settle()).toEqual([]);
    await rig.observe(...before.slice(1).map((pod) => ({ kind: 'pod-gone' as const, pod })));
    await rig.startPods(pods);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'running', incarnation: 2 });
  });

  it('waits in its turn when the scheduler was restarted before it came back', async () => {
    const uid = await rig.submit('pair', { pods: 2, devices: 8 });
    const before = podsStarted(await rig.settle(), uid);
    await rig.startPods(before);
    await rig.settle();
    await rig.observe({ kind: 'node-state-changed', node: 'node-1', state: 'lost', cause: 'silent' });
    await rig.commit(rig.session.decide().sets);
    await rig.lead();
    expect(await rig.settle()).toEqual([]);
    expect(await rig.workload(uid)).toMatchObject({ state: 'evicting', incarnation: 1 });
    await rig.observe(...before.slice(1).map((pod) => ({ kind: 'pod-gone' as const, pod })));
    expect(podsStarted(await rig.settle(), uid)).toHaveLength(2);
  });
});
