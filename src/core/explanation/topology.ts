import type { Constraint } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StartAsk } from '../start/index.js';
import { choicesToPlace, gangParts } from '../start/index.js';
import { FitSums } from '../placement/index.js';
import { without } from './trial.js';

export function isRequired(ask: StartAsk): boolean {
  return ask.podSets.some(({ topology }) => topology?.kind === 'required');
}

export function withoutTopology(ask: StartAsk): StartAsk {
  return { ...ask, podSets: ask.podSets.map((podSet) => without(podSet, 'topology')) };
}

/** How many pods the best domain of the required level could take: of the first pod set that requires one too small. */
export function topologyConstraint(state: CoreState, ask: StartAsk): Constraint | undefined {
  const { fleet } = state;
  const choice = choicesToPlace(state, ask)[0] ?? [];
  const found: (Constraint & { kind: 'topology' })[] = [];
  for (const [index, { shape, need, limit }] of gangParts(state, ask.podSets, choice).entries()) {
    const topology = ask.podSets[index]?.topology;
    if (topology?.kind !== 'required') continue;
    const sums = new FitSums({ fleet, shape, avoid: ask.avoid, within: 0 });
    const domains = limit === undefined ? [] : fleet.tree.domainsAt(limit);
    let best = domains[0];
    for (const domain of domains) if (best === undefined || sums.of(domain) > sums.of(best)) best = domain;
    const podsAtBest = best === undefined ? 0 : sums.of(best);
    const name = best === undefined ? '' : fleet.tree.nameOf(best);
    found.push({ kind: 'topology', level: topology.level, podsNeeded: need, podsAtBest, best: name });
  }
  return found.find(({ podsNeeded, podsAtBest }) => podsAtBest < podsNeeded) ?? found[0];
}
