import type { Ms, Order, WorkloadId, WorkloadSpec } from '../contract/index.js';
import { DEFAULT_POLICY } from '../contract/index.js';
import { Heap } from '../heap.js';
import { invariant } from '../invariant.js';
import { compareText } from '../text-order.js';
import { noWork } from '../work-counts.js';
import { Dependencies } from './dependencies.js';
import type { GrowthRecord } from './growing-workloads.js';
import { flavorsOf, PendingGroups } from './pending-groups.js';
import { RunningWorkloads } from './running-workloads.js';
import { StartedWorkloads } from './started-workloads.js';
import type { WorkloadRecord } from './workload-record.js';
import { dueAtMs, FIRST_ROUND, isWaiting } from './workload-record.js';

interface Timer {
  readonly atMs: Ms;
  readonly id: WorkloadId;
}

/**
 * Every unfinished workload. What follows from the records is kept beside them: who waits for a turn (`groups`), whom
 * the clock will change (`due`), and who must be looked at in the next settle (`touched`).
 */
export class WorkloadBook {
  readonly groups: PendingGroups;
  readonly running = new RunningWorkloads();
  readonly started = new StartedWorkloads();
  readonly #records = new Map<WorkloadId, WorkloadRecord>();
  readonly #touched = new Set<WorkloadId>();
  readonly #timers = new Heap<Timer>((a, b) => a.atMs - b.atMs || compareText(a.id, b.id));
  /** Workloads that the name of a node or queue holds up, so that a change of it need not ask everyone. */
  readonly #heldUp = new Set<WorkloadId>();
  readonly #inRepair = new Set<WorkloadId>();
  readonly #withLosses = new Set<WorkloadId>();
  #oldestLossMs: Ms = Infinity;
  readonly #dependencies = new Dependencies();
  #order: Order = DEFAULT_POLICY.order;

  constructor(work = noWork()) {
    this.groups = new PendingGroups(work);
  }

  get(id: WorkloadId): WorkloadRecord | undefined {
    return this.#records.get(id);
  }

