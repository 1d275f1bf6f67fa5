import type {
  Decision,
  NodeState,
  PodEnd,
  PodRef,
  SchedulerInput,
  SchedulerView,
  SetId,
  Settlement,
  Snapshot,
  WorkloadSpec,
} from '../../src/core/index.js';
import { isForDisplay, Scheduler } from '../../src/core/index.js';
import { aFlavor, aNode, aQueue } from './fleet-builders.js';

/**
 * A core with the ledger and the driver that it needs, played by hand: what is decided is committed and created by
 * `settle`, unless a test answers for itself.
 */
export class CoreRig {
  scheduler: Scheduler;
  nowMs = 0;
  readonly decisions: Decision[] = [];
  #seq = 0;

  constructor(scheduler = new Scheduler(), seq = 0) {
    this.scheduler = scheduler;
    this.#seq = seq;
  }

  /** Nodes of 8 devices in the given racks, one queue `lab` with quota for all of them. */
  static withRacks(racks: Readonly<Record<string, readonly string[]>>): CoreRig {
    const rig = new CoreRig();
    rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 10_000 }) });
    for (const [rack, names] of Object.entries(racks)) {
      for (const name of names) rig.tell({ kind: 'node-seen', node: aNode(name, { rack }) });
    }
    return rig;
  }

  static restored(snapshot: Snapshot, nowMs: number): CoreRig {
    const rig = new CoreRig(Scheduler.restore(snapshot), snapshot.seq);
    rig.nowMs = nowMs;
    return rig;
  }

  tell(...inputs: readonly SchedulerInput[]): void {
    for (const input of inputs) this.scheduler.apply({ ...input, seq: ++this.#seq, atMs: this.nowMs });
  }

  submit(...workloads: readonly WorkloadSpec[]): void {
    for (const workload of workloads) this.tell({ kind: 'workload-submitted', workload });
  }

  decide(): Settlement {
    const settlement = this.scheduler.decide(this.nowMs);
    this.decisions.push(...settlement.decisions);
    return settlement;
  }

  /** Settles until nothing is left to say; commits everything, and pods that must stop are gone at once. */
  settle(pods: 'start' | 'only-commit' = 'start'): readonly Decision[] {
    const said: Decision[] = [];
    for (let round = 0; round < 100; round++) {
      const decisions = this.settleOnce(pods);
      if (decisions.length === 0) return said;
      said.push(...decisions);
    }
    throw new Error('the core does not come to rest');
  }

  /** One round of it. */
  settleOnce(pods: 'start' | 'only-commit' = 'start'): readonly Decision[] {
    const { decisions } = this.decide();
    for (const set of setsOf(decisions)) this.tell({ kind: 'set-committed', set });
    for (const decision of pods === 'start' ? decisions : []) {
      if (decision.kind === 'start' || decision.kind === 'grow') this.startPods(decision.seats.map(({ pod }) => pod));
      if (decision.kind === 'evict' || decision.kind === 'shrink') this.goPods(decision.pods);
    }
    return decisions;
  }

  startPods(pods: readonly PodRef[]): void {
    for (const pod of pods) this.tell({ kind: 'pod-bound', pod }, { kind: 'pod-started', pod });
  }

  goPods(pods: readonly PodRef[]): void {
    for (const pod of pods) this.tell({ kind: 'pod-gone', pod });
  }

  endPod(pod: PodRef, end: Partial<PodEnd> = {}): void {
    this.tell({ kind: 'pod-ended', pod, outcome: 'succeeded', blame: 'workload', ...end });
  }

  nodeState(node: string, state: NodeState): void {
    this.tell({ kind: 'node-state-changed', node, state, cause: 'test' });
  }

  view(): SchedulerView {
    return this.scheduler.view();
  }

  stateOf(workload: string): string {
    return this.view().workloads.find(({ id }) => id === workload)?.state ?? 'gone';
  }

  /** The last start of the workload. */
  startOf(workload: string): (Decision & { kind: 'start' }) | undefined {
    return this.decisions
      .filter((decision) => decision.kind === 'start')
      .findLast((start) => start.workload === workload);
  }

  /** Pods by node of the last start. */
  nodesOf(workload: string): Readonly<Record<string, number>> {
    const nodes: Record<string, number> = {};
    for (const { node } of this.startOf(workload)?.seats ?? []) nodes[node] = (nodes[node] ?? 0) + 1;
    return nodes;
  }

  podsOf(workload: string): readonly PodRef[] {
    return this.startOf(workload)?.seats.map(({ pod }) => pod) ?? [];
  }
}

/** The sets that must be answered, each once. */
export function setsOf(decisions: readonly Decision[]): readonly SetId[] {
  return [...new Set(decisions.filter((decision) => !isForDisplay(decision)).map(({ set }) => set))];
}

/** What was decided, without numbers and reasons. */
export function kindsOf(decisions: readonly Decision[]): readonly string[] {
  return decisions.map((decision) => {
    switch (decision.kind) {
      case 'evict':
        return `evict ${decision.workload} ${decision.reason} ${decision.then}`;
      case 'finish':
        return `finish ${decision.workload} ${decision.outcome}`;
      case 'wait':
        return `wait ${decision.workloads.join(',')} ${decision.binding}`;
      case 'start':
      case 'grow':
      case 'shrink':
      case 'release':
      case 'plan':
      case 'unplan':
        return `${decision.kind} ${decision.workload}`;
    }
  });
}
