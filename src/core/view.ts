import type { FlavorName, Milli, Ms, NodeName, NodeState, QueueName, WorkloadId } from './contract/index.js';
import type { CoreState } from './core-state.js';
import { slotTotal } from './fleet/index.js';
import type { WorkloadRecord } from './queue/index.js';
import { compareByOrder, orderKeyOf } from './queue/index.js';
import { dominantShare, perMille } from './quota/index.js';

export interface FlavorUsageView {
  readonly flavor: FlavorName;
  /** Charges of the queue and of all below it that exceed what those keep for themselves. */
  readonly used: Milli;
  readonly subtree: Milli;
  /** `undefined`: no queue of the tree names the flavor. */
  readonly available: Milli | undefined;
}

export interface QueueView {
  readonly name: QueueName;
  readonly flavors: readonly FlavorUsageView[];
  readonly pending: number;
  /** Weighted dominant share of what it borrows, per mille, rounded down; `infinite`: it borrows with a weight of 0. */
  readonly share: number | 'infinite';
}

export interface WorkloadView {
  readonly id: WorkloadId;
  readonly state: 'pending' | 'starting' | 'running' | 'evicting';
  readonly incarnation: number;
  readonly pods: number;
  /** Its place among the pending of its queue, from 1; absent when not pending. */
  readonly place?: number;
  /** When it is planned to start; absent without a plan. */
  readonly plannedStartMs?: Ms;
}

export interface NodeView {
  readonly name: NodeName;
  readonly state: NodeState;
  readonly takesWork: boolean;
  readonly slots: number;
  /** Free milli of each slot; a slot that takes no work counts as 0. */
  readonly freeMilli: readonly Milli[];
  readonly pods: number;
}

/** All lists are sorted by name or id, in code-unit order. */
export interface SchedulerView {
  readonly seq: number;
  /** Events that did not fit the state and changed nothing. */
  readonly misfits: number;
  readonly queues: readonly QueueView[];
  readonly workloads: readonly WorkloadView[];
  readonly nodes: readonly NodeView[];
}

export function viewOf(state: CoreState): SchedulerView {
  const records = state.book.all();
  const places = placesOf(state, records);
  return {
    seq: state.seq,
    misfits: state.misfits,
    queues: state.quota.names().map((name) => queueView(state, name, records)),
    workloads: records.map(({ spec, state: phase, incarnation }) => {
      const place = places.get(spec.id);
      const pods = state.pods.ofWorkload(spec.id).length;
      const plannedStartMs = state.plans.get(spec.id)?.startMs;
      return {
        id: spec.id,
        state: phase,
        incarnation,
        pods,
        ...(place === undefined ? {} : { place }),
        ...(plannedStartMs === undefined ? {} : { plannedStartMs }),
      };
    }),
    nodes: state.fleet.names().map((name) => nodeView(state, name)),
  };
}

function queueView(state: CoreState, name: QueueName, records: readonly WorkloadRecord[]): QueueView {
  const flavors = state.quota
    .flavors()
    .map((flavor) => ({ flavor, ...state.quota.usage(name, flavor), available: state.quota.available(name, flavor) }))
    .filter(({ used, available }) => used !== 0 || available !== undefined);
  const pending = records.filter((record) => record.state === 'pending' && record.spec.queue === name).length;
  const share = perMille(dominantShare(state.quota, name));
  return { name, flavors, pending, share: share === Infinity ? 'infinite' : share };
}

function placesOf(state: CoreState, records: readonly WorkloadRecord[]): ReadonlyMap<WorkloadId, number> {
  const places = new Map<WorkloadId, number>();
  const lengths = new Map<QueueName, number>();
  const pending = records
    .filter((record) => record.state === 'pending')
    .sort((a, b) => compareByOrder(orderKeyOf(state.policy.order, a), orderKeyOf(state.policy.order, b)));
  for (const { spec } of pending) {
    const place = (lengths.get(spec.queue) ?? 0) + 1;
    lengths.set(spec.queue, place);
    places.set(spec.id, place);
  }
  return places;
}

function nodeView(state: CoreState, name: NodeName): NodeView {
  const { fleet } = state;
  const row = fleet.rowOf(name);
  const { spec, state: nodeState } = fleet.recordOf(row);
  const slots = slotTotal(spec);
  const base = fleet.slotBase(row);
  const freeMilli = Array.from({ length: slots }, (_, slot) =>
    fleet.slotClosed.at(base + slot) === 1 ? 0 : fleet.slotFree.at(base + slot),
  );
  const takesWork = fleet.open.at(row) === 1;
  return { name, state: nodeState, takesWork, slots, freeMilli, pods: state.pods.countOn(row) };
}
