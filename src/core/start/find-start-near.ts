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
  const keeping: KeptPart[] = [];
  // Of all its pod sets: a slice in which one of them holds devices is open to the others.
  const own = new Set<number>();
  for (const [index, podSet] of ask.podSets.entries()) {
    const kept = keepPart(state, { podSet, flavor: choice[index], former, own });
    if (kept === undefined) return undefined;
    for (const { row, slots } of kept.pods) if (slots.length > 0) own.add(row);
    keeping.push(kept);
  }
  const parts: StartPart[] = [];
  for (const kept of keeping) {
    const part = completed(state, { ...ask, own }, kept);
    if (part === undefined) return undefined;
    for (const { row, slots } of part.pods) if (slots.length > 0) own.add(row);
    parts.push(part);
  }
  return parts;
}

/** A pod set with the seats that it has kept; it stood nowhere that counts when it has no part. */
interface KeptPart {
  readonly podSet: PodSetSpec;
  readonly flavor: FlavorName | undefined;
  readonly stood: StartPart | undefined;
  readonly pods: readonly PlacedPod[];
}

/** Takes those seats. `undefined`: it stood in another flavor. */
function keepPart(
  state: CoreState,
  {
    podSet,
    flavor,
    former,
    own,
  }: Pick<KeptPart, 'podSet' | 'flavor'> & {
    readonly former: FormerPlace;
    readonly own: ReadonlySet<number>;
  },
): KeptPart | undefined {
  const seats = former.seats.filter(({ pod }) => pod.podSet === podSet.name);
  const stood = standingPart(state, podSet, seats);
  if (stood !== undefined && stood.flavor !== flavor) return undefined;
  const need = minimumOf(podSet);
  const pods = stood === undefined ? [] : keepSeats(state, stood, { seats, avoid: former.avoid, need, own });
  return { podSet, flavor, stood, pods };
}

/** With the rest of its minimum: near the seats that it has kept, or anew. */
function completed(
  state: CoreState,
  ask: StartAsk & { readonly own: ReadonlySet<number> },
  { podSet, flavor, stood, pods }: KeptPart,
): StartPart | undefined {
  if (stood === undefined || pods.length === 0) {
    const placement = placeChoice(state, { ...ask, podSets: [podSet] }, [flavor]);
    return placement.kind === 'placed' ? placement.parts[0] : undefined;
  }
  const count = minimumOf(podSet) - pods.length;
  const { avoid, own } = ask;
  const more = count > 0 ? growStart(state, stood, { count, avoid, own }) : [];
  return more.length < count ? undefined : { ...stood, pods: [...pods, ...more] };
}

/**
 * As many seats in each place as it had there: on each node, or of slices in each domain of their level. Not in a slice
 * where others have come to stand; `own`: rows on which it has kept devices before.
 */
function keepSeats(
  state: CoreState,
  { podSet, flavor, slices }: StartPart,
  { seats, avoid, need, own }: FormerPlace & { readonly need: number; readonly own: ReadonlySet<number> },
): readonly PlacedPod[] {
  const { fleet, tx } = state;
  const { tree } = fleet;
  const shape = state.shapes.shapeOf(podSet, flavor);
  const rows = seats.filter(({ node }) => fleet.has(node)).map(({ node }) => fleet.rowOf(node));
  const stood = new Set(rows);
  const level = slices?.level ?? tree.levels.length - 1;
  const countIn = new Map<number, number>();
  for (const row of rows) {
    const place = tree.domainOf(row, level);
    if (place !== undefined) countIn.set(place, (countIn.get(place) ?? 0) + 1);
  }
  const allowed = withoutHeldSlices(fleet, [shape], { avoid, own });
  const kept: PlacedPod[] = [];
  for (const [place, count] of [...countIn].sort(([a], [b]) => a - b)) {
    const others = rowsIn(state, place).filter((row) => !stood.has(row));
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
