import type { Constraint, Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StartAsk } from '../start/index.js';
import { flavorChoices, hasPlace, requestsOf, startAskOf } from '../start/index.js';
import type { PendingNeed, WorkloadRecord } from '../queue/index.js';
import { orderKeyOf, waitingAhead } from '../queue/index.js';
import { capacityShortage, podsNeeded, podsPlaceable, wouldFitEmptyFleet } from './capacity.js';
import { holdersOfQuota } from './holders.js';
import { closedNodes, fitsHealed, nodesToHeal } from './node-state.js';
import { selectorConstraint } from './selector.js';
import { podRulesConstraint } from './pod-rules.js';
import { outlookOf } from './would-start.js';
import { asksForDomains, topologyConstraint, withoutTopology } from './topology.js';

/** The first constraint that binds, by its kind alone: what a group is told. Cheaper than the whole explanation. */
export function bindingOf(state: CoreState, record: WorkloadRecord): Constraint['kind'] {
  const ask = startAskOf(state, record);
  return (
    holdConstraint(record)?.kind ??
    dependencyConstraint(record)?.kind ??
    selectorConstraint(state, ask)?.kind ??
    podRulesConstraint(state, ask)?.kind ??
    (flavorChoices(state, ask).allowed.length === 0 ? 'quota' : placementKind(state, ask)) ??
    'priority'
  );
}

/** Every constraint that binds, in the order of their list; at least one. */
export function constraintsOf(state: CoreState, record: WorkloadRecord, nowMs: Ms): readonly Constraint[] {
  const ask = startAskOf(state, record);
  const hold = holdConstraint(record);
  const dependency = dependencyConstraint(record);
  const selector = selectorConstraint(state, ask) ?? podRulesConstraint(state, ask);
  const quota = quotaConstraint(state, ask);
  // Where no node could ever match, room is not the question.
  const kind = selector === undefined ? placementKind(state, ask) : undefined;
  const mayStart = [hold, dependency, selector, quota, kind].every((constraint) => constraint === undefined);
  const found = [
    hold,
    dependency,
    selector,
    quota,
    mayStart ? priorityConstraint(state, record, nowMs) : undefined,
    kind === 'topology' ? topologyConstraint(state, ask) : undefined,
    kind === 'gang' ? gangConstraint(state, ask) : undefined,
    kind === undefined || kind === 'topology' ? undefined : nodeStateConstraint(state, ask),
    kind === 'capacity' || kind === 'node-state' ? capacityShortage(state, ask) : undefined,
  ];
  return found.filter((constraint) => constraint !== undefined);
}

/** Its owner's hold, the wait after a failure, or the pause after a refused set. */
function holdConstraint({ spec, notBeforeMs, pause }: WorkloadRecord): Constraint | undefined {
  if (spec.hold) return { kind: 'hold', by: 'owner' };
  if (notBeforeMs !== undefined) return { kind: 'hold', by: 'backoff', untilMs: notBeforeMs };
  return pause === undefined ? undefined : { kind: 'hold', by: 'refused', untilMs: pause.untilMs };
}

function dependencyConstraint({ waitsOn: on }: WorkloadRecord): Constraint | undefined {
  return on.length === 0 ? undefined : { kind: 'dependency', on };
}

function quotaConstraint(state: CoreState, ask: StartAsk): Constraint | undefined {
  const { allowed, refused } = flavorChoices(state, ask);
  if (allowed.length > 0 || refused === undefined) return undefined;
  const { queue, flavor, shortMilli: short } = refused;
  if (flavor === undefined) return { kind: 'quota', queue, resource: 'pods', short, holders: [] };
  const resource = state.fleet.flavor(flavor)?.model === undefined ? 'cpu' : 'devices';
  return { kind: 'quota', queue, flavor, resource, short, holders: holdersOfQuota(state, { queue, flavor }) };
}

/**
 * Nothing is in its way but others: a planned start that it would delay, or those whose turn comes first; alone, it
 * starts in the next settle.
 */
function priorityConstraint(state: CoreState, record: WorkloadRecord, nowMs: Ms): Constraint {
  const { groups } = state.book;
  const key = orderKeyOf(state.policy.order, record);
  // A paused or held one is in no group: it is compared as if it were in one of its own.
  const group = groups.groupOf(record.spec.id) ?? { queue: record.spec.queue, podSets: record.spec.podSets };
  const byShare = state.policy.order === 'fair' ? (of: PendingNeed) => requestsOf(state, of) : undefined;
  const rivals = { quota: state.quota, requestsOf: byShare };
  const { count, first } = waitingAhead(rivals, groups.all(), { key, group });
  const outlook = outlookOf(state, record, { nowMs, mayEvict: true });
  const plan = outlook.kind === 'delays' ? state.plans.get(outlook.plan) : undefined;
  if (plan !== undefined) {
    const { workload, startMs } = plan;
    return { kind: 'priority', behind: workload, ahead: count, plan: { workload, startMs } };
  }
  return { kind: 'priority', ...(first === undefined ? {} : { behind: first }), ahead: count };
}

function gangConstraint(state: CoreState, ask: StartAsk): Constraint {
  const needed = podsNeeded(ask);
  return { kind: 'gang', podsNeeded: needed, podsThatFit: Math.min(needed - 1, podsPlaceable(state, ask)) };
}

function nodeStateConstraint(state: CoreState, ask: StartAsk): Constraint | undefined {
  const nodes = nodesToHeal(state, ask);
  return nodes.length === 0 ? undefined : { kind: 'node-state', nodes };
}

/**
 * Which constraint of placement binds first, quota aside; `undefined` when there is a place. `gang` speaks of a gang
 * that the fleet could hold were it empty: a larger one is short of capacity.
 */
function placementKind(state: CoreState, ask: StartAsk): 'topology' | 'gang' | 'node-state' | 'capacity' | undefined {
  if (hasPlace(state, ask)) return undefined;
  if (asksForDomains(ask) && hasPlace(state, withoutTopology(ask))) return 'topology';
  const isPartly = podsNeeded(ask) > 1 && podsPlaceable(state, ask) > 0;
  if (isPartly && wouldFitEmptyFleet(state, ask)) return 'gang';
  const closed = closedNodes(state, ask);
  return closed.length > 0 && fitsHealed(state, ask, closed) ? 'node-state' : 'capacity';
}
