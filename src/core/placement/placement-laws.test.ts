import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreStory } from '../../../test/support/core-story.js';
import { anyHappenings, anyWorkloadSpec, anyWorld } from '../../../test/support/core-world.js';
import { aNode, aPodSet, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Accelerators, NodeSpec, PartitionProfile, PodSetSpec, Seat } from '../index.js';

describe('the laws of placement, on random fleets', () => {
  it('a free node more never makes a placeable gang unplaceable', () => {
    fc.assert(
      fc.property(anyWorld, anyHappenings, anyWorkloadSpec, (world, happenings, spec) => {
        // What no quota knows has no right over others: a place for the rest of a gang would leave it without theirs.
        const flavors = spec.podSets[0]?.flavors ?? [];
        const podSets = spec.podSets.map((podSet) => ({ ...unruled(podSet), flavors }));
        const gang = aWorkload('gang', { ...spec, podSets, priority: 9 });
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
        letGoWhoIsWaitedFor(story);
        // Charged to nothing and with no right over others, so that room alone decides; together, so that the minimum is
        // what it says.
        const alone: PodSetSpec = { ...unruled(podSet), flavors: [], start: 'together' };
        const roomBefore = roomOf(story, alone);
        story.tell({
          kind: 'workload-submitted',
          workload: aWorkload('gang', { ...spec, priority: 0, podSets: [alone] }),
        });
        story.rest();
        const isLeaf = story.queues.some(({ name }) => name === spec.queue);
        const pods = story.ledger.podsOf('gang').length;
        expect({ isPlaced: pods > 0 }).toEqual({ isPlaced: isLeaf && roomBefore >= podSet.minCount });
      }),
      lawCases(80),
    );
  });
});

/** Rules that look beyond the node have laws of their own. */
function unruled(podSet: PodSetSpec): PodSetSpec {
  const { labels: _labels, hostPorts: _ports, podAffinity: _near, podAntiAffinity: _apart, ...rest } = podSet;
  const { topologySpread: _spread, ...plain } = rest;
  return plain;
}

/** A pod that waits stands in the place of one that leaves: the plain sum below would count the place twice. */
function letGoWhoIsWaitedFor(story: CoreStory): void {
  for (let round = 0; round < 20; round++) {
    const awaited = story.scheduler.snapshot().pods.flatMap(({ waitsFor = [] }) => waitsFor);
    if (awaited.length === 0) return;
    for (const pod of awaited) story.tell({ kind: 'pod-gone', pod });
    story.rest();
  }
}

function cancelPending(story: CoreStory, workload: string): void {
  const state = story.scheduler.view().workloads.find(({ id }) => id === workload)?.state;
  if (state === 'pending') story.tell({ kind: 'workload-cancelled', workload });
}

/** Pods that the best domain takes: from the snapshot, node by node, written again and without any index. */
function roomOf(story: CoreStory, podSet: PodSetSpec): number {
  const { nodes, pods } = story.scheduler.snapshot();
  const room = new Map<string, number>();
  const held = podSet.devices === undefined ? new Set() : heldSlices(story);
  for (const { spec, state, removed, foreignUse, foreignSlots, sickSlots } of nodes) {
    if (state !== 'healthy' || removed || spec.unschedulable || !isSuited(spec, podSet)) continue;
    if (held.has(sliceOf(spec))) continue;
    const there = pods.filter(({ seat }) => seat.node === spec.name).map(({ seat }) => seat);
    const used = (of: (seat: (typeof there)[number]) => number) => there.reduce((sum, seat) => sum + of(seat), 0);
    const closed = new Set([...foreignSlots, ...sickSlots.map(({ slot }) => slot)]);
    let first = 0;
    const groups = spec.accelerators.map(({ count, profiles }) => {
      const slots = Array.from({ length: count }, (_, index) =>
        slotOf(there, first + index, closed.has(first + index)),
      );
      first += count;
      return { profiles, slots };
    });
    let fits = spec.capacity.pods - foreignUse.pods - there.length;
    let cpu = spec.capacity.cpuMilli - foreignUse.cpuMilli - used(({ cpuMilli }) => cpuMilli);
    let memory = spec.capacity.memoryMib - foreignUse.memoryMib - used(({ memoryMib }) => memoryMib);
    let count = 0;
    for (; fits > 0 && cpu >= podSet.cpuMilli && memory >= podSet.memoryMib; fits--) {
      if (!groups.some((group) => takeDevices(group, podSet)) && podSet.devices !== undefined) break;
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

/** Those of several hosts on which somebody holds a device: they are given whole. */
function heldSlices(story: CoreStory): ReadonlySet<string> {
  const { nodes, pods } = story.scheduler.snapshot();
  const there = nodes.filter(({ removed }) => !removed).map(({ spec }) => spec);
  const withDevices = new Set(pods.filter(({ seat }) => seat.slots.length > 0).map(({ seat }) => seat.node));
  const held = there.filter((spec) => {
    const hosts = there.filter((other) => sliceOf(other) === sliceOf(spec));
    return spec.topology['slice'] !== undefined && hosts.length > 1 && withDevices.has(spec.name);
  });
  return new Set(held.map(sliceOf));
}

function sliceOf({ topology }: NodeSpec): string {
  return JSON.stringify([topology['zone'], topology['rack'], topology['slice']]);
}

interface Slot {
  free: number;
  readonly eighths: Set<number>;
  readonly isShared: boolean;
}

function slotOf(there: readonly Seat[], slot: number, isClosed: boolean): Slot {
  const shares = there.flatMap(({ slots }) => slots.filter((share) => share.slot === slot));
  const eighths = shares.flatMap(({ profile, milli, position = 0 }) =>
    profile === undefined ? [] : Array.from({ length: milli / 125 }, (_, eighth) => position + eighth),
  );
  return {
    free: isClosed ? 0 : 1000 - shares.reduce((sum, { milli }) => sum + milli, 0),
    eighths: new Set(eighths),
    isShared: isClosed || shares.some(({ profile }) => profile === undefined),
  };
}

interface Group {
  readonly profiles: Accelerators['profiles'] | undefined;
  readonly slots: readonly Slot[];
}

function takeDevices({ profiles, slots }: Group, { devices }: PodSetSpec): boolean {
  const { count = 0, milli = 0, profile } = devices ?? {};
  if (profile !== undefined)
    return takePartition(
      slots,
      profiles?.find(({ name }) => name === profile),
    );
  const fitting = slots.filter(({ free, eighths }) => eighths.size === 0 && free >= milli);
  if (fitting.length < count) return false;
  for (const slot of fitting.slice(0, count)) slot.free -= milli;
  return true;
}

function takePartition(slots: readonly Slot[], profile: PartitionProfile | undefined): boolean {
  for (const { eighths, isShared } of slots) {
    for (const position of isShared ? [] : (profile?.positions ?? [])) {
      const place = Array.from({ length: profile?.eighths ?? 0 }, (_, eighth) => position + eighth);
      if (place.some((eighth) => eighths.has(eighth))) continue;
      for (const eighth of place) eighths.add(eighth);
      return true;
    }
  }
  return false;
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
