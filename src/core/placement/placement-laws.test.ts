import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreStory } from '../../../test/support/core-story.js';
import { anyHappenings, anyWorkloadSpec, anyWorld } from '../../../test/support/core-world.js';
import { aNode, aPodSet, aWorkload } from '../../../test/support/fleet-builders.js';
import type { NodeSpec, PodSetSpec } from '../index.js';

describe('the laws of placement, on random fleets', () => {
  it('a free node more never makes a placeable gang unplaceable', () => {
    fc.assert(
      fc.property(anyWorld, anyHappenings, anyWorkloadSpec, (world, happenings, spec) => {
        const gang = aWorkload('gang', { ...spec, priority: 9 });
        const tries = [false, true].map((hasMore) => {
          const story = new CoreStory(world).play(happenings);
          for (const { id } of world.workloads) cancelPending(story, id);
          story.rest();
          if (hasMore) story.tell({ kind: 'node-seen', node: aNode('n00', { rack: 'r1', zone: 'z1', devices: 4 }) });
          story.tell({ kind: 'workload-submitted', workload: gang });
          story.rest();
          return { isPlaced: story.ledger.podsOf('gang').length > 0, story };
        });
        const [without, withMore] = tries;
        if (without?.isPlaced !== true || withMore === undefined) return;
        const why = withMore.story.scheduler.explain('gang', withMore.story.nowMs);
        const isPartial = why.kind === 'pending' && why.searched === 'partial';
        expect(withMore.isPlaced || isPartial).toBe(true);
      }),
      lawCases(60),
    );
  });

  it('places a gang of one pod set whenever a place exists, by trying every domain that it may stand in', () => {
    fc.assert(
      fc.property(anyWorld, anyHappenings, anyWorkloadSpec, (world, happenings, spec) => {
        const podSet = spec.podSets[0] ?? aPodSet();
        const story = new CoreStory(world).play(happenings);
        for (const { id } of world.workloads) cancelPending(story, id);
        story.rest();
        // Charged to nothing, so that room alone decides.
        const alone: PodSetSpec = { ...podSet, flavors: [] };
        const roomBefore = roomOf(story, alone);
        story.tell({ kind: 'workload-submitted', workload: aWorkload('gang', { ...spec, podSets: [alone] }) });
        story.rest();
        const isLeaf = story.queues.some(({ name }) => name === spec.queue);
        const pods = story.ledger.podsOf('gang').length;
        expect({ isPlaced: pods > 0 }).toEqual({ isPlaced: isLeaf && roomBefore >= podSet.minCount });
      }),
      lawCases(80),
    );
  });
});

function cancelPending(story: CoreStory, workload: string): void {
  const state = story.scheduler.view().workloads.find(({ id }) => id === workload)?.state;
  if (state === 'pending') story.tell({ kind: 'workload-cancelled', workload });
}

/** Pods that the best domain takes: from the snapshot, node by node, written again and without any index. */
function roomOf(story: CoreStory, podSet: PodSetSpec): number {
  const { nodes, pods } = story.scheduler.snapshot();
  const room = new Map<string, number>();
  for (const { spec, state, removed, foreignUse, foreignSlots, sickSlots } of nodes) {
    if (state !== 'healthy' || removed || spec.unschedulable || !isSuited(spec, podSet)) continue;
    const there = pods.filter(({ seat }) => seat.node === spec.name).map(({ seat }) => seat);
    const used = (of: (seat: (typeof there)[number]) => number) => there.reduce((sum, seat) => sum + of(seat), 0);
    const closed = new Set([...foreignSlots, ...sickSlots.map(({ slot }) => slot)]);
    const groups = spec.accelerators.map(({ count }) => Array.from({ length: count }, () => 0));
    for (const [slot, { group, at }] of groups
      .flatMap((slots, group) => slots.map((_free, at) => ({ group, at })))
      .entries()) {
      const taken = used(({ slots }) => slots.find((share) => share.slot === slot)?.milli ?? 0);
      const ofGroup = groups[group];
      if (ofGroup !== undefined && !closed.has(slot)) ofGroup[at] = 1000 - taken;
    }
    let fits = spec.capacity.pods - foreignUse.pods - there.length;
    let cpu = spec.capacity.cpuMilli - foreignUse.cpuMilli - used(({ cpuMilli }) => cpuMilli);
    let memory = spec.capacity.memoryMib - foreignUse.memoryMib - used(({ memoryMib }) => memoryMib);
    let count = 0;
    for (; fits > 0 && cpu >= podSet.cpuMilli && memory >= podSet.memoryMib; fits--) {
      if (!groups.some((free) => takeDevices(free, podSet)) && podSet.devices !== undefined) break;
      cpu -= podSet.cpuMilli;
      memory -= podSet.memoryMib;
      count++;
    }
    const key = domainOf(spec, podSet);
    if (key !== undefined) room.set(key, (room.get(key) ?? 0) + count);
  }
  if (podSet.topology?.kind !== 'slice') return Math.max(0, ...room.values());
  const { size } = podSet.topology;
  return [...room.values()].reduce((sum, pods) => sum + pods - (pods % size), 0);
}

function takeDevices(free: number[], { devices }: PodSetSpec): boolean {
  const { count = 0, milli = 0 } = devices ?? {};
  const fitting = free.flatMap((left, slot) => (left >= milli ? [slot] : []));
  if (fitting.length < count) return false;
  for (const slot of fitting.slice(0, count)) free[slot] = (free[slot] ?? 0) - milli;
  return true;
}

function isSuited(spec: NodeSpec, podSet: PodSetSpec): boolean {
  const isTolerated = spec.taints.every(({ effect }) => effect === 'PreferNoSchedule') || podSet.tolerations.length > 0;
  const isSelected = Object.entries(podSet.nodeSelector).every(([key, value]) => spec.labels[key] === value);
  return isTolerated && isSelected;
}

function domainOf(spec: NodeSpec, { topology }: PodSetSpec): string | undefined {
  if (topology === undefined || topology.kind === 'preferred') return 'fleet';
  if (topology.level === 'host') return spec.name;
  const name = spec.topology[topology.level];
  if (name === undefined) return undefined;
  return topology.level === 'zone' ? name : `${spec.topology['zone'] ?? ''}/${name}`;
}
