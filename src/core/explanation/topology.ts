import type { Constraint, TopologyRequest } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StartAsk } from '../start/index.js';
import { choicesToPlace, gangParts } from '../start/index.js';
import { FitSums } from '../placement/index.js';
import { without } from './trial.js';

export function asksForDomains(ask: StartAsk): boolean {
  return ask.podSets.some(({ topology }) => binds(topology));
}

/** A preferred level keeps nobody waiting. */
export function binds(topology: TopologyRequest | undefined): topology is TopologyRequest {
  return topology !== undefined && topology.kind !== 'preferred';
}

export function withoutTopology(ask: StartAsk): StartAsk {
  return { ...ask, podSets: ask.podSets.map((podSet) => without(podSet, 'topology')) };
}

/**
 * How many pods the best domain of the required level could take: of the first pod set that requires one too small. Of
 * slices: how many pods whole slices could take, all domains together.
 */
export function topologyConstraint(state: CoreState, ask: StartAsk): Constraint | undefined {
  const { fleet } = state;
  const choice = choicesToPlace(state, ask)[0] ?? [];
  const found: (Constraint & { kind: 'topology' })[] = [];
  for (const [index, { shape, need, limit, slices }] of gangParts(state, ask.podSets, choice).entries()) {
    const topology = ask.podSets[index]?.topology;
    if (!binds(topology)) continue;
    const sums = new FitSums({ fleet, shape, avoid: ask.avoid, slices });
    const domains = limit === undefined ? [] : fleet.tree.domainsAt(limit);
    let best = domains[0];
    for (const domain of domains) if (best === undefined || sums.of(domain) > sums.of(best)) best = domain;
    const podsAtBest = best === undefined ? 0 : sums.of(slices === undefined ? best : 0);
    const name = best === undefined ? '' : fleet.tree.nameOf(best);
    const size = slices === undefined ? {} : { sliceSize: slices.size };
    found.push({ kind: 'topology', level: topology.level, podsNeeded: need, podsAtBest, best: name, ...size });
  }
  return found.find(({ podsNeeded, podsAtBest }) => podsAtBest < podsNeeded) ?? found[0];
}
