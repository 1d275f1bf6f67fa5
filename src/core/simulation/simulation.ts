import { isForDisplay } from '../contract/index.js';
import type { Decision, Ms, NodeName, SchedulerInput, SetId, WorkloadId, WorkloadSpec } from '../contract/index.js';
import { Heap } from '../heap.js';
import { unreachable } from '../invariant.js';
import { Scheduler } from '../scheduler.js';
import type { Due, Happening, SimulationInput } from './happening.js';
import { compareHappenings } from './happening.js';
import { SimulatedCluster } from './simulated-cluster.js';
import { SimulationError } from './simulation-error.js';
import { WorkClock } from './work-clock.js';

/** Called as the story goes on; a watcher changes nothing. */
export interface SimulationWatcher {
  /** Before the core learns it. */
  readonly told?: (input: SchedulerInput, atMs: Ms) => void;
  /** What is due at this time has been told, and nothing is decided yet. */
  readonly happened?: (atMs: Ms) => void;
  readonly decided?: (decision: Decision, atMs: Ms) => void;
  /** The core has come to rest. */
  readonly settled?: (atMs: Ms) => void;
}

export interface SimulationOptions {
  /** One that was told nothing yet. */
  readonly scheduler?: Scheduler;
  /** Running time that the workload needs to succeed; `undefined`: it runs for ever. */
  readonly runtimeMsOf: (workload: WorkloadId) => Ms | undefined;
  /** From the decision to stop a pod until it is gone. */
  readonly graceMs?: Ms;
  /** From the loss of a node until there is evidence that nothing runs there. */
  readonly fencedAfterMs?: Ms;
  readonly watcher?: SimulationWatcher;
}

/** A dead node's pods are given up after 300 s, and get 30 s to stop. */
const FENCED_AFTER_MS: Ms = 330_000;
/** The core comes to rest in a few rounds; one that does not would go on for ever. */
const ROUNDS_MAX = 1000;
/** Wakes alone, without a decision, do not keep a story going. */
const IDLE_WAKES_MAX = 10_000;
const IDLE_MS_MAX: Ms = 48 * 3_600_000;

/**
 * Plays a core on a clock of its own. Inputs of one time are told in the order they were added, then the core settles
 * until it has no more to say; each set is committed at once and carried out by a simulated cluster. Between two events
 * the time jumps, to the next event or to when the core asks to be woken.
 *
 * A workload succeeds after `runtimeMsOf` of running time. An eviction takes the work since the last multiple of its
 * `checkpointEveryMs`; without that, all of it. Checkpoints are told to the core. A lost node is silent until it is
 * fenced or answers again.
 */
