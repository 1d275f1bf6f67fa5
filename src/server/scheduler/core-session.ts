import type { Observation, WorkloadWait } from '../../cluster/cluster.js';
import {
  isForDisplay,
  Scheduler,
  type Decision,
  type Explanation,
  type Ms,
  type NodeName,
  type NodeSpec,
  type Policy,
  type SchedulerInput,
  type SetId,
  type WorkloadId,
  type WorkloadSpec,
} from '../../core/index.js';
import type { Clock } from '../clock.js';
import { waitSentence } from '../workloads/explanation-sentences.js';
import type { Command, DecisionSet, LedgerState, LivePod, SetOutcome, ToldProgress } from './ledger.js';
import { WAIT_SENTENCES } from './wait-sentences.js';

export interface Settled {
  readonly sets: readonly DecisionSet[];
  readonly wakeAtMs: number | undefined;
}

/** Explanations at once: each looks at the whole fleet. */
const EXPLAINED_MAX = 32;

/**
 * The core during one term of office: rebuilt from the ledger, then told in order what the ledger and the driver say.
 * It turns their words into the core's events, with the time of the clock.
 */
export class CoreSession {
  protected readonly scheduler = new Scheduler();
  private readonly nodes = new Map<NodeName, NodeSpec>();
  private readonly cordoned = new Set<NodeName>();
  /** Unfinished ones whose pods others made. */
  private readonly found = new Set<WorkloadId>();
  /** Sets that are for display only: the core waits for no answer. */
  private readonly displayed = new Set<SetId>();
  private seq = 0;

  constructor(
    state: LedgerState,
    private readonly policy: Policy,
    private readonly clock: Clock,
  ) {
    this.tell({ kind: 'policy-set', policy });
    for (const flavor of state.view.flavors) this.tell({ kind: 'flavor-set', flavor });
    for (const queue of state.queues) this.tell({ kind: 'queue-set', queue });
    for (const { spec, state: nodeState, cause, unschedulable, foreign } of state.nodes) {
      if (unschedulable) this.cordoned.add(spec.name);
      this.see(spec);
      this.tell({ kind: 'foreign-use-seen', node: spec.name, ...foreign });
      if (nodeState !== 'healthy') {
        this.tell({ kind: 'node-state-changed', node: spec.name, state: nodeState, cause });
      }
    }
    for (const { spec } of state.workloads) this.submit(spec);
    const startedAt = new Map(state.workloads.map(({ spec, startedAtMs }) => [spec.id, startedAtMs]));
    for (const pod of state.pods) this.adopt(pod, startedAt.get(pod.seat.pod.workload));
    for (const { spec, progress } of state.workloads) if (progress !== undefined) this.hearOf(spec.id, progress);
    for (const { spec, removed } of state.nodes) if (removed) this.observe({ kind: 'node-removed', node: spec.name });
    for (const { spec, cancelRequested } of state.workloads) {
      if (cancelRequested) this.tell({ kind: 'workload-cancelled', workload: spec.id });
    }
  }

  /** A changed quota tree is not the core's: it is rebuilt by it. */
  command(command: Command): void {
    switch (command.kind) {
      case 'workload-submitted':
        this.submit(command.workload);
        return;
      case 'workload-cancelled':
        this.tell({ kind: 'workload-cancelled', workload: command.workload });
        return;
      case 'workload-progress':
        this.hearOf(command.workload, command);
        return;
      case 'node-cordoned':
      case 'node-uncordoned':
        this.cordon(command.node, command.kind);
        return;
      case 'quotas-changed':
        return;
    }
  }

  observe(observation: Observation): void {
    switch (observation.kind) {
      case 'node-seen':
        this.see(observation.node);
        return;
      case 'node-removed':
        this.nodes.delete(observation.node);
        this.cordoned.delete(observation.node);
        this.tell(observation);
        return;
      case 'pod-ended': {
        const { kind, pod, outcome, blame, exitCode } = observation;
        this.tell({ kind, pod, outcome, blame, ...(exitCode === undefined ? {} : { exitCode }) });
        return;
      }
      case 'node-state-changed':
      case 'node-fenced':
      case 'foreign-use-seen':
      case 'pod-bound':
      case 'pod-started':
      case 'pod-gone':
        this.tell(observation);
        return;
      case 'workload-found':
        this.submit(observation.spec);
        return;
      case 'workload-withdrawn':
        this.tell({ kind: 'workload-cancelled', workload: observation.workload });
    }
  }

  /** A pod that the driver refused for good. */
  refuse(input: Extract<SchedulerInput, { readonly kind: 'pod-refused' }>): void {
    this.tell(input);
  }

