import type { Decision, FlavorSpec, Ms, Policy, QueueSpec, SetId, WorkloadId } from './contract/index.js';
import type { BrakeWindow } from './core-state.js';
import { CoreState } from './core-state.js';
import type { NodeRecord, PodRecord } from './fleet/index.js';
import type { PlanBookRecord, RunHistoryRecord } from './forecast/index.js';
import { invariant } from './invariant.js';
import type { MixRecord } from './placement/index.js';
import type { GroupRecord, GrowthRecord, WorkloadRecord } from './queue/index.js';
import type { PastUsageRecord } from './quota/index.js';

/** Records as plain data, fit for JSON. Indexes are not in it: `restoreState` builds them as the events did. */
export interface Snapshot {
  readonly seq: number;
  readonly misfits: number;
  /** The latest time told. */
  readonly nowMs: Ms;
  readonly nextSet: SetId;
  readonly nextDecision: number;
  readonly rightsVersion: number;
  readonly brakeWindow?: BrakeWindow;
  readonly policy: Policy;
  readonly flavors: readonly FlavorSpec[];
  readonly queues: readonly QueueSpec[];
  readonly pastUsage: readonly PastUsageRecord[];
  readonly nodes: readonly NodeRecord[];
  readonly workloads: readonly WorkloadRecord[];
  readonly pods: readonly PodRecord[];
  readonly inFlight: readonly { readonly set: SetId; readonly decisions: readonly Decision[] }[];
  /** To be looked at in the next settle. */
  readonly touched: readonly WorkloadId[];
  readonly groups: readonly GroupRecord[];
  readonly growing: readonly GrowthRecord[];
  /** What placement knows of the pods that teams submit. */
  readonly mix: MixRecord;
  readonly plans: PlanBookRecord;
  readonly history: readonly RunHistoryRecord[];
}

export function snapshotOf(state: CoreState): Snapshot {
  const { seq, misfits, nextSet, nextDecision, rightsVersion, brakeWindow, policy, fleet, quota, book } = state;
  return {
    seq,
    misfits,
    nowMs: state.nowMs,
    nextSet,
    nextDecision,
    rightsVersion,
    ...(brakeWindow === undefined ? {} : { brakeWindow }),
    policy,
    flavors: fleet.flavors(),
    queues: quota.names().map((name) => {
      const spec = quota.spec(name);
      invariant(spec !== undefined, 'a named queue has a spec', { name });
      return spec;
    }),
    pastUsage: quota.past.records(),
    nodes: fleet.names().map((name) => fleet.recordOf(fleet.rowOf(name))),
    workloads: book.all(),
    pods: state.pods.all(),
    inFlight: [...state.inFlight].sort(([a], [b]) => a - b).map(([set, decisions]) => ({ set, decisions })),
    touched: book.touched(),
    groups: book.groups.records(),
    growing: book.groups.growing.records(),
    mix: state.shapes.scoring.mix.record(),
    plans: state.plans.records(),
    history: state.history.records(),
  };
}

export function restoreState(snapshot: Snapshot): CoreState {
  const state = new CoreState();
  const { seq, misfits, nextSet, nextDecision, rightsVersion, brakeWindow } = snapshot;
  Object.assign(state, { seq, misfits, nextSet, nextDecision, rightsVersion, brakeWindow });
  state.setPolicy(snapshot.policy);
  state.shapes.scoring.mix.restore(snapshot.mix);
  for (const flavor of snapshot.flavors) state.fleet.setFlavor(flavor);
  for (const queue of snapshot.queues) state.quota.set(queue);
  for (const { spec, ...seen } of snapshot.nodes) {
    state.fleet.put(spec);
    state.fleet.observe(state.fleet.rowOf(spec.name), seen);
  }
  for (const record of snapshot.workloads) {
    state.charge(record.charges);
    state.book.put(record);
  }
  state.quota.past.restore(snapshot.pastUsage, snapshot.nowMs);
  for (const pod of snapshot.pods) {
    const slots = pod.seat.slots.map(({ slot }) => slot + 1);
    state.fleet.ensureSlots(state.fleet.rowOf(pod.seat.node), Math.max(0, ...slots));
    state.pods.add(pod, 'to-take');
  }
  for (const { set, decisions } of snapshot.inFlight) state.inFlight.set(set, decisions);
  for (const id of snapshot.touched) state.book.touch(id);
  state.book.groups.restore(snapshot.groups);
  state.book.restoreGrowing(snapshot.growing);
  state.plans.restore(snapshot.plans);
  state.history.restore(snapshot.history);
  state.journal.commit();
  return state;
}
