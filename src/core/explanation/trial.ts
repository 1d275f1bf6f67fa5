import type { Change, NodeName, PodSetSpec } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { invariant, unreachable } from '../invariant.js';
import { isSilent } from '../lifecycle/index.js';
import type { WorkloadRecord } from '../queue/index.js';

/** The workload as it is asked about, and what would be different. */
export interface Trial {
  readonly state: CoreState;
  readonly record: WorkloadRecord;
  readonly changes: readonly Change[];
}

/** Asks something of the state as it would be with the changes, and rolls back. */
export function inTrial<Answer>(
  { state, record, changes }: Trial,
  question: (changed: WorkloadRecord) => Answer,
): Answer {
  const start = state.tx.mark();
  let changed = record;
  for (const change of changes) changed = applyChange(state, changed, change);
  const answer = question(changed);
  state.tx.rollbackTo(start);
  return answer;
}

/** As if these nodes took work; answers with their rows. */
export function healNodes(state: CoreState, nodes: readonly NodeName[]): ReadonlySet<number> {
  const rows = nodes.map((node) => state.fleet.rowOf(node));
  for (const row of rows) state.tx.openNode(row);
  return new Set(rows);
}

function applyChange(state: CoreState, record: WorkloadRecord, change: Change): WorkloadRecord {
  const { spec, avoid } = record;
  switch (change.kind) {
    case 'raise-quota':
      state.quota.raise(change);
      return record;
    case 'end-workloads':
      for (const workload of change.workloads) endWorkload(state, workload);
      return record;
    case 'heal-nodes': {
      healNodes(state, change.nodes);
      const nodes = avoid?.nodes.filter((node) => !change.nodes.includes(node)) ?? [];
      return { ...record, avoid: avoid === undefined ? undefined : { ...avoid, nodes } };
    }
    case 'drop-requirement':
      return withPodSet(record, change.podSet, (podSet) => without(podSet, change.requirement));
    case 'ask-less':
      return withPodSet(record, change.podSet, (podSet) => ({
        ...podSet,
        count: change.count,
        minCount: Math.min(podSet.minCount, change.count),
      }));
    case 'lift-hold':
      return { ...record, spec: { ...spec, hold: false } };
    case 'raise-priority':
      return { ...record, spec: { ...spec, priority: change.to } };
    case 'finish-dependency':
      for (const workload of change.workloads) endWorkload(state, workload);
      return { ...record, waitsOn: record.waitsOn.filter((id) => !change.workloads.includes(id)) };
    case 'free-devices':
      invariant(false, 'no trial proposes free devices', { change });
      return record;
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

function withPodSet(record: WorkloadRecord, name: string, change: (podSet: PodSetSpec) => PodSetSpec): WorkloadRecord {
  const podSets = record.spec.podSets.map((podSet) => (podSet.name === name ? change(podSet) : podSet));
  return { ...record, spec: { ...record.spec, podSets } };
}

/** What the pod set would be without one of its requirements. */
export function without(
  podSet: PodSetSpec,
  requirement: 'topology' | 'selector' | 'tolerations' | 'rules',
): PodSetSpec {
  switch (requirement) {
    case 'topology': {
      const { topology: _dropped, ...rest } = podSet;
      return rest;
    }
    case 'selector': {
      const { nodeAffinity: _dropped, ...rest } = podSet;
      return { ...rest, nodeSelector: {} };
    }
    case 'rules':
      return withoutRules(podSet);
    case 'tolerations':
      return { ...podSet, tolerations: [{ operator: 'Exists' }] };
    default:
      return unreachable(requirement);
  }
}

function withoutRules(podSet: PodSetSpec): PodSetSpec {
  const { namespace: _namespace, labels: _labels, hostPorts: _ports, ...rest } = podSet;
  const { podAffinity: _affinity, podAntiAffinity: _apart, topologySpread: _spread, ...unruled } = rest;
  return unruled;
}
