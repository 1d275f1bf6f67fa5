import type { DomainId, FleetState, TopologyTree } from '../fleet/index.js';
import { ShapeColumns } from '../fleet/index.js';
import type { AvoidedRows } from './feasible-nodes.js';
import { podsThatFit } from './feasible-nodes.js';
import { withoutHeldSlices } from './held-slices.js';
import type { PodShape } from './pod-shape.js';
import { costOfNode, tieOfNode } from './score-node.js';

/** Every `size` pods stand together in one domain of the level (its number in the tree). */
export interface Slices {
  readonly level: number;
  readonly size: number;
}

interface FitAsk {
  readonly fleet: FleetState;
  readonly shape: PodShape;
  readonly avoid: AvoidedRows;
  readonly slices?: Slices | undefined;
  /** `liked`: without nodes whose `PreferNoSchedule` taint asks for others. */
  readonly nodes?: 'all' | 'liked';
}

/**
 * By domain: how many pods of one shape fit there now, exact for one shape. With slices: how many in whole slices, in
 * domains of their level and further out; single pods further in. Valid until something is taken, given or rolled back,
 * or other sums of the shape are asked for after that.
 */
export class FitSums {
  readonly #tree: TopologyTree;
  readonly #columns: ShapeColumns;
  /** By domain: the pods that fit. */
  readonly rooms: Readonly<Float64Array>;

  constructor(ask: FitAsk) {
    const { fleet, avoid, slices } = ask;
    this.#tree = fleet.tree;
    this.#columns = columnsOf(ask);
    const { sums } = this.#columns;
    const isAsKept = avoid.size === 0 && slices === undefined;
    this.rooms = isAsKept ? sums : sumsAnew(fleet, sums, { avoid, slices });
  }

  of(domain: DomainId): number {
    return this.rooms[domain] ?? 0;
  }

  /** By host: its cost, and what tells equal ones apart. */
  get costs(): Readonly<Float64Array> {
    return this.#columns.costs;
  }

  get ties(): Readonly<Float64Array> {
    return this.#columns.ties;
  }

  /** Where pods fit, smaller is better, then the smaller `tieOf`: the score of a node, the room in another domain. */
  costOf(domain: DomainId): number {
    return this.#tree.rowOf(domain) < 0 ? this.of(domain) : (this.costs[domain] ?? 0);
  }

  tieOf(domain: DomainId): number {
    return this.#tree.rowOf(domain) < 0 ? 0 : (this.ties[domain] ?? 0);
  }
}

/** The pods among these that make whole slices. */
export function wholeSlices(pods: number, size: number): number {
  return pods - (pods % size);
}

/** Could so many pods of one shape stand in one domain of the level (-1: in the fleet)? Exact, and without a search. */
export function mayFit(
  fleet: FleetState,
  { shape, need, level }: { readonly shape: PodShape; readonly need: number; readonly level: number },
): boolean {
  const sums = new FitSums({ fleet, shape, avoid: withoutHeldSlices(fleet, [shape], { avoid: new Set() }) });
  if (sums.of(0) < need) return false;
  if (level < 0) return true;
  for (const domain of fleet.tree.domainsAt(level)) if (sums.of(domain) >= need) return true;
  return false;
}

function columnsOf({ fleet, shape, nodes }: Pick<FitAsk, 'fleet' | 'shape' | 'nodes'>): ShapeColumns {
  const isLikedOnly = nodes === 'liked';
  return fleet.columns.of(isLikedOnly ? shape.likedNodes : shape, () => {
    const isOut = (row: number) => isLikedOnly && shape.suits(fleet, fleet.classOf(row)) === 'rather-not';
    return new ShapeColumns(fleet, {
      version: () => shape.scoring.version,
      fits: (row) => (isOut(row) ? 0 : podsThatFit(fleet, shape, row)),
      cost: (row, fits) => costOfNode(fleet, shape, { row, fits }),
      tie: (row) => tieOfNode(fleet, shape, row),
    });
  });
}

/** The sums without some rows, or in whole slices: added up again from the nodes. */
function sumsAnew(
  { tree }: FleetState,
  kept: Readonly<Float64Array>,
  { avoid, slices }: Pick<FitAsk, 'avoid' | 'slices'>,
): Float64Array {
  const sums = new Float64Array(tree.size);
  for (let domain = tree.size - 1; domain >= 0; domain--) {
    const row = tree.rowOf(domain);
    let sum = row < 0 ? (sums[domain] ?? 0) : avoid.has(row) ? 0 : (kept[domain] ?? 0);
    const parent = tree.parentOf(domain);
    if (slices !== undefined) {
      const level = tree.levelOfDomain(domain);
      if (level === slices.level) sum = wholeSlices(sum, slices.size);
      // What is in no domain of their level holds no slice.
      if (level > slices.level && tree.levelOfDomain(parent) < slices.level) sum = 0;
    }
    sums[domain] = sum;
    if (parent >= 0) sums[parent] = (sums[parent] ?? 0) + sum;
  }
  return sums;
}
