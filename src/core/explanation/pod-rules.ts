import type { Constraint } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { PodRules, podsThatFit } from '../placement/index.js';
import type { StartAsk } from '../start/index.js';
import { choicesToPlace, gangParts, hasPlace } from '../start/index.js';
import { isRuled } from '../standing-rules.js';
import { compareText } from '../text-order.js';
import { without } from './trial.js';

/**
 * There would be room, were it not for rules that look beyond the node: host ports, affinity of pods, spread. With how
 * many of the nodes that have room for a pod each of them rules out as things stand; those that only the pods of the
 * gang itself break rule none out.
 */
export function podRulesConstraint(state: CoreState, ask: StartAsk): (Constraint & { kind: 'selector' }) | undefined {
  if (!ask.podSets.some(isRuled)) return undefined;
  const unruled = { ...ask, podSets: ask.podSets.map((podSet) => without(podSet, 'rules')) };
  if (hasPlace(state, ask) || !hasPlace(state, unruled)) return undefined;
  const counts = new Map<string, number>();
  const { fleet } = state;
  for (const { shape } of gangParts(state, ask.podSets, choicesToPlace(state, ask)[0] ?? [])) {
    const rules = PodRules.of(fleet, shape);
    for (const name of fleet.names()) {
      const row = fleet.rowOf(name);
      const broken = podsThatFit(fleet, shape, row) > 0 ? rules?.whyNot(row) : undefined;
      if (broken !== undefined) counts.set(broken, (counts.get(broken) ?? 0) + 1);
    }
  }
  const ruledOut = [...counts]
    .sort(([a, more], [b, less]) => less - more || compareText(a, b))
    .map(([value, nodes]) => ({ by: 'rule' as const, value, nodes }));
  return { kind: 'selector', ruledOut };
}
