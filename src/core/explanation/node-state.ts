import type { NodeName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StartAsk } from '../start/index.js';
import { hasPlace } from '../start/index.js';
import { flavorsOf } from './capacity.js';
import { healNodes } from './trial.js';

/** Nodes spared one by one: a bound on trials, not on the answer's truth. */
const TRIALS_MAX = 64;

/** Nodes that would suit the workload, but take no work now, or none of its work. By name. */
export function closedNodes(state: CoreState, ask: StartAsk): readonly NodeName[] {
  return state.fleet.names().filter((name) => {
    const row = state.fleet.rowOf(name);
    if (state.fleet.recordOf(row).removed) return false;
    if (state.fleet.open.at(row) === 1 && !ask.avoid.has(row)) return false;
    return ask.podSets.some((podSet) =>
      flavorsOf(podSet).some((flavor) => state.shapes.shapeOf(podSet, flavor).suitsNode(state.fleet, row)),
    );
  });
}

/** Would there be a place if these nodes took work again? */
export function fitsHealed(state: CoreState, ask: StartAsk, nodes: readonly NodeName[]): boolean {
  const start = state.tx.mark();
  const healed = healNodes(state, nodes);
  const answer = hasPlace(state, { ...ask, avoid: new Set([...ask.avoid].filter((row) => !healed.has(row))) });
  state.tx.rollbackTo(start);
  return answer;
}

/** Closed nodes of which none can be left out, whose return would make a place; empty when there is one, or never. */
export function nodesToHeal(state: CoreState, ask: StartAsk): readonly NodeName[] {
  let nodes = closedNodes(state, ask);
  if (nodes.length === 0 || hasPlace(state, ask) || !fitsHealed(state, ask, nodes)) return [];
  for (const node of nodes.slice(0, TRIALS_MAX)) {
    const fewer = nodes.filter((other) => other !== node);
    if (fewer.length > 0 && fitsHealed(state, ask, fewer)) nodes = fewer;
  }
  return nodes;
}