export class Simulation {
  readonly scheduler: Scheduler;
  readonly cluster = new SimulatedCluster();
  readonly #options: SimulationOptions;
  readonly #happenings = new Heap<Happening>(compareHappenings);
  readonly #work = new WorkClock();
  readonly #checkpointEveryMs = new Map<WorkloadId, Ms>();
  /** Pods that must be up before the workload begins to work. */
  readonly #missing = new Map<WorkloadId, number>();
  readonly #losses = new Map<NodeName, number>();
  #nowMs: Ms = 0;
  #seq = 0;
  #order = 0;
  /** Happenings that keep the story going: all but checkpoints. */
  #open = 0;
  #wakeAtMs: Ms | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.scheduler = options.scheduler ?? new Scheduler();
  }

  get nowMs(): Ms {
    return this.#nowMs;
  }

  /** To be told at this time, after what was added for it before; not earlier than now. */
  add(atMs: Ms, ...inputs: readonly SimulationInput[]): void {
    for (const input of inputs) this.#schedule(Math.max(atMs, this.#nowMs), { kind: 'input', input });
  }

  /** All that happens up to this time and at it; then it is this time. */
  runUntil(untilMs: Ms): void {
    for (let atMs = this.#nextMs(); atMs !== undefined && atMs <= untilMs; atMs = this.#nextMs()) this.#step(atMs);
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Until neither events nor ends of work remain, and waiting alone brings no decision. */
  runToEnd(): void {
    let idleSinceMs = this.#nowMs;
    let idleWakes = 0;
    for (let atMs = this.#nextMs(); atMs !== undefined; atMs = this.#nextMs()) {
      const isIdle = this.#open === 0;
      if (isIdle && (idleWakes >= IDLE_WAKES_MAX || atMs - idleSinceMs > IDLE_MS_MAX)) return;
      const decisions = this.#step(atMs);
      idleWakes = isIdle && decisions === 0 ? idleWakes + 1 : 0;
      if (idleWakes === 0) idleSinceMs = atMs;
    }
  }

  /** One more settle at this time, answered like any other: what it decided. At rest, nothing. */
  round(): readonly Decision[] {
    const { decisions, wakeAtMs, truncated } = this.scheduler.decide(this.#nowMs);
    this.#wakeAtMs = truncated ? this.#nowMs : wakeAtMs;
    for (const decision of decisions) this.#options.watcher?.decided?.(decision, this.#nowMs);
    for (const set of setsOf(decisions)) this.#carryOut(set);
    return decisions;
  }

  #nextMs(): Ms | undefined {
    const happening = this.#happenings.peek()?.atMs;
    if (happening === undefined || this.#wakeAtMs === undefined) return happening ?? this.#wakeAtMs;
    return Math.min(happening, this.#wakeAtMs);
  }

  /** How many decisions it brought, words aside. */
  #step(atMs: Ms): number {
    this.#nowMs = atMs;
    let isNews = this.#wakeAtMs !== undefined && this.#wakeAtMs <= atMs;
    for (let next = this.#happenings.peek(); next?.atMs === atMs; next = this.#happenings.peek()) {
      this.#happenings.pop();
      if (next.due.kind !== 'checkpoint') this.#open--;
      if (this.#happen(next.due) === 'news') isNews = true;
    }
    return isNews ? this.#settle() : 0;
  }

  #settle(): number {
    const { watcher } = this.#options;
    watcher?.happened?.(this.#nowMs);
    let count = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const decisions = this.round();
      count += decisions.filter((decision) => !isForDisplay(decision)).length;
      if (decisions.length > 0 || this.#wakeAtMs === this.#nowMs) continue;
      if (this.#wakeAtMs !== undefined && this.#wakeAtMs < this.#nowMs) break;
      watcher?.settled?.(this.#nowMs);
      return count;
    }
    if (this.#wakeAtMs !== undefined && this.#wakeAtMs <= this.#nowMs) {
      throw new SimulationError(this.#nowMs, `the core asks to be woken at ${this.#wakeAtMs / 1000} s, which is past`);
    }
    throw new SimulationError(this.#nowMs, `the core does not come to rest in ${ROUNDS_MAX} rounds`);
  }

  #happen(due: Due): 'news' | 'quiet' {
    switch (due.kind) {
      case 'input':
        this.#hear(due.input);
        return 'news';
      case 'run-ends':
        if (!this.#work.isRunning(due.workload, due.stamp)) return 'quiet';
        this.#finish(due.workload);
        return 'news';
      case 'checkpoint':
        if (this.#work.isRunning(due.workload, due.stamp)) this.#checkpoint(due.workload);
        return 'quiet';
      case 'pod-leaves':
        this.#report(this.cluster.leave(due.pod));
        return 'news';
      case 'fence':
        if (this.#losses.get(due.node) !== due.stamp) return 'quiet';
        this.#hear({ kind: 'node-fenced', node: due.node });
        return 'news';
      default:
        return unreachable(due);
    }
  }

  #hear(input: SimulationInput): void {
    if (input.kind === 'workload-finished') {
      if (!this.#work.isRunning(input.workload)) {
        throw new SimulationError(this.#nowMs, `${input.workload} does not run, so it cannot finish`);
      }
      this.#finish(input.workload);
      return;
    }
    this.#tell(input);
    if (input.kind === 'workload-submitted') this.#submitted(input.workload);
    else if (input.kind === 'pod-adopted') this.#adopt(input);
    else if (input.kind === 'pod-ended') this.#report(this.cluster.leave(input.pod));
    else if (input.kind === 'node-fenced') this.#report(this.cluster.empty(input.node));
    else if (input.kind === 'node-removed') this.#report(this.cluster.removeNode(input.node));
    else if (input.kind === 'node-state-changed') {
      if (input.state === 'lost') this.#lose(input.node);
      else this.#answers(input.node);
    }
  }

  #submitted({ id, checkpointEveryMs }: WorkloadSpec): void {
    if (checkpointEveryMs !== undefined) this.#checkpointEveryMs.set(id, checkpointEveryMs);
  }

  #adopt({ seat, state, startedAtMs }: SchedulerInput & { readonly kind: 'pod-adopted' }): void {
    const { workload } = seat.pod;
    this.cluster.adopt(seat, state === 'leaving' ? 'leaving' : 'up');
    if (state === 'leaving') this.#schedule(this.#nowMs + this.#graceMs, { kind: 'pod-leaves', pod: seat.pod });
    else if (!this.#work.isRunning(workload)) this.#begin(workload, startedAtMs ?? this.#nowMs);
  }

  #lose(node: NodeName): void {
    this.cluster.silence(node);
    const stamp = this.#order;
    this.#losses.set(node, stamp);
    const fencedAfterMs = this.#options.fencedAfterMs ?? FENCED_AFTER_MS;
    this.#schedule(this.#nowMs + fencedAfterMs, { kind: 'fence', node, stamp });
  }

  #answers(node: NodeName): void {
    this.#losses.delete(node);
    this.#report(this.cluster.answer(node));
  }

  /** Commits the set, then stops pods, then creates pods, as a driver would. */
  #carryOut(decisions: readonly Decision[]): void {
    const [first] = decisions;
    if (first === undefined) return;
    this.#tell({ kind: 'set-committed', set: first.set });
    const leaving = decisions.flatMap((decision) => {
      if (decision.kind === 'evict') this.#stopWork(decision.workload);
      if (decision.kind === 'finish') this.#forget(decision.workload);
      const isEnd = decision.kind === 'evict' || decision.kind === 'shrink' || decision.kind === 'release';
      return isEnd ? this.cluster.stop(decision.pods) : [];
    });
    for (const decision of decisions) {
      if (decision.kind !== 'start' && decision.kind !== 'grow') continue;
      if (decision.kind === 'start') this.#missing.set(decision.workload, decision.seats.length);
      this.#report(this.cluster.create(decision.seats, decision.waitsFor));
    }
    for (const pod of leaving) {
      if (this.#graceMs === 0) this.#report(this.cluster.leave(pod));
      else this.#schedule(this.#nowMs + this.#graceMs, { kind: 'pod-leaves', pod });
    }
  }

  #report(inputs: readonly SchedulerInput[]): void {
    for (const input of inputs) {
      this.#tell(input);
      if (input.kind === 'pod-started') this.#podIsUp(input.pod.workload);
    }
  }

  #podIsUp(workload: WorkloadId): void {
    const missing = (this.#missing.get(workload) ?? 0) - 1;
    if (missing < 0) return;
    if (missing > 0) this.#missing.set(workload, missing);
    else {
      this.#missing.delete(workload);
      this.#begin(workload, this.#nowMs);
    }
  }

  #begin(workload: WorkloadId, sinceMs: Ms): void {
    this.#work.begin(workload, sinceMs);
    const stamp = this.#work.stampOf(workload);
    const runtimeMs = this.#options.runtimeMsOf(workload);
    const endMs = runtimeMs === undefined ? undefined : this.#work.doneAtMs(workload, runtimeMs);
    if (endMs !== undefined) this.#schedule(Math.max(endMs, this.#nowMs), { kind: 'run-ends', workload, stamp });
    this.#scheduleCheckpoint(workload);
  }

  #checkpoint(workload: WorkloadId): void {
    const incarnation = this.cluster.podsOf(workload).at(-1)?.seat.pod.incarnation ?? 0;
    this.#tell({ kind: 'checkpoint-saved', workload, incarnation, savedAtMs: this.#nowMs });
    this.#scheduleCheckpoint(workload);
  }

  #scheduleCheckpoint(workload: WorkloadId): void {
    const everyMs = this.#checkpointEveryMs.get(workload);
    if (everyMs === undefined) return;
    const atMs = this.#work.nextCheckpointMs(workload, everyMs, this.#nowMs);
    const stamp = this.#work.stampOf(workload);
    if (atMs !== undefined) this.#schedule(atMs, { kind: 'checkpoint', workload, stamp });
  }

  #finish(workload: WorkloadId): void {
    this.#stopWork(workload);
    this.#report(this.cluster.complete(workload));
  }

  #stopWork(workload: WorkloadId): void {
    this.#missing.delete(workload);
    const checkpointEveryMs = this.#checkpointEveryMs.get(workload);
    this.#work.stop(workload, { nowMs: this.#nowMs, checkpointEveryMs });
  }

  #forget(workload: WorkloadId): void {
    this.#work.forget(workload);
    this.#missing.delete(workload);
    this.#checkpointEveryMs.delete(workload);
  }

  #tell(input: SchedulerInput): void {
    this.#options.watcher?.told?.(input, this.#nowMs);
    this.scheduler.apply({ ...input, seq: ++this.#seq, atMs: this.#nowMs });
  }

  #schedule(atMs: Ms, due: Due): void {
    if (due.kind !== 'checkpoint') this.#open++;
    this.#happenings.push({ atMs, order: ++this.#order, due });
  }

  get #graceMs(): Ms {
    return this.#options.graceMs ?? 0;
  }
}

/** The sets that must be answered, in the order decided. */
function setsOf(decisions: readonly Decision[]): readonly (readonly Decision[])[] {
  const sets = new Map<SetId, Decision[]>();
  for (const decision of decisions) {
    if (isForDisplay(decision)) continue;
    const known = sets.get(decision.set);
    if (known === undefined) sets.set(decision.set, [decision]);
    else known.push(decision);
  }
  return [...sets.values()];
}
