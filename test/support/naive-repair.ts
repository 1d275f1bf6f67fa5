import type { NodeSpec, Seat } from '../../src/core/index.js';
import type { BeforeSettle, Started } from './naive-scheduler.js';
import { domainOf, hasQuota, hasRoom } from './naive-scheduler.js';

/** What has happened since `BeforeSettle`, and what was started then. */
export interface Repairing {
  /** Their ends are in the ledger, and their pods are leaving. */
  readonly evicted: readonly Started[];
  /** Names of nodes that take no work, and of pods (`workload/index`) of which nothing is left. */
  readonly lost: ReadonlySet<string>;
  readonly starts: readonly Started[];
}

/**
 * Repair by counting: those that were evicted must come first, in their order, each that has quota and room; its own
 * pods that leave are no hindrance to it, those of the others are. Says the first fault; `undefined`: all was right.
 */
export function faultOfRepair(before: BeforeSettle, { evicted, lost, starts }: Repairing): string | undefined {
  const nodes = before.nodes.filter(({ name }) => !lost.has(name));
  let running = before.running.filter((one) => !evicted.includes(one));
  let leaving: readonly Started[] = evicted.map((one) => ({
    ...one,
    seats: one.seats.filter((seat) => !isLost(seat, lost)),
  }));
  let step = 0;
  for (const gang of [...leaving].sort(byOrder(before.order))) {
    const { spec } = gang;
    leaving = leaving.filter((one) => one !== gang);
    const fleet = { ...before, nodes };
    const canStart = hasQuota(before, running, spec) && hasRoom(fleet, [...running, ...leaving], spec);
    const started = starts[step];
    const isStarted = started?.spec.id === spec.id;
    if (canStart !== isStarted) return `${spec.id} ${canStart ? 'could' : 'could not'} be repaired ${step}th`;
    if (!isStarted) {
      leaving = [...leaving, gang];
      continue;
    }
    const missed = seatMissed({ fleet, running: [...running, ...leaving], gang, lost }, started);
    if (missed !== undefined) return missed;
    leaving = [...leaving, { spec, seats: notTakenAgain(gang, started) }];
    running = [...running, started];
    step++;
  }
  const late = starts.slice(step).find(({ spec }) => evicted.some((one) => one.spec.id === spec.id));
  return late === undefined ? undefined : `${late.spec.id} was repaired after others had started`;
}

/** What leaves blocks as before, but for the slots and the room that the new pods of its node take in its place. */
function notTakenAgain({ seats: old }: Started, { seats: taken }: Started): readonly Seat[] {
  return old.flatMap((seat, at) => {
    const again = taken.filter(({ node }) => node === seat.node);
    const before = old.slice(0, at).filter(({ node }) => node === seat.node).length;
    const slots = seat.slots.filter(({ slot }) =>
      again.every((one) => one.slots.every((other) => other.slot !== slot)),
    );
    if (before >= again.length) return [{ ...seat, slots }];
    return slots.length === 0 ? [] : [{ ...seat, slots, cpuMilli: 0, memoryMib: 0 }];
  });
}

interface Placing {
  readonly fleet: BeforeSettle;
  readonly running: readonly Started[];
  readonly gang: Started;
  readonly lost: ReadonlySet<string>;
}

/** Where the domain in which it stood has room for the whole gang, each surviving seat is kept. */
function seatMissed({ fleet, running, gang, lost }: Placing, { spec, seats }: Started): string | undefined {
  const podSet = spec.podSets[0];
  const left = gang.seats.filter(({ node }) => !lost.has(node));
  const home = fleet.nodes.find(({ name }) => name === left[0]?.node);
  if (podSet === undefined || home === undefined) return undefined;
  const isNear = (node: NodeSpec) => domainOf(node, podSet) === domainOf(home, podSet);
  if (!hasRoom({ ...fleet, nodes: fleet.nodes.filter(isNear) }, running, spec)) return undefined;
  for (const { node } of left) {
    const was = left.filter((seat) => seat.node === node).length;
    const is = seats.filter((seat) => seat.node === node).length;
    if (is < was) return `${spec.id} kept ${is} of ${was} seats on ${node}`;
  }
  return undefined;
}

function isLost({ pod, node }: Seat, lost: ReadonlySet<string>): boolean {
  return lost.has(node) || lost.has(`${pod.workload}/${pod.index}`);
}

function byOrder(order: BeforeSettle['order']) {
  return ({ spec: a }: Started, { spec: b }: Started): number => {
    const rank = order === 'fifo' ? 0 : b.priority - a.priority;
    return rank || a.submittedAtMs - b.submittedAtMs || (a.name < b.name ? -1 : 1);
  };
}
