import type { Constraint, PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StartAsk } from '../start/index.js';
import type { RuledOut } from '../placement/index.js';
import { whyNever } from '../placement/index.js';
import { compareText } from '../text-order.js';
import { flavorsOf } from './capacity.js';

type SelectorConstraint = Constraint & { readonly kind: 'selector' };

/** More would not help whoever reads it. */
const REASONS_MAX = 10;

/** A pod set for which no node of the fleet could ever do, whatever its state; with how many nodes each reason rules out. */
export function selectorConstraint(state: CoreState, ask: StartAsk): SelectorConstraint | undefined {
  for (const podSet of ask.podSets) {
    const ruledOut = whyNowhere(state, podSet);
    if (ruledOut !== undefined) return { kind: 'selector', ruledOut };
  }
  return undefined;
}

function whyNowhere(state: CoreState, podSet: PodSetSpec): SelectorConstraint['ruledOut'] | undefined {
  const { fleet } = state;
  const shapes = flavorsOf(podSet).map((flavor) => state.shapes.shapeOf(podSet, flavor));
  const counts = new Map<string, RuledOut & { readonly nodes: number }>();
  for (let domain = fleet.tree.size - 1; domain >= 0; domain--) {
    const row = fleet.tree.rowOf(domain);
    if (row < 0) continue;
    if (shapes.some((shape) => shape.suitsNode(fleet, row))) return undefined;
    const { spec } = fleet.recordOf(row);
    const example = fleet.exampleOf(fleet.classOf(row));
    const reasons = shapes.map((shape) => whyNever(shape, example) ?? shape.whyNotByName(spec));
    // Of several flavors, the one whose model the node has says more.
    const reason = reasons.find((why) => why !== undefined && why.by !== 'model') ?? reasons[0];
    if (reason === undefined) continue;
    const key = `${reason.by} ${reason.value}`;
    counts.set(key, { ...reason, nodes: (counts.get(key)?.nodes ?? 0) + 1 });
  }
  // An empty fleet rules nothing out: it is short of capacity.
  if (counts.size === 0) return undefined;
  return [...counts.values()]
    .sort((a, b) => b.nodes - a.nodes || compareText(a.by, b.by) || compareText(a.value, b.value))
    .slice(0, REASONS_MAX);
}
