import type { DomainId, FleetTransaction } from '../fleet/index.js';
import { invariant } from '../invariant.js';
import type { AvoidedRows } from './feasible-nodes.js';
import { FitSums, wholeSlices } from './fit-sums.js';
import type { GangPart, PlacedPart, PlacedPod } from './gang-part.js';
import { growRuledPart, placeRuledPart } from './place-ruled-part.js';
import { PodRules } from './pod-rules.js';
import type { PodShape } from './pod-shape.js';
import { takeSeat } from './take-seat.js';
import { chooseRegion, fullestThatFits, roomiestFirst } from './regions.js';

/**
 * Takes the seats of all `need` pods or of none, where it can without nodes that ask for others. Exact: when a region of
 * the level allowed holds them, they are placed. Inside it the fewest domains are used at each level, outer levels first,
 * the fullest that still fit. With rules beyond the node: see `placeRuledPart`.
 */
export function placePart(
  tx: FleetTransaction,
  part: GangPart,
  where: { readonly within: DomainId; readonly avoid: AvoidedRows },
): PlacedPart | undefined {
  const { shape, need, limit, slices } = part;
  if (limit === undefined || (slices !== undefined && need % slices.size !== 0)) return undefined;
  if (PodRules.matterTo(tx.fleet, shape)) return placeRuledPart(tx, { ...part, limit }, where);
  const asks = { fleet: tx.fleet, shape, avoid: where.avoid, slices };
  const liked = shape.isDislikedSomewhere(tx.fleet) ? new FitSums({ ...asks, nodes: 'liked' }) : undefined;
  const placed = liked && placeBySums(tx, { ...part, limit }, { sums: liked, within: where.within });
  return placed ?? placeBySums(tx, { ...part, limit }, { sums: new FitSums(asks), within: where.within });
}

function placeBySums(
  tx: FleetTransaction,
  part: GangPart & { readonly limit: number },
  { sums, within }: { readonly sums: FitSums; readonly within: DomainId },
): PlacedPart | undefined {
  const { shape, need, limit, preferred = -1 } = part;
  for (let outermost = Math.max(limit, preferred); outermost >= limit; outermost--) {
    const region = chooseRegion({ ...part, fleet: tx.fleet, sums, limit: outermost, within });
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
  if (PodRules.matterTo(tx.fleet, shape)) return growRuledPart(tx, grow, count);
  const sums = new FitSums({ fleet: tx.fleet, shape, avoid, slices });
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
  const largestFirst = roomiestFirst(sums, fleet.tree.childrenOf(region));
  let left = ask.count;
  for (const [index, largest] of largestFirst.entries()) {
    const room = sums.of(largest);
    if (room >= left) {
      const last = fullestThatFits(sums, largestFirst.slice(index), left);
      spread(tx, { ...filling, region: last ?? largest }, { into: ask.into, count: left });
      return;
    }
    spread(tx, { ...filling, region: largest }, { into: ask.into, count: room });
    left -= room;
  }
}
