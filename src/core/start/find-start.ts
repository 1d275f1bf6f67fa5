import type { PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { GangPart, PlacedPart, PlacedPod } from '../placement/index.js';
import { unreachable } from '../invariant.js';
import { growPart, placeGang, withoutHeldSlices } from '../placement/index.js';
import type { FlavorChoice, FlavorChoices } from '../quota/index.js';
import { chooseFlavors } from '../quota/index.js';
import { wishOf } from './pod-cost.js';
import type { StartAsk } from './start-ask.js';
import { minimumOf } from './start-ask.js';

/** A pod set with its flavor and its seats. */
export interface StartPart extends PlacedPart {
  readonly podSet: PodSetSpec;
  readonly flavor: string | undefined;
  readonly limit: number;
  readonly slices?: GangPart['slices'];
}

export type StartSearch =
  | { readonly kind: 'found'; readonly parts: readonly StartPart[]; readonly steps: number }
  | { readonly kind: 'blocked'; readonly searched: 'complete' | 'partial'; readonly steps: number };

/**
 * Seats for the minimum of every pod set, in flavors that quota allows: the first without borrowing, then with. Takes
 * the seats when found (the caller rolls back or goes on), and nothing when not. Charges nothing.
 */
export function findStart(state: CoreState, ask: StartAsk): StartSearch {
  const choices = flavorChoices(state, ask);
  let { searched } = choices;
  let steps = 1;
  for (const choice of choices.allowed) {
    steps++;
    const placement = placeChoice(state, ask, choice);
    if (placement.kind === 'placed') return { kind: 'found', parts: placement.parts, steps };
    if (placement.searched === 'partial') searched = 'partial';
  }
  return { kind: 'blocked', searched, steps };
}

/** Seats for the minimum in these flavors, whatever quota says; takes them when found. */
export function placeChoice(
  state: CoreState,
  ask: StartAsk,
  choice: FlavorChoice,
):
  | { readonly kind: 'placed'; readonly parts: readonly StartPart[] }
  | { readonly kind: 'unplaceable'; readonly searched: 'complete' | 'partial' } {
  const { avoid, own = new Set() } = ask;
  const placement = placeGang(state.tx, { parts: gangParts(state, ask.podSets, choice), avoid, own });
  if (placement.kind === 'unplaceable') return placement;
  return { kind: 'placed', parts: startParts(state, ask, { choice, placement }) };
}

/** Is there a place for the minimum, in the flavors that quota allows, or else in the preferred ones? Takes nothing. */
export function hasPlace(state: CoreState, ask: StartAsk): boolean {
  return choicesToPlace(state, ask).some((choice) => {
    const start = state.tx.mark();
    const placement = placeGang(state.tx, { parts: gangParts(state, ask.podSets, choice), avoid: ask.avoid });
    state.tx.rollbackTo(start);
    return placement.kind === 'placed';
  });
}

/** The flavors to look at when asking where there is room. */
export function choicesToPlace(state: CoreState, ask: StartAsk): readonly FlavorChoice[] {
  const { allowed, preferred } = flavorChoices(state, ask);
  return allowed.length > 0 ? allowed : [preferred];
}

/** The flavors in which quota allows the minimum. */
export function flavorChoices(state: CoreState, ask: StartAsk): FlavorChoices {
  const wishes = ask.podSets.map((podSet) => wishOf(state, podSet, minimumOf(podSet)));
  return chooseFlavors(state.quota, ask.queue, wishes);
}

export function gangParts(state: CoreState, podSets: readonly PodSetSpec[], choice: FlavorChoice): readonly GangPart[] {
  return podSets.map((podSet, index) => ({
    shape: state.shapes.shapeOf(podSet, choice[index]),
    need: minimumOf(podSet),
    want: podSet.count,
    ...standingOf(state, podSet),
  }));
}

/** What its topology asks, by the numbers of the levels. A preferred level that the policy has not prefers nothing. */
export function standingOf(
  state: CoreState,
  { topology }: PodSetSpec,
): Pick<GangPart, 'limit' | 'preferred' | 'slices'> {
  if (topology === undefined) return { limit: -1 };
  const level = state.fleet.tree.levelOf(topology.level);
  switch (topology.kind) {
    case 'required':
      return { limit: level };
    case 'preferred':
      return { limit: -1, preferred: level };
    case 'slice':
      return level === undefined ? { limit: undefined } : { limit: -1, slices: { level, size: topology.size } };
    default:
      return unreachable(topology);
  }
}

/**
 * More seats for an elastic part, nearest first: in its region, then in the domains around it, as far out as its
 * requirement allows. Up to `count`; takes them. `own`: rows on which the gang holds devices, with all its parts.
 */
export function growStart(
  state: CoreState,
  part: StartPart,
  {
    count,
    avoid,
    own,
  }: { readonly count: number; readonly avoid: ReadonlySet<number>; readonly own: ReadonlySet<number> },
): readonly PlacedPod[] {
  const { tree } = state.fleet;
  const shape = state.shapes.shapeOf(part.podSet, part.flavor);
  const pods: PlacedPod[] = [];
  const allowed = withoutHeldSlices(state.fleet, [shape], { avoid, own });
  let { region } = part;
  for (;;) {
    pods.push(...growPart(state.tx, { shape, region, avoid: allowed, slices: part.slices }, count - pods.length));
    if (pods.length === count || tree.levelOfDomain(region) <= part.limit) return pods;
    region = tree.parentOf(region);
    if (tree.levelOfDomain(region) < part.limit) return pods;
  }
}

function startParts(
  state: CoreState,
  ask: StartAsk,
  {
    choice,
    placement,
  }: { readonly choice: FlavorChoice; readonly placement: { readonly parts: readonly PlacedPart[] } },
): readonly StartPart[] {
  return ask.podSets.flatMap((podSet, index) => {
    const placed = placement.parts[index];
    const { limit = -1, slices } = standingOf(state, podSet);
    return placed === undefined ? [] : [{ ...placed, podSet, flavor: choice[index], limit, slices }];
  });
}
