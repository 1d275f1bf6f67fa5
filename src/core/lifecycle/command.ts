import type { PodSetSpec, SchedulerEvent, WorkloadChange, WorkloadSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { unreachable } from '../invariant.js';
import { isSameData } from '../same-data.js';
import type { Applied } from './applied.js';
import { nameChanged, wakeTakers } from './unblock.js';

export type Command = SchedulerEvent & {
  readonly kind:
    | 'policy-set'
    | 'queue-set'
    | 'queue-removed'
    | 'flavor-set'
    | 'flavor-removed'
    | 'workload-submitted'
    | 'workload-changed'
    | 'workload-cancelled';
};

/** What teams and operators want. */
export function command(state: CoreState, event: Command): Applied {
  switch (event.kind) {
    case 'policy-set':
      if (isSameData(state.policy, event.policy)) return 'applied';
      state.setPolicy(event.policy);
      state.rightsVersion++;
      return 'applied';
    case 'queue-set':
      if (isSameData(state.quota.spec(event.queue.name), event.queue)) return 'applied';
      if (state.quota.set(event.queue) === 'cycle') return 'misfit';
      nameChanged(state, event.queue.name);
      state.rightsVersion++;
      state.book.groups.wakeAll();
      return 'applied';
    case 'queue-removed': {
      const isUsed = state.book.has(({ spec }) => spec.queue === event.queue);
      if (isUsed || state.quota.remove(event.queue) !== 'removed') return 'misfit';
      state.history.forget(event.queue);
      state.rightsVersion++;
      state.book.groups.wakeAll();
      return 'applied';
    }
    case 'flavor-set':
      if (isSameData(state.fleet.flavor(event.flavor.name), event.flavor)) return 'applied';
      state.fleet.setFlavor(event.flavor);
      state.book.groups.wakeAll();
      return 'applied';
    case 'flavor-removed':
      if (!state.fleet.removeFlavor(event.flavor)) return 'misfit';
      state.book.groups.wakeAll();
      return 'applied';
    case 'workload-submitted':
      return submit(state, event.workload);
    case 'workload-changed':
    case 'workload-cancelled':
      return changeWorkload(state, event);
    default:
      return unreachable(event);
  }
}

function submit(state: CoreState, spec: WorkloadSpec): Applied {
  const names = new Set(spec.podSets.map(({ name }) => name));
  const isKnown = state.book.get(spec.id) !== undefined;
  if (isKnown || names.size !== spec.podSets.length || spec.podSets.every(({ count }) => count < 1)) return 'misfit';
  if (!spec.podSets.every(hasWholeSlices)) return 'misfit';
  state.book.submit(spec);
  state.shapes.scoring.mix.count(spec.podSets);
  return 'applied';
}

/** Pods of slices come in whole slices, at the minimum too. */
function hasWholeSlices({ count, minCount, topology }: PodSetSpec): boolean {
  if (topology?.kind !== 'slice') return true;
  return topology.size >= 1 && count % topology.size === 0 && minCount % topology.size === 0;
}

/** `undefined`: the counts name a pod set that is not there, or leave no pod at all. */
function changedSpec(spec: WorkloadSpec, { counts = {}, ...change }: WorkloadChange): WorkloadSpec | undefined {
  const names = new Set(spec.podSets.map(({ name }) => name));
  const podSets = spec.podSets.map((podSet) => ({ ...podSet, ...counts[podSet.name] }));
  const isKnown = Object.keys(counts).every((name) => names.has(name));
  return isKnown && podSets.every(hasWholeSlices) && podSets.some(({ count }) => count > 0)
    ? { ...spec, ...change, podSets }
    : undefined;
}

/** What its owner does ends a pause: after a refused set it may be tried again at once, and so may growth. */
function changeWorkload(
  state: CoreState,
  event: SchedulerEvent & { kind: 'workload-changed' | 'workload-cancelled' },
): Applied {
  const record = state.book.get(event.workload);
  if (record === undefined) return 'misfit';
  if (event.kind === 'workload-cancelled') {
    if (record.cancelRequested) return 'misfit';
    state.book.change(record, { cancelRequested: true, pause: undefined });
  } else {
    const spec = changedSpec(record.spec, event.change);
    if (spec === undefined) return 'misfit';
    // A new estimate is worth more than what an earlier incarnation said.
    const expectedMs = event.change.estimateMs === undefined ? record.expectedMs : undefined;
    const membership = { ...record.membership, growNotBeforeMs: undefined };
    state.book.change(record, { spec, expectedMs, membership, pause: undefined, told: undefined });
    // Of one that runs it may change who may take from it, and when it is expected to end.
    if (record.state !== 'pending') {
      state.wakeForWorkload(spec);
      wakeTakers(state, spec.id);
    }
    if (spec.priority !== record.spec.priority) state.rightsVersion++;
  }
  state.book.touch(event.workload);
  return 'applied';
}