  /** Sorted by id. */
  all(): readonly WorkloadRecord[] {
    return [...this.#records.values()].sort((a, b) => compareText(a.spec.id, b.spec.id));
  }

  has(predicate: (record: WorkloadRecord) => boolean): boolean {
    for (const record of this.#records.values()) if (predicate(record)) return true;
    return false;
  }

  /** Whoever depends on it and has not started yet waits for it from now on. */
  submit(spec: WorkloadSpec): void {
    const record: WorkloadRecord = {
      spec,
      state: spec.ending === undefined ? 'pending' : 'evicting',
      incarnation: spec.incarnation,
      retries: spec.retries,
      startFailures: 0,
      startedAtMs: undefined,
      evictedAtMs: undefined,
      progressEndMs: undefined,
      checkpointAtMs: undefined,
      workDoneMs: spec.workDoneMs ?? 0,
      expectedMs: undefined,
      losses: [],
      protectedUntilMs: undefined,
      evictedBy: undefined,
      evictsFromMs: undefined,
      repair: undefined,
      tryAgainAtMs: undefined,
      waitsOn: spec.incarnation > 0 ? [] : this.openDependencies(spec),
      notBeforeMs: spec.notBeforeMs,
      startByMs: undefined,
      membership: { ...FIRST_ROUND, round: spec.round ?? 0, nextIndex: spec.nextIndex ?? {}, done: spec.done ?? {} },
      then: spec.ending,
      cancelRequested: false,
      charges: [],
      inFlight: undefined,
      pause: undefined,
      avoid: undefined,
      told: undefined,
    };
    this.put(record);
    this.touch(spec.id);
    for (const dependent of this.#dependentsOf(spec.id)) {
      if (dependent.incarnation > 0 || dependent.waitsOn.includes(spec.id)) continue;
      this.change(dependent, { waitsOn: this.openDependencies(dependent.spec) });
      this.touch(dependent.spec.id);
    }
  }

  /**
   * What of its dependencies is unfinished, or known to have failed: that is remembered as long as somebody waits for
   * it. One that nobody knows of counts as succeeded.
   */
  openDependencies({ id, dependsOn = [] }: WorkloadSpec): readonly WorkloadId[] {
    const isOpen = (other: WorkloadId) =>
      this.#records.has(other) || this.#dependentsOf(other).some(({ waitsOn }) => waitsOn.includes(other));
    return [...new Set(dependsOn)].filter((other) => other !== id && isOpen(other));
  }

  /** It has succeeded: nobody waits for it any more. */
  dependencySucceeded(id: WorkloadId): void {
    for (const dependent of this.#dependentsOf(id)) {
      const waitsOn = dependent.waitsOn.filter((other) => other !== id);
      if (waitsOn.length === dependent.waitsOn.length) continue;
      this.change(dependent, { waitsOn, told: waitsOn.length === 0 ? undefined : dependent.told });
      this.touch(dependent.spec.id);
    }
  }

  #dependentsOf(id: WorkloadId): readonly WorkloadRecord[] {
    return this.#dependencies.of(id).flatMap((other) => this.#records.get(other) ?? []);
  }

  /** Sorts who waits anew, if the order is another; else only wakes all. */
  setOrder(order: Order): void {
    if (JSON.stringify(order) === JSON.stringify(this.#order)) {
      this.groups.wakeAll();
      return;
    }
    this.#order = order;
    this.groups.setOrder(order, this.all().filter(isWaiting));
  }

  /** A record as it is: when restored. */
  put(record: WorkloadRecord): void {
    const { id } = record.spec;
    invariant(!this.#records.has(id), 'a workload is entered once', { id });
    this.#store(record, undefined);
  }

  change(record: WorkloadRecord, change: Partial<WorkloadRecord>): WorkloadRecord {
    const before = this.#records.get(record.spec.id);
    invariant(before === record, 'only the present record is changed', { id: record.spec.id });
    const after = { ...record, ...change };
    this.#store(after, record);
    return after;
  }

  remove(record: WorkloadRecord): void {
    const { id } = record.spec;
    this.groups.remove(record);
    this.running.replace(record, undefined);
    this.started.change(record, undefined);
    this.groups.growing.remove(id);
    this.#dependencies.remove(record.spec);
    this.#records.delete(id);
    this.#touched.delete(id);
    this.#heldUp.delete(id);
    this.#inRepair.delete(id);
    this.#withLosses.delete(id);
  }

  /** Look at it in the next settle. */
  touch(id: WorkloadId): void {
    if (this.#records.has(id)) this.#touched.add(id);
  }

  touched(): readonly WorkloadId[] {
    return [...this.#touched].sort(compareText);
  }

  takeTouched(): readonly WorkloadRecord[] {
    const records: WorkloadRecord[] = [];
    for (const id of this.touched()) {
      const record = this.#records.get(id);
      if (record !== undefined) records.push(record);
    }
    this.#touched.clear();
    return records;
  }

  /** The workloads that the node or queue of this name holds up: by a refused set, or since it refused a pod. */
  heldUpBy(name: string): readonly WorkloadRecord[] {
    if (this.#heldUp.size === 0) return [];
    const ids = [...this.#heldUp].sort(compareText);
    const records = ids.map((id) => this.#records.get(id)).filter((record) => record !== undefined);
    return records.filter(({ pause, avoid }) => pause?.at === name || avoid?.nodes.includes(name));
  }

  /** Those that are to be started anew before anybody else, also while their end is not answered; sorted by id. */
  inRepair(): readonly WorkloadRecord[] {
    if (this.#inRepair.size === 0) return [];
    const records = [...this.#inRepair].sort(compareText).map((id) => this.#records.get(id));
    return records.filter((record) => record !== undefined);
  }

  /** Whom the clock changes by now, each once. */
  takeDue(nowMs: Ms): readonly WorkloadRecord[] {
    const due = new Map<WorkloadId, WorkloadRecord>();
    for (let timer = this.#validTimer(); timer !== undefined && timer.atMs <= nowMs; timer = this.#validTimer()) {
      this.#timers.pop();
      const record = this.#records.get(timer.id);
      if (record !== undefined) due.set(timer.id, record);
    }
    return [...due.values()];
  }

  /** Those that remember a loss of this time or before; nobody is looked at while there is none. */
  rememberingSince(atMs: Ms): readonly WorkloadRecord[] {
    if (this.#oldestLossMs > atMs) return [];
    const remembering = [...this.#withLosses].sort(compareText).map((id) => this.#records.get(id));
    const records = remembering.filter((record) => record !== undefined);
    const times = records.flatMap(({ losses }) => losses.map((loss) => loss.atMs));
    this.#oldestLossMs = Math.min(...times.filter((time) => time > atMs), Infinity);
    return records.filter(({ losses }) => losses.some((loss) => loss.atMs <= atMs));
  }

  nextDueMs(): Ms | undefined {
    return this.#validTimer()?.atMs;
  }

  #store(after: WorkloadRecord, before: WorkloadRecord | undefined): void {
    const { id } = after.spec;
    if (before === undefined) this.#dependencies.add(after.spec);
    this.#records.set(id, after);
    this.running.replace(before, after);
    this.started.change(before, after);
    const due = dueAtMs(after);
    if (due !== undefined && (before === undefined || dueAtMs(before) !== due)) this.#timers.push({ atMs: due, id });
    for (const { atMs } of after.losses) this.#oldestLossMs = Math.min(this.#oldestLossMs, atMs);
    if (after.losses.length > 0) this.#withLosses.add(id);
    else this.#withLosses.delete(id);
    if (after.pause !== undefined || after.avoid !== undefined) this.#heldUp.add(id);
    else this.#heldUp.delete(id);
    if (after.repair === undefined) this.#inRepair.delete(id);
    else this.#inRepair.add(id);
    const isSame = before !== undefined && isSameClaim(before, after);
    if (after.state !== 'running') this.groups.growing.remove(id);
    if (before !== undefined && isWaiting(before) && (!isWaiting(after) || !isSame)) this.groups.remove(before);
    if (isWaiting(after) && (before === undefined || !isWaiting(before) || !isSame)) this.groups.add(after);
  }

  /** Is it short of pods that it may have? Then its growth is tried when there may be room. */
  setShort(record: WorkloadRecord, isShort: boolean): void {
    if (isShort) this.groups.growing.add(record.spec.id, flavorsOf(record.spec));
    else this.groups.growing.remove(record.spec.id);
  }

  /** As they were in the snapshot. */
  restoreGrowing(records: readonly GrowthRecord[]): void {
    for (const { workload, isActive } of records) {
      const record = this.#records.get(workload);
      if (record === undefined) continue;
      this.setShort(record, true);
      if (!isActive) this.groups.growing.park(workload);
    }
  }

  /** Drops timers that a later change has made void. */
  #validTimer(): Timer | undefined {
    for (;;) {
      const timer = this.#timers.peek();
      const record = timer && this.#records.get(timer.id);
      if (timer === undefined || (record !== undefined && dueAtMs(record) === timer.atMs)) return timer;
      this.#timers.pop();
    }
  }
}

/** Does nothing differ that its place among those that wait depends on? */
function isSameClaim(before: WorkloadRecord, after: WorkloadRecord): boolean {
  return (
    before.spec === after.spec &&
    before.avoid === after.avoid &&
    before.workDoneMs === after.workDoneMs &&
    before.expectedMs === after.expectedMs
  );
}
