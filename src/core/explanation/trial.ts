import type { Change, PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { invariant, unreachable } from '../invariant.js';
import type { StartAsk, StartSearch } from '../start/index.js';
import { isSilent } from '../lifecycle/index.js';
import { findStart } from '../start/index.js';

/** The workload as it is asked about, and what would be different. */
export interface Trial {
  readonly state: CoreState;
  readonly ask: StartAsk;
  readonly changes: readonly Change[];
}

/** Would the workload start, were it alone, with these changes? Everything is rolled back. */
export function startsWith(trial: Trial): StartSearch {
  return inTrial(trial, (changed) => findStart(trial.state, changed));
}

/** Asks something of the state as it would be with the changes, and rolls back. */
export function inTrial<Answer>({ state, ask, changes }: Trial, question: (changed: StartAsk) => Answer): Answer {
  const start = state.tx.mark();
  let changed = ask;
  for (const change of changes) changed = applyChange(state, changed, change);
  const answer = question(changed);
  state.tx.rollbackTo(start);
  return answer;
}

function applyChange(state: CoreState, ask: StartAsk, change: Change): StartAsk {
  switch (change.kind) {
    case 'raise-quota':
      state.quota.raise(change);
      return ask;
    case 'end-workloads':
      for (const workload of change.workloads) endWorkload(state, workload);
      return ask;
    case 'heal-nodes': {
      const rows = change.nodes.map((node) => state.fleet.rowOf(node));
      for (const row of rows) state.tx.openNode(row);
      return { ...ask, avoid: new Set([...ask.avoid].filter((row) => !rows.includes(row))) };
    }
    case 'drop-requirement':
      return withPodSet(ask, change.podSet, (podSet) => without(podSet, change.requirement));
    case 'ask-less':
      return withPodSet(ask, change.podSet, (podSet) => ({
        ...podSet,
        count: change.count,
        minCount: Math.min(podSet.minCount, change.count),
      }));
    case 'lift-hold':
    case 'raise-priority':
    case 'finish-dependency':
      return ask;
    case 'free-devices':
      invariant(false, 'no trial proposes free devices', { change });
      return ask;
    default:
      return unreachable(change);
  }
}

/** What it holds on nodes that answer, and what it pays, is free. */
function endWorkload(state: CoreState, workload: string): void {
  const pods = state.pods.ofWorkload(workload).filter((pod) => !isSilent(state, pod));
  for (const share of state.pods.shareOf(pods)) state.tx.give(share);
  for (const charge of state.book.get(workload)?.charges ?? []) state.quota.refund(charge);
}

function withPodSet(ask: StartAsk, name: string, change: (podSet: PodSetSpec) => PodSetSpec): StartAsk {
  return { ...ask, podSets: ask.podSets.map((podSet) => (podSet.name === name ? change(podSet) : podSet)) };
}

/** What the pod set would be without one of its requirements. */
export function without(podSet: PodSetSpec, requirement: 'topology' | 'selector' | 'tolerations'): PodSetSpec {
  switch (requirement) {
    case 'topology': {
      const { topology: _dropped, ...rest } = podSet;
      return rest;
    }
    case 'selector':
      return { ...podSet, nodeSelector: {} };
    case 'tolerations':
      return { ...podSet, tolerations: [{ operator: 'Exists' }] };
    default:
      return unreachable(requirement);
  }
}
