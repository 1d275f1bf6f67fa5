import { expect } from '@jest/globals';
import type { Decision, NodeSpec, Seat } from '../../src/core/index.js';
import { availableMilli } from '../../src/core/index.js';
import type { CoreStory } from './core-story.js';
import { LEAVES } from './core-world.js';
import { keyOf } from './ledger-model.js';

/** Of `npm test`: a change is judged by the same cases each time, and only its own faults turn it red. */
const SEED = 1_800_000_000;

/**
 * Cases of each law: few and always the same in `npm test`, 10,000 by chance in a full run (`BERTH_LAW_CASES`). A law
 * that fails prints its seed; `BERTH_LAW_SEED` with that number plays its cases again.
 */
export function lawCases(usual: number): { readonly numRuns: number; readonly seed?: number } {
  const wanted = Number(process.env['BERTH_LAW_CASES'] ?? usual);
  const numRuns = Number.isSafeInteger(wanted) && wanted > 0 ? wanted : usual;
  const seed = Number(process.env['BERTH_LAW_SEED'] ?? Number.NaN);
  if (Number.isSafeInteger(seed)) return { numRuns, seed };
  return process.env['BERTH_LAW_CASES'] === undefined ? { numRuns, seed: SEED } : { numRuns };
}

/** used = sum of allocations, at every slot, node and queue: the core's view against the ledger's rows. */
export function expectTrueBooks(story: CoreStory): void {
  const view = story.scheduler.view();
  const { nodes } = story.scheduler.snapshot();
  const held = holdersOf(story);
  for (const node of view.nodes) {
    const here = held.filter(({ seat }) => seat.node === node.name);
    const record = nodes.find(({ spec }) => spec.name === node.name);
    const closed = new Set([...(record?.foreignSlots ?? []), ...(record?.sickSlots ?? []).map(({ slot }) => slot)]);
    const free = node.freeMilli.map((_free, slot) => (closed.has(slot) ? 0 : 1000 - mostOfSlot(here, slot)));
    expectSame(
      { node: node.name, pods: node.pods, free: node.freeMilli },
      { node: node.name, pods: here.length, free },
    );
    expectSame(
      node.freeMilli.filter((milli) => milli < 0),
      [],
    );
  }
  expect(held.every(({ seat }) => view.nodes.some(({ name }) => name === seat.node))).toBe(true);
  expectTrueQuota(story);
}

/** The matcher of the test runner is slow; it is asked only to show a difference. Keys must come in one order. */
function expectSame<Value>(actual: Value, expected: Value): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
}

/** A pod with what it has: a claim, or only its place until it is gone. */
interface PodHolder {
  readonly seat: Seat;
  readonly isClaimed: boolean;
  /** Names of those that must go from its node first. */
  readonly behind: readonly string[];
}

/** As the core must see it: starts that are not answered are assumed, and so is what others give up for them. */
function holdersOf(story: CoreStory): readonly PodHolder[] {
  const yielded = new Set(story.assumedWays().flatMap(({ pods }) => pods.map(keyOf)));
  const known = [...story.ledger.pods.values()].map(({ seat, isClaimed, waitsFor }) => ({
    seat,
    isClaimed: isClaimed && !yielded.has(keyOf(seat.pod)),
    waitsFor,
  }));
  const assumed = story
    .assumed()
    .flatMap(({ seats, waitsFor }) => seats.map((seat) => ({ seat, isClaimed: true, waitsFor })));
  const all = [...known, ...assumed];
  const leaving = new Map(all.filter(({ isClaimed }) => !isClaimed).map(({ seat }) => [keyOf(seat.pod), seat.node]));
  return all.map(({ seat, isClaimed, waitsFor }) => ({
    seat,
    isClaimed,
    behind: waitsFor.map(keyOf).filter((name) => leaving.get(name) === seat.node),
  }));
}

/**
 * The most of a slot that claims may ask for, and that can be there at one time: over every set of those without claim
 * that are gone, everybody else who need not wait for more.
 */
function mostOfSlot(pods: readonly PodHolder[], slot: number): number {
  const here = pods.filter(({ seat }) => seat.slots.some((share) => share.slot === slot));
  const awaited = new Set(here.flatMap(({ behind }) => behind));
  const leaving = pods.filter((pod) => !pod.isClaimed && (here.includes(pod) || awaited.has(keyOf(pod.seat.pod))));
  let most = 0;
  for (let gone = 0; gone < 2 ** leaving.length; gone++) {
    const goneNames = new Set(
      leaving.filter((_pod, bit) => (gone >> bit) % 2 === 1).map(({ seat }) => keyOf(seat.pod)),
    );
    const there = here.filter(
      ({ seat, behind }) => !goneNames.has(keyOf(seat.pod)) && behind.every((name) => goneNames.has(name)),
    );
    most = Math.max(
      most,
      heldOfSlot(
        there.map(({ seat }) => seat),
        slot,
      ),
    );
  }
  return most;
}

function expectTrueQuota(story: CoreStory): void {
  const rows = story.ledger.rows(story.queues).map((row) => {
    const usage = { ...row.usage };
    const more = story.assumed().flatMap(({ charges }) => charges);
    const less = story
      .assumedWays()
      .flatMap(({ charges }) => charges.map((charge) => ({ ...charge, milli: -charge.milli })));
    for (const { queue, flavor, milli } of [...more, ...less]) {
      if (queue === row.name) usage[flavor] = (usage[flavor] ?? 0) + milli;
    }
    return { ...row, usage };
  });
  for (const queue of story.scheduler.view().queues) {
    for (const { flavor, used, available } of queue.flavors) {
      const expected = availableMilli(rows, queue.name, flavor);
      expectSame({ queue: queue.name, flavor, available }, { queue: queue.name, flavor, available: expected });
      if (!LEAVES.includes(queue.name)) continue;
      const charged = rows.find(({ name }) => name === queue.name)?.usage[flavor] ?? 0;
      expectSame({ queue: queue.name, flavor, used }, { queue: queue.name, flavor, used: charged });
    }
  }
}