  decide(): Settled {
    const nowMs = this.clock.now();
    const { decisions, wakeAtMs, truncated } = this.scheduler.decide(nowMs);
    const sets = setsOf(decisions, { policy: this.policy.version, atMs: nowMs });
    for (const { set, decisions: members } of sets) if (members.every(isForDisplay)) this.displayed.add(set);
    return { sets, wakeAtMs: truncated ? nowMs : wakeAtMs };
  }

  answer(outcome: SetOutcome): void {
    if (this.displayed.delete(outcome.set)) return;
    if (outcome.kind === 'committed') {
      this.tell({ kind: 'set-committed', set: outcome.set });
      for (const pod of outcome.neverCame ?? []) this.tell({ kind: 'pod-gone', pod });
    } else {
      const { set, why, at } = outcome;
      this.tell({ kind: 'set-refused', set, why, ...(at === undefined ? {} : { at }) });
    }
  }

  /** What is to be said on the pods of found workloads, once the sets are committed. */
  waitsIn(sets: readonly DecisionSet[]): readonly WorkloadWait[] {
    const waits: WorkloadWait[] = [];
    let explained = 0;
    for (const decision of sets.flatMap(({ decisions }) => decisions)) {
      if (decision.kind !== 'wait') continue;
      const { binding: constraint } = decision;
      const workloads = decision.workloads.filter((id) => this.found.has(id));
      const [first] = workloads;
      if (first === undefined) continue;
      explained += 1;
      // They ask for the same, so that what keeps the first keeps the others.
      const verdict = explained > EXPLAINED_MAX ? undefined : this.explain(first);
      const message = verdict?.kind === 'pending' ? waitSentence(verdict) : WAIT_SENTENCES[constraint];
      for (const workload of workloads) waits.push({ workload, constraint, message });
    }
    return waits;
  }

  /** Found workloads that end by the sets; each is said once. */
  endsIn(sets: readonly DecisionSet[]): readonly WorkloadId[] {
    return sets
      .flatMap(({ decisions }) => decisions)
      .flatMap((one) => (one.kind === 'finish' && this.found.delete(one.workload) ? [one.workload] : []));
  }

  explain(workload: string): Explanation {
    return this.scheduler.explain(workload, this.clock.now());
  }

  /** A pod as the ledger has it, and what it knows of its end. */
  private adopt({ seat, claimed, state, waitsFor, end }: LivePod, startedAtMs: Ms | undefined): void {
    this.tell({
      kind: 'pod-adopted',
      seat,
      state: claimed ? state : 'leaving',
      ...(waitsFor === undefined ? {} : { waitsFor }),
      ...(startedAtMs === undefined ? {} : { startedAtMs }),
    });
    if (end === undefined || !claimed) return;
    const { pod } = seat;
    if (end.kind === 'refused') this.tell({ kind: 'pod-refused', pod, why: end.why, retry: end.retry });
    else {
      this.tell({ kind: 'pod-ended', pod, ...end.end });
      if (end.isGone) this.tell({ kind: 'pod-gone', pod });
    }
  }

  private hearOf(workload: string, { incarnation, checkpointAtMs, expectedEndMs }: ToldProgress): void {
    if (checkpointAtMs !== undefined) {
      this.tell({ kind: 'checkpoint-saved', workload, incarnation, savedAtMs: checkpointAtMs });
    }
    if (expectedEndMs === undefined) return;
    this.tell({ kind: 'progress-seen', workload, remainingMs: Math.max(0, expectedEndMs - this.clock.now()) });
  }

  private see(spec: NodeSpec): void {
    this.nodes.set(spec.name, spec);
    const unschedulable = spec.unschedulable || this.cordoned.has(spec.name);
    this.tell({ kind: 'node-seen', node: { ...spec, unschedulable } });
  }

  private cordon(node: NodeName, kind: 'node-cordoned' | 'node-uncordoned'): void {
    if (kind === 'node-cordoned') this.cordoned.add(node);
    else this.cordoned.delete(node);
    const spec = this.nodes.get(node);
    if (spec !== undefined) this.see(spec);
  }

  private submit(workload: WorkloadSpec): void {
    if (workload.isFound === true) this.found.add(workload.id);
    this.tell({ kind: 'workload-submitted', workload });
  }

  private tell(input: SchedulerInput): void {
    this.seq += 1;
    this.scheduler.apply({ ...input, seq: this.seq, atMs: this.clock.now() });
  }
}

function setsOf(decisions: readonly Decision[], decided: Pick<DecisionSet, 'policy' | 'atMs'>): readonly DecisionSet[] {
  const sets = new Map<number, Decision[]>();
  for (const decision of decisions) {
    const set = sets.get(decision.set);
    if (set === undefined) sets.set(decision.set, [decision]);
    else set.push(decision);
  }
  return [...sets].map(([set, members]) => ({ set, ...decided, decisions: members }));
}
