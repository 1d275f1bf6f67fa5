import type { NodeSpec, PodSetSpec, QueueSpec, Seat, WorkloadSpec } from '../../src/core/index.js';
import { NaiveQuota } from './naive-quota.js';

/** A workload that was started, with its seats. */
export interface Started {
  readonly spec: WorkloadSpec;
  readonly seats: readonly Seat[];
}

/** What there was before a settle. Each workload has one pod set of whole devices, in one flavor. */
export interface BeforeSettle {
  readonly order: 'fair' | 'fifo';
  readonly nodes: readonly NodeSpec[];
  readonly queues: readonly QueueSpec[];
  readonly running: readonly Started[];
  readonly pending: readonly WorkloadSpec[];
}

/**
 * The order of visits by full comparison, without index, cache or group: every pending workload competes at each step,
 * and whoever has a place (counted node by node) and quota must be the next to start. Placement itself is taken from
 * the core. Says the first start that was wrong, missing or too much; `undefined` when all were right.
 */
export function faultOfSettle(before: BeforeSettle, starts: readonly Started[]): string | undefined {
  let { running, pending } = before;
  for (let step = 0; pending.length > 0;) {
    const turn = nextInTurn({ ...before, running, pending });
    const started = starts[step];
    const canStart = hasQuota(before, running, turn) && hasRoom(before, running, turn);
    if (canStart && started?.spec.id !== turn.id) {
      return `${turn.id} was to start ${step}th, and ${started?.spec.id ?? 'nobody'} did`;
    }
    if (!canStart && started?.spec.id === turn.id) return `${turn.id} was started without quota or room`;
    pending = pending.filter(({ id }) => id !== turn.id);
    if (canStart && started !== undefined) {
      running = [...running, started];
      step++;
    }
    if (pending.length === 0 && step < starts.length) return `${starts[step]?.spec.id ?? ''} was started out of turn`;
  }
  return undefined;
}

function nextInTurn(state: BeforeSettle): WorkloadSpec {
  const { order, pending } = state;
  const candidates =
    order === 'fifo'
      ? pending
      : quotaOf(state)
          .roots()
          .flatMap((root) => winnerOf(state, root.name));
  const [first] = [...candidates].sort(order === 'fifo' ? bySubmission : byPriority);
  if (first === undefined) throw new Error('somebody waits');
  return first;
}

/** The candidate of a queue: of a leaf its first, of an inner node the best of its children's. */
function winnerOf(state: BeforeSettle, queue: string): readonly WorkloadSpec[] {
  const quota = quotaOf(state);
  const children = quota.children(queue);
  if (children.length === 0) {
    return state.pending
      .filter((spec) => spec.queue === queue)
      .sort(byPriority)
      .slice(0, 1);
  }
  const candidates = children.flatMap((child) =>
    winnerOf(state, child.name).map((spec) => ({ spec, share: charged(quota, spec).share(child.name) })),
  );
  return candidates
    .sort(
      (a, b) => b.spec.priority - a.spec.priority || compareShares(a.share, b.share) || bySubmission(a.spec, b.spec),
    )
    .slice(0, 1)
    .map(({ spec }) => spec);
}

function compareShares(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function byPriority(a: WorkloadSpec, b: WorkloadSpec): number {
  return b.priority - a.priority || bySubmission(a, b);
}

function bySubmission(a: WorkloadSpec, b: WorkloadSpec): number {
  return a.submittedAtMs - b.submittedAtMs || (a.name < b.name ? -1 : 1);
}

export function hasQuota(before: BeforeSettle, running: readonly Started[], spec: WorkloadSpec): boolean {
  return quotaOf({ ...before, running }).fits(spec.queue, flavorOf(spec), milliOf(spec));
}

export function quotaOf({ queues, running }: Pick<BeforeSettle, 'queues' | 'running'>): NaiveQuota {
  const unused = new NaiveQuota(queues, new Map());
  return running.reduce((quota, one) => quota.with(one.spec.queue, flavorOf(one.spec), heldMilli(one)), unused);
}

function charged(quota: NaiveQuota, spec: WorkloadSpec): NaiveQuota {
  return quota.with(spec.queue, flavorOf(spec), milliOf(spec));
}

/** Exact for one pod set: a domain of the required level in which enough of its pods fit. */
export function hasRoom({ nodes }: BeforeSettle, running: readonly Started[], spec: WorkloadSpec): boolean {
  const podSet = podSetOf(spec);
  const room = new Map<string, number>();
  for (const node of nodes) {
    const domain = domainOf(node, podSet);
    if (domain !== undefined) room.set(domain, (room.get(domain) ?? 0) + podsOn(node, running, podSet));
  }
  return Math.max(0, ...room.values()) >= podSet.minCount;
}

export function domainOf({ name, topology }: NodeSpec, podSet: PodSetSpec): string | undefined {
  if (podSet.topology?.kind !== 'required') return 'fleet';
  if (podSet.topology.level === 'host') return name;
  const { zone, rack } = topology;
  if (podSet.topology.level === 'zone') return zone;
  return rack === undefined ? undefined : `${zone ?? ''}/${rack}`;
}

function podsOn(node: NodeSpec, running: readonly Started[], podSet: PodSetSpec): number {
  const devices = podSet.devices?.count ?? 0;
  const seats = running.flatMap(({ seats: all }) => all).filter((seat) => seat.node === node.name);
  const sum = (of: (seat: Seat) => number) => seats.reduce((total, seat) => total + of(seat), 0);
  const taken = new Set(seats.flatMap(({ slots }) => slots.map(({ slot }) => slot)));
  const models = node.accelerators.flatMap(({ model, count }) => Array<string>(count).fill(model));
  const open = models.filter((model, slot) => model === podSet.flavors[0] && !taken.has(slot));
  const free = [
    node.capacity.pods - seats.length,
    Math.floor((node.capacity.cpuMilli - sum(({ cpuMilli }) => cpuMilli)) / Math.max(1, podSet.cpuMilli)),
    Math.floor((node.capacity.memoryMib - sum(({ memoryMib }) => memoryMib)) / Math.max(1, podSet.memoryMib)),
    devices === 0 ? Infinity : Math.floor(open.length / devices),
  ];
  return Math.max(0, Math.min(...free));
}

function podSetOf({ podSets: [podSet] }: WorkloadSpec): PodSetSpec {
  if (podSet === undefined) throw new Error('a workload has a pod set');
  return podSet;
}

export function flavorOf(spec: WorkloadSpec): string {
  return podSetOf(spec).flavors[0] ?? '';
}

/** Of the minimum. */
export function milliOf(spec: WorkloadSpec): number {
  return podSetOf(spec).minCount * milliOfPod(spec);
}

export function heldMilli({ spec, seats }: Started): number {
  return seats.length * milliOfPod(spec);
}

function milliOfPod(spec: WorkloadSpec): number {
  return (podSetOf(spec).devices?.count ?? 0) * 1000;
}