/** A gang holds nothing or at least its minimum, of each pod set. */
export function expectWholeGangs(story: CoreStory): void {
  for (const { id, podSets } of story.world.workloads) {
    const claimed = story.ledger.podsOf(id).filter(({ isClaimed }) => isClaimed);
    if (claimed.length === 0) continue;
    for (const podSet of podSets) {
      const pods = claimed.filter(({ seat }) => seat.pod.podSet === podSet.name).length;
      const { least, most } = story.boundsOf(id, podSet);
      if (pods < least || pods > most) expect({ id, podSet: podSet.name, pods }).toEqual({ least, most });
    }
  }
}

/** Who makes room with slices gives up whole ones: a part of one is of no use to anybody. */
function expectWholeSlicesGiven(story: CoreStory, shrink: Decision & { readonly kind: 'shrink' }): void {
  const spec = story.world.workloads.find(({ id }) => id === shrink.workload);
  for (const { name, topology } of spec?.podSets ?? []) {
    if (topology?.kind !== 'slice') continue;
    const given = new Set(shrink.pods.filter(({ podSet }) => podSet === name).map(keyOf));
    const seats = story.ledger.podsOf(shrink.workload).filter(({ seat }) => given.has(keyOf(seat.pod)));
    const domains = seats.map(({ seat }) => domainOf(story.world.nodes, seat.node, topology.level));
    for (const domain of domains) expect(domains.filter((one) => one === domain).length % topology.size).toBe(0);
  }
}

/** Each pod set that requires a level stands in one domain of it; of slices, each by itself. */
export function expectRequiredTopology(story: CoreStory, set: readonly Decision[]): void {
  for (const start of set) {
    if (start.kind === 'shrink' && start.for !== undefined) expectWholeSlicesGiven(story, start);
    if (start.kind !== 'start' && start.kind !== 'grow') continue;
    const before = story.ledger
      .podsOf(start.workload)
      .filter(({ seat, isClaimed }) => isClaimed && seat.pod.incarnation === start.incarnation);
    const spec = story.world.workloads.find(({ id }) => id === start.workload);
    for (const { name, topology } of spec?.podSets ?? []) {
      if (topology === undefined || topology.kind === 'preferred') continue;
      const added = start.seats.filter(({ pod }) => pod.podSet === name);
      const here = before.map(({ seat }) => seat).filter(({ pod }) => pod.podSet === name);
      const seats = topology.kind === 'slice' ? added : [...here, ...added];
      if (seats.length === 0) continue;
      const size = topology.kind === 'slice' ? topology.size : seats.length;
      expect(seats.length % size).toBe(0);
      for (let first = 0; first < seats.length; first += size) {
        const domains = new Set(
          seats.slice(first, first + size).map(({ node }) => domainOf(story.world.nodes, node, topology.level)),
        );
        expect(domains.size).toBe(1);
        expect(domains.has('none')).toBe(false);
      }
    }
  }
}

/** A gang that takes devices of a slice with several hosts finds nobody else's pods with devices in it. */
export function expectWholeSlices(story: CoreStory, set: readonly Decision[], isLate: boolean): void {
  if (isLate || set.every(({ kind }) => kind !== 'start' && kind !== 'grow')) return;
  // A host that is gone is none of its slice any more: what stood there, and is not yet given up, holds none.
  const present = story.scheduler.snapshot().nodes.filter(({ removed }) => !removed);
  const sliceOf = new Map(present.map(({ spec }) => [spec.name, spec.topology['slice']]));
  const hosts = [...sliceOf.values()];
  const making = new Set(
    set.flatMap((one) => (one.kind === 'evict' || one.kind === 'shrink' ? one.pods.map(keyOf) : [])),
  );
  const holders = [...story.ledger.pods.values()]
    .filter(({ seat, isClaimed }) => isClaimed && seat.slots.length > 0 && !making.has(keyOf(seat.pod)))
    .map(({ seat }) => ({ slice: sliceOf.get(seat.node), workload: seat.pod.workload }));
  for (const decision of set) {
    if (decision.kind !== 'start' && decision.kind !== 'grow') continue;
    const slices = decision.seats.flatMap(({ node, slots }) => (slots.length > 0 ? [sliceOf.get(node)] : []));
    for (const slice of new Set(slices)) {
      if (slice === undefined || hosts.filter((one) => one === slice).length < 2) continue;
      const inIt = holders.filter((one) => one.slice === slice).map(({ workload }) => workload);
      // Where it stands already it may take more: a slice may have been less than one when another came.
      if (!inIt.includes(decision.workload)) expect(inIt).toEqual([]);
    }
  }
}

/** The levels of the laws are zone, rack and host; a domain is named by its whole path. */
function domainOf(nodes: readonly NodeSpec[], name: string, level: string): string {
  if (level === 'host') return name;
  const topology = nodes.find((node) => node.name === name)?.topology ?? {};
  if (topology[level] === undefined) return 'none';
  return level === 'zone' ? topology[level] : `${topology['zone'] ?? ''}/${topology[level]}`;
}

function heldOfSlot(seats: readonly Seat[], slot: number): number {
  return seats
    .flatMap(({ slots }) => slots)
    .reduce((milli, share) => milli + (share.slot === slot ? share.milli : 0), 0);
}
