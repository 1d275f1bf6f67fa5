import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../test/support/fleet-builders.js';
import type { WorkCounts } from './work-counts.js';

/** Racks of 16 nodes of 8 devices, some jobs on them. */
function rigOf(nodes: number): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy({ topologyLevels: ['zone', 'rack', 'host'] }) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: nodes * 8 }) });
  for (let node = 0; node < nodes; node++) {
    const [rack, zone] = [`r${Math.floor(node / 16)}`, `z${Math.floor(node / 640)}`];
    rig.tell({ kind: 'node-seen', node: aNode(`n${node}`, { rack, zone }) });
  }
  for (let job = 0; job < 100; job++) rig.submit(aWorkload(`job-${job}`));
  rig.settle();
  return rig;
}

/** Owners that wait, each with a plan for when the protection of the guests on a node of 8 has ended. */
function rigOfOwners(owners: number): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('root') });
  rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: 0 }) });
  for (let node = 0; node < owners; node++) {
    rig.tell({ kind: 'node-seen', node: aNode(`n${node}`) });
    rig.tell({ kind: 'queue-set', queue: aQueue(`owner${node}`, { parent: 'root', h100: 8 }) });
  }
  for (let guest = 0; guest < owners * 8; guest++) {
    rig.submit(aWorkload(`g${guest}`, { queue: 'guest', estimateMs: 10_000_000 }));
  }
  rig.settle();
  for (let owner = 0; owner < owners; owner++) {
    rig.submit(aWorkload(`o${owner}`, { queue: `owner${owner}`, pods: { gpus: 8 } }));
  }
  rig.settle();
  return rig;
}

/** What is done meanwhile, in counts. */
function workOf(rig: CoreRig, act: () => void): Pick<WorkCounts, 'settles' | 'visits' | 'nodesJudged' | 'rebuilds'> {
  const before = rig.scheduler.work();
  act();
  const after = rig.scheduler.work();
  const less = (count: keyof WorkCounts) => after[count] - before[count];
  return {
    settles: less('settles'),
    visits: less('visits'),
    nodesJudged: less('nodesJudged'),
    rebuilds: less('rebuilds'),
  };
}

describe('what decisions take, in counts', () => {
  it('looks at a few nodes for a gang of three, whatever the size of the fleet', () => {
    const rig = rigOf(20_000);
    const gang = (id: string) => aWorkload(id, { podSets: [aPodSet({ count: 3, gpus: 4 })] });
    rig.submit(gang('first'));
    rig.settle();
    const work = workOf(rig, () => {
      rig.submit(gang('second'));
      rig.decide();
    });
    expect(rig.startOf('second')).toBeDefined();
    expect(work).toMatchObject({ visits: 1, rebuilds: 0 });
    expect(work.nodesJudged).toBeLessThanOrEqual(8);
  });

  it('visits nobody when nothing happened', () => {
    const rig = rigOf(50);
    for (let job = 0; job < 100; job++)
      rig.submit(aWorkload(`waits-${job}`, { podSets: [aPodSet({ count: 500 + job })] }));
    rig.settle();
    const work = workOf(rig, () => {
      rig.decide();
    });
    expect(work).toEqual({ settles: 1, visits: 0, nodesJudged: 0, rebuilds: 0 });
  });

  it('looks at all nodes once for a shape, however many come at one time', () => {
    const rig = rigOf(50);
    const work = workOf(rig, () => {
      for (let node = 0; node < 500; node++) rig.tell({ kind: 'node-seen', node: aNode(`m${node}`, { rack: 'new' }) });
      rig.submit(aWorkload('next'), aWorkload('after'));
      rig.decide();
    });
    expect(work).toMatchObject({ rebuilds: 1 });
  });

  it('looks at no node again for heartbeats', () => {
    const rig = rigOf(50);
    const work = workOf(rig, () => {
      for (let node = 0; node < 50; node++) {
        const [rack, zone] = [`r${Math.floor(node / 16)}`, 'z0'];
        rig.tell({ kind: 'node-seen', node: aNode(`n${node}`, { rack, zone }) });
      }
      rig.submit(aWorkload('next'));
      rig.decide();
    });
    expect(work).toMatchObject({ rebuilds: 0 });
    expect(work.nodesJudged).toBeLessThanOrEqual(1);
  });

  it('sees at once that a gang cannot fit: the busy fleet is neither searched nor looked at again', () => {
    const rig = rigOf(50);
    for (let job = 0; job < 395; job++) rig.submit(aWorkload(`fills-${job}`));
    rig.settle();
    rig.submit(aWorkload('first', { podSets: [aPodSet({ count: 10, gpus: 8 })] }));
    rig.settle();
    const work = workOf(rig, () => {
      rig.submit(aWorkload('second', { podSets: [aPodSet({ count: 11, gpus: 8 })] }));
      rig.decide();
    });
    expect(work).toMatchObject({ visits: 1, rebuilds: 0, nodesJudged: 0 });
  });

  it('keeps plans with victims when a priority changes: one search for each whose turn comes again', () => {
    const [owners, guests] = [16, 128];
    const rig = rigOfOwners(owners);
    const before = rig.scheduler.work();
    rig.tell({ kind: 'workload-changed', workload: 'g0', change: { priority: -1 } });
    rig.decide();
    const { planSearches, endsListed } = rig.scheduler.work();
    expect(rig.view().workloads.filter(({ plannedStartMs }) => plannedStartMs === 300_000)).toHaveLength(owners);
    expect(planSearches - before.planSearches).toBeLessThanOrEqual(owners);
    expect(endsListed - before.endsListed).toBeLessThanOrEqual((owners + 2) * guests);
  });

  it('looks once at each plan that has lost its rights', () => {
    const [owners, guests] = [16, 128];
    const rig = rigOfOwners(owners);
    const before = rig.scheduler.work();
    rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: guests }) });
    rig.decide();
    const { planSearches, endsListed } = rig.scheduler.work();
    expect(rig.view().workloads.filter(({ plannedStartMs }) => plannedStartMs === 300_000)).toHaveLength(0);
    expect(planSearches - before.planSearches).toBeLessThanOrEqual(2 * owners);
    expect(endsListed - before.endsListed).toBeLessThanOrEqual(4 * owners * guests);
  });
});
