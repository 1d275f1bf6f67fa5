import type { FlavorName, PodSetSpec, Seat } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { growPart, withoutHeldSlices } from '../placement/index.js';
import type { PlacedPod } from '../placement/index.js';
import type { FlavorChoice } from '../quota/index.js';
import type { StartPart } from './find-start.js';
import { flavorChoices, growStart, placeChoice } from './find-start.js';
import type { StartAsk } from './start-ask.js';
import { minimumOf } from './start-ask.js';
import { standingPart } from './standing-part.js';

/** Where a workload stood, and how it may stand there again. */
export interface FormerPlace {
  readonly seats: readonly Seat[];
  /** Rows of them on which it may not stand again. */
  readonly avoid: ReadonlySet<number>;
}

/**
 * Seats for the minimum of every pod set, as many as can be on the nodes where it stood and in the flavors of then, the
 * rest as near to them as its requirement allows. Takes the seats when found, and nothing when not. Charges nothing.
 */
export function findStartNear(state: CoreState, ask: StartAsk, former: FormerPlace): readonly StartPart[] | undefined {
  if (former.seats.length === 0) return undefined;
  for (const choice of flavorChoices(state, ask).allowed) {
    const before = state.tx.mark();
    const parts = partsNear(state, { ask, choice, former });
    if (parts !== undefined) return parts;
    state.tx.rollbackTo(before);
  }
  return undefined;
}

interface Near {
  readonly ask: StartAsk;
  readonly choice: FlavorChoice;
  readonly former: FormerPlace;
}

function partsNear(state: CoreState, { ask, choice, former }: Near): readonly StartPart[] | undefined {
  const parts: StartPart[] = [];
  for (const [index, podSet] of ask.podSets.entries()) {
    const part = partNear(state, { ask, podSet, flavor: choice[index], former });
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

interface NearPart {
  readonly ask: StartAsk;
  readonly podSet: PodSetSpec;
  readonly flavor: FlavorName | undefined;
  readonly former: FormerPlace;
}

function partNear(state: CoreState, near: NearPart): StartPart | undefined {
  const { ask, podSet, flavor, former } = near;
  const seats = former.seats.filter(({ pod }) => pod.podSet === podSet.name);
  const stood = standingPart(state, podSet, seats);
  if (stood !== undefined && stood.flavor !== flavor) return undefined;
  const need = minimumOf(podSet);
  const kept = stood === undefined ? [] : keepSeats(state, stood, { seats, avoid: former.avoid, need });
  if (stood === undefined || kept.length === 0) return placedAnew(state, ask, { podSet, flavor });
  const part = { ...stood, pods: kept };
  const own = new Set(kept.map(({ row }) => row));
  const more = kept.length < need ? growStart(state, part, { count: need - kept.length, avoid: ask.avoid, own }) : [];
  return kept.length + more.length < need ? undefined : { ...part, pods: [...kept, ...more] };
}

function placedAnew(
  state: CoreState,
  ask: StartAsk,
  { podSet, flavor }: Pick<NearPart, 'podSet' | 'flavor'>,
): StartPart | undefined {
  const placement = placeChoice(state, { ...ask, podSets: [podSet] }, [flavor]);
  return placement.kind === 'placed' ? placement.parts[0] : undefined;
}

/** As many seats in each place as it had there: on each node, or of slices in each domain of their level. */
function keepSeats(
  state: CoreState,
  { podSet, flavor, slices }: StartPart,
  { seats, avoid, need }: FormerPlace & { readonly need: number },
): readonly PlacedPod[] {
  const { fleet, tx } = state;
  const { tree } = fleet;
  const shape = state.shapes.shapeOf(podSet, flavor);
  const rows = seats.filter(({ node }) => fleet.has(node)).map(({ node }) => fleet.rowOf(node));
  const own = new Set(rows);
  const level = slices?.level ?? tree.levels.length - 1;
  const countIn = new Map<number, number>();
  for (const row of rows) {
    const place = tree.domainOf(row, level);
    if (place !== undefined) countIn.set(place, (countIn.get(place) ?? 0) + 1);
  }
  const allowed = withoutHeldSlices(fleet, [shape], { avoid, own });
  const kept: PlacedPod[] = [];
  for (const [place, count] of [...countIn].sort(([a], [b]) => a - b)) {
    const others = rowsIn(state, place).filter((row) => !own.has(row));
    const grow = { shape, slices, region: place, avoid: new Set([...allowed, ...others]) };
    kept.push(...growPart(tx, grow, Math.min(count, need - kept.length)));
  }
  return kept;
}

function rowsIn({ fleet: { tree } }: CoreState, domain: number): readonly number[] {
  const rows: number[] = [];
  for (let inside = domain; inside < tree.endOf(domain); inside++) {
    if (tree.rowOf(inside) >= 0) rows.push(tree.rowOf(inside));
  }
  return rows;
}
