import type { NodeSpec, SchedulerEvent, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { NodeRecord } from '../fleet/index.js';
import { unreachable } from '../invariant.js';
import { hasLeftSlice } from '../placement/index.js';
import { isSameData } from '../same-data.js';
import type { Applied } from './applied.js';
import { leaveNode } from './observe-pod.js';
import { isStillLeaving } from './pod-counts.js';
import { nameChanged } from './unblock.js';

export type NodeEvent = SchedulerEvent & {
  readonly kind:
    'node-seen' | 'node-removed' | 'node-state-changed' | 'device-state-changed' | 'node-fenced' | 'foreign-use-seen';
};

/** What was seen of a node. Equal content changes nothing; a heartbeat must cost nothing. */
export function observeNode(state: CoreState, event: NodeEvent): Applied {
  if (event.kind === 'node-seen') return seeNode(state, event.node);
  if (!state.fleet.has(event.node)) return 'misfit';
  const row = state.fleet.rowOf(event.node);
  const before = state.fleet.recordOf(row);
  switch (event.kind) {
    case 'node-removed':
      if (before.removed) return 'misfit';
      state.fleet.observe(row, { removed: true });
      if (hasLeftSlice(before.spec)) state.book.groups.wakeAll();
      break;
    case 'node-state-changed':
      if (before.state === event.state) return 'applied';
      state.fleet.observe(row, { state: event.state });
      break;
    case 'device-state-changed': {
      const known = before.sickSlots.find(({ slot }) => slot === event.slot);
      if ((known?.state ?? 'healthy') === event.state) return 'applied';
      const others = before.sickSlots.filter(({ slot }) => slot !== event.slot);
      const sick = event.state === 'healthy' ? [] : [{ slot: event.slot, state: event.state }];
      state.fleet.observe(row, { sickSlots: [...others, ...sick].sort((a, b) => a.slot - b.slot) });
      break;
    }
    case 'node-fenced':
      for (const pod of state.pods.ofNode(row)) {
        if (pod.claim !== 'assumed' && pod.occupancy !== 'none') leaveNode(state, pod, event.seq);
      }
      break;
    case 'foreign-use-seen':
      if (isSameUse(before, event)) return 'applied';
      state.fleet.observe(row, { foreignUse: event.use, foreignSlots: event.slots });
      break;
    default:
      return unreachable(event);
  }
  nodeChanged(state, event.node);
  return 'applied';
}

function seeNode(state: CoreState, spec: NodeSpec): Applied {
  const known = state.fleet.has(spec.name) ? state.fleet.recordOf(state.fleet.rowOf(spec.name)) : undefined;
  if (known !== undefined && !known.removed && isSameData(known.spec, spec)) return 'applied';
  state.fleet.put(spec);
  if (known !== undefined && hasLeftSlice(known.spec, spec)) state.book.groups.wakeAll();
  // Who stands there may keep others out of other domains than before.
  if (known !== undefined && !isSameData(known.spec.labels, spec.labels)) state.wakeForRules('gone');
  nodeChanged(state, spec.name);
  return 'applied';
}

/** Who stands there is looked at again, and who might stand there now. */
function nodeChanged(state: CoreState, name: string): void {
  nameChanged(state, name);
  // Its labels may be other domains than before.
  state.wakeForRules('granted');
  state.dropIfEmpty(name);
  if (!state.fleet.has(name)) return;
  const row = state.fleet.rowOf(name);
  for (const { seat } of state.pods.ofNode(row)) {
    awaitAgain(state, seat.pod.workload);
    state.book.touch(seat.pod.workload);
  }
  if (state.fleet.open.at(row) === 1) state.wakeForNode(row);
}

/** Silent nodes are not waited for; one that answers again may still run a pod of a workload that was given up there. */
function awaitAgain(state: CoreState, workload: WorkloadId): void {
  const record = state.book.get(workload);
  if (record?.state !== 'pending' || record.inFlight !== undefined || !isStillLeaving(state, record)) return;
  state.book.change(record, { state: 'evicting', then: 'requeue' });
}

function isSameUse(before: NodeRecord, { use, slots }: SchedulerEvent & { kind: 'foreign-use-seen' }): boolean {
  const { foreignUse, foreignSlots } = before;
  return (
    foreignUse.cpuMilli === use.cpuMilli &&
    foreignUse.memoryMib === use.memoryMib &&
    foreignUse.pods === use.pods &&
    foreignSlots.length === slots.length &&
    foreignSlots.every((slot, index) => slot === slots[index])
  );
}
