import type { SlotShare } from '../contract/index.js';
import type { DomainId, FleetTransaction } from '../fleet/index.js';
import { invariant } from '../invariant.js';
import { chooseSlots } from './choose-slots.js';
import type { AvoidedRows, Slices } from './feasible-nodes.js';
import { FitSums, wholeSlices } from './feasible-nodes.js';
import type { PodShape } from './pod-shape.js';
import { chooseRegion, fullestThatFits } from './regions.js';

/** One pod on its node. */
export interface PlacedPod {
  readonly row: number;
  readonly slots: readonly SlotShare[];
}

/** Pods of one shape that stand together: one pod set in one flavor. */
export interface GangPart {
  readonly shape: PodShape;
  /** All of these or none. */
  readonly need: number;
  /** The region is chosen with room for these, where there is one; only `need` are placed. */
  readonly want: number;
  /** The outermost level allowed; -1: the whole fleet, `undefined`: a level that no node has. */
  readonly limit: number | undefined;
  /** The level not left while one of its domains holds the part; then the next one out, and so on. */
  readonly preferred?: number | undefined;
  /** `need` and `want` are whole slices. */
  readonly slices?: Slices | undefined;
}

export interface PlacedPart {
  readonly pods: readonly PlacedPod[];
  /** Where they stand; they may grow here first. */
  readonly region: DomainId;
}

/**
 * Takes the seats of all `need` pods or of none, where it can without nodes that ask for others. Exact: when a region of
 * the level allowed holds them, they are placed. Inside it the fewest domains are used at each level, outer levels first,
 * the fullest that still fit.
 */
export function placePart(
  tx: FleetTransaction,
  part: GangPart,
  where: { readonly within: DomainId; readonly avoid: AvoidedRows },
): PlacedPart | undefined {
  const { fleet } = tx;
  const { shape, need, want, limit, slices, preferred = -1 } = part;
  if (limit === undefined || (slices !== undefined && need % slices.size !== 0)) return undefined;
  const sums = new FitSums({ fleet, shape, avoid: where.avoid, within: where.within, slices });
  if (sums.disliked.length > 0) {
    const liked = placePart(tx, part, { ...where, avoid: new Set([...where.avoid, ...sums.disliked]) });
    if (liked !== undefined) return liked;
  }
  for (let outermost = Math.max(limit, preferred); outermost >= limit; outermost--) {
    const ask = { fleet, shape, sums, need, want, limit: outermost, within: where.within };
    const region = chooseRegion({ ...ask, slices });
    if (region !== undefined) return { pods: fillRegion(tx, { shape, sums, region }, need), region };
  }
  return undefined;
}

/** Takes up to `count` seats inside the region, in whole slices: growth, which is never all or nothing. */
export function growPart(
  tx: FleetTransaction,
  grow: Pick<GangPart, 'shape' | 'slices'> & { readonly region: DomainId; readonly avoid: AvoidedRows },
  count: number,
): readonly PlacedPod[] {
  const { shape, region, avoid, slices } = grow;
  const sums = new FitSums({ fleet: tx.fleet, shape, avoid, within: region, slices });
  return fillRegion(tx, { shape, sums, region }, wholeSlices(Math.min(count, sums.of(region)), slices?.size ?? 1));
}

interface Filling {
  readonly shape: PodShape;
  readonly sums: FitSums;
  readonly region: DomainId;
}

function fillRegion(tx: FleetTransaction, filling: Filling, count: number): readonly PlacedPod[] {
  const { tree } = tx.fleet;
  const hosts: { readonly host: DomainId; readonly pods: number }[] = [];
  spread(tx, filling, { into: (host, pods) => hosts.push({ host, pods }), count });
  // Neighbours get neighbouring ranks.
  hosts.sort((a, b) => a.host - b.host);
  const placed: PlacedPod[] = [];
  for (const { host, pods } of hosts) {
    const row = tree.rowOf(host);
    for (let pod = 0; pod < pods; pod++) placed.push(takeSeat(tx, filling.shape, row));
  }
  invariant(placed.length === count, 'a region holds the pods it was chosen for', { count, placed: placed.length });
  return placed;
}

/** The largest domains whole, then the fullest that holds the rest; the same again inside that one. */
function spread(
  tx: FleetTransaction,
  filling: Filling,
  ask: { readonly into: (host: DomainId, pods: number) => void; readonly count: number },
): void {
  const { fleet } = tx;
  const { region, sums } = filling;
  if (ask.count === 0) return;
  if (fleet.tree.rowOf(region) >= 0) {
    ask.into(region, ask.count);
    return;
  }
  const largestFirst = fleet.tree
    .childrenOf(region)
    .filter((child) => sums.of(child) > 0)
    .sort((a, b) => sums.of(b) - sums.of(a) || a - b);
  let left = ask.count;
  for (const [index, largest] of largestFirst.entries()) {
    if (sums.of(largest) >= left) {
      const last = fullestThatFits({ fleet, ...filling, within: region }, largestFirst.slice(index), left);
      spread(tx, { ...filling, region: last ?? largest }, { into: ask.into, count: left });
      return;
    }
    spread(tx, { ...filling, region: largest }, { into: ask.into, count: sums.of(largest) });
    left -= sums.of(largest);
  }
}

export function takeSeat(tx: FleetTransaction, shape: PodShape, row: number): PlacedPod {
  const slots = chooseSlots(tx.fleet, shape, row);
  tx.take({ row, cpuMilli: shape.cpuMilli, memoryMib: shape.memoryMib, slots });
  return { row, slots };
}
