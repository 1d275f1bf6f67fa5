import type { Charge, FlavorName, Ms, NodeName, PodRef, QueueName, SlotShare, WorkloadId } from '../contract/index.js';
import { compareText } from '../text-order.js';
import { Unplanned } from './unplanned.js';

/** Where a pod is to stand. The node is what is kept; `slots` are those that would be taken by what is known now. */
export interface PlannedPod {
  readonly podSet: string;
  readonly flavor?: FlavorName;
  readonly node: NodeName;
  readonly slots: readonly SlotShare[];
}

/** A workload that gives something up for another: all of its pods, or some that it can spare. */
export interface Victim {
  readonly workload: WorkloadId;
  readonly pods: readonly PodRef[];
}

/** A start that is kept for a waiting workload: a real placement at a time, and the quota that it takes. */
export interface Plan {
  readonly workload: WorkloadId;
  readonly queue: QueueName;
  readonly startMs: Ms;
  /** When it would end again; absent: nobody knows. */
  readonly endMs?: Ms;
  readonly pods: readonly PlannedPod[];
  readonly charges: readonly Charge[];
  /** Whose ends it counts on, the last of them; first to last. */
  readonly waitsFor: readonly WorkloadId[];
  /** Whom it evicts then, as far as they are still there; as many as are needed. */
  readonly victims: readonly Victim[];
  /** The version of what rights follow from, when it was made; they matter to one with victims. */
  readonly rights: number;
}

/** For a workload for which no start can be planned: what comes free on these nodes is kept for it. */
export interface StandingHold {
  readonly workload: WorkloadId;
  /** Those of its pods; there is one hold for each flavor at a time. */
  readonly flavors: readonly FlavorName[];
  readonly nodes: readonly NodeName[];
  /** What it will pay. */
  readonly charges: readonly Charge[];
}

/** What a workload had whose start is decided and not answered yet: it has it again when that is refused. */
export interface KeptPlace {
  readonly workload: WorkloadId;
  readonly plan?: Plan;
  /** Whose plans came after its own, first to last. */
  readonly before: readonly WorkloadId[];
  readonly hold?: StandingHold;
  /** Since when no start could be planned for it. */
  readonly unplannedSinceMs?: Ms;
}

export interface PlanBookRecord {
  readonly plans: readonly Plan[];
  readonly holds: readonly StandingHold[];
  readonly toldHolds: readonly WorkloadId[];
  readonly told: readonly (readonly [WorkloadId, Ms])[];
  readonly heldBack: readonly (readonly [WorkloadId, WorkloadId])[];
  readonly unplanned: readonly (readonly [WorkloadId, Ms])[];
  readonly kept: readonly KeptPlace[];
  readonly moved: readonly WorkloadId[];
}

/**
 * The planned starts of the fleet, those made first in front: each may count on those before it staying where they
 * are. With them, who waits because of them and who waits without one.
 */
export class PlanBook {
  #plans: readonly Plan[] = [];
  #holds: readonly StandingHold[] = [];
  /** Whose plan or standing hold has moved or ended since somebody asked. */
  #moved = new Set<WorkloadId>();
  /** What was known when the plans were last looked at; not in the snapshot, looking again says nothing new. */
  checked: { readonly seq: number; readonly atMs: Ms } | undefined;
  /** The start that was last told, by workload. */
  readonly told = new Map<WorkloadId, Ms>();
  /** Whose standing hold was told. */
  readonly toldHolds = new Set<WorkloadId>();
  /** Who could start or grow but for a plan, and whose plan that is: to be looked at again when plans change. */
  readonly heldBack = new Map<WorkloadId, WorkloadId>();
  /** Blocked workloads for which no start can be planned, since when. */
  readonly unplanned = new Unplanned();
  /** By workload, for those whose start is not answered. */
  readonly #kept = new Map<WorkloadId, KeptPlace>();

  /** Whose plan, or standing hold, has moved or ended since this was last asked: who waits for it may start now. */
  takeMoved(): ReadonlySet<WorkloadId> {
    const moved = this.#moved;
    this.#moved = new Set();
    return moved;
  }

  /** In the order in which they were made. */
  get all(): readonly Plan[] {
    return this.#plans;
  }

  /** In the order in which they were made. */
  get holds(): readonly StandingHold[] {
    return this.#holds;
  }

  holdOf(workload: WorkloadId): StandingHold | undefined {
    return this.#holds.find((hold) => hold.workload === workload);
  }

  addHold(hold: StandingHold): void {
    this.#holds = [...this.#holds, hold];
  }

  dropHold(workload: WorkloadId): void {
    this.#holds = this.#holds.filter((hold) => hold.workload !== workload);
    this.#moved.add(workload);
  }

  get(workload: WorkloadId): Plan | undefined {
    return this.#plans.find((plan) => plan.workload === workload);
  }

  countOf(queue: QueueName): number {
    return this.#plans.reduce((count, plan) => count + (plan.queue === queue ? 1 : 0), 0);
  }

  /** `before`: it goes before the first of these plans, otherwise last. */
  add(plan: Plan, before: (other: Plan) => boolean = () => false): void {
    const at = this.#plans.findIndex(before);
    const end = at < 0 ? this.#plans.length : at;
    this.#plans = [...this.#plans.slice(0, end), plan, ...this.#plans.slice(end)];
    this.unplanned.delete(plan.workload);
  }

  /** The same start again is no move. `ahead`: it goes before the first of these plans, if that was made before it. */
  replace(plan: Plan, ahead: (other: Plan) => boolean = () => false): void {
    const before = this.get(plan.workload);
    if (before === undefined) return;
    const at = this.#plans.findIndex((other) => other === before || ahead(other));
    const rest = this.#plans.slice(at).filter((other) => other !== before);
    this.#plans = [...this.#plans.slice(0, at), plan, ...rest];
    if (!isSame(before, plan)) this.#moved.add(plan.workload);
  }

  remove(workload: WorkloadId): void {
    this.#plans = this.#plans.filter((plan) => plan.workload !== workload);
    this.#moved.add(workload);
  }

  /** Its start is decided: its plan and its standing hold are over, unless that is refused. */
  start(workload: WorkloadId): void {
    const at = this.#plans.findIndex((plan) => plan.workload === workload);
    const [plan, ...later] = at < 0 ? [] : this.#plans.slice(at);
    const hold = this.holdOf(workload);
    const unplannedSinceMs = this.unplanned.sinceOf(workload);
    this.heldBack.delete(workload);
    this.unplanned.delete(workload);
    if (plan === undefined && hold === undefined && unplannedSinceMs === undefined) return;
    this.#kept.set(workload, {
      workload,
      ...(plan === undefined ? {} : { plan }),
      before: later.map((other) => other.workload),
      ...(hold === undefined ? {} : { hold }),
      ...(unplannedSinceMs === undefined ? {} : { unplannedSinceMs }),
    });
    if (plan !== undefined) this.remove(workload);
    if (hold !== undefined) this.dropHold(workload);
  }

  /** The start was committed. */
  startCommitted(workload: WorkloadId): void {
    this.#kept.delete(workload);
  }

  /**
   * The start was refused, and may come again at `startMs`: it is planned for then, before those that came after it; its
   * standing hold goes on, unless another got one meanwhile, and its patience too.
   */
  startRefused(workload: WorkloadId, startMs: Ms): void {
    const kept = this.#kept.get(workload);
    this.#kept.delete(workload);
    if (kept === undefined) return;
    const { plan, before, hold, unplannedSinceMs } = kept;
    if (plan !== undefined) {
      const end = plan.endMs === undefined ? {} : { endMs: plan.endMs + startMs - plan.startMs };
      this.add({ ...plan, startMs, ...end }, (other) => before.includes(other.workload));
    }
    if (unplannedSinceMs !== undefined) this.unplanned.set(workload, unplannedSinceMs);
    const isTaken = hold?.flavors.some((flavor) => this.#holds.some((other) => other.flavors.includes(flavor)));
    if (hold !== undefined && isTaken === false) this.addHold(hold);
  }

  records(): PlanBookRecord {
    return {
      plans: this.#plans,
      holds: this.#holds,
      toldHolds: [...this.toldHolds].sort(compareText),
      told: sorted(this.told),
      heldBack: sorted(this.heldBack),
      unplanned: this.unplanned.records(),
      kept: [...this.#kept.values()].sort((a, b) => compareText(a.workload, b.workload)),
      moved: [...this.#moved].sort(compareText),
    };
  }

  restore({ plans, holds, toldHolds, told, heldBack, unplanned, kept, moved }: PlanBookRecord): void {
    this.#plans = plans;
    this.#holds = holds;
    for (const id of toldHolds) this.toldHolds.add(id);
    for (const [id, startMs] of told) this.told.set(id, startMs);
    for (const [id, by] of heldBack) this.heldBack.set(id, by);
    for (const [id, sinceMs] of unplanned) this.unplanned.set(id, sinceMs);
    for (const one of kept) this.#kept.set(one.workload, one);
    this.#moved = new Set(moved);
  }
}

/** Do both take the same, at the same time? Slots are chosen anew whenever a plan is looked at. */
function isSame(a: Plan, b: Plan): boolean {
  return (
    a.startMs === b.startMs &&
    a.endMs === b.endMs &&
    a.pods.length === b.pods.length &&
    a.charges.length === b.charges.length &&
    a.victims.length === b.victims.length &&
    a.victims.every(({ workload }, index) => workload === b.victims[index]?.workload) &&
    a.pods.every(({ podSet, flavor, node }, index) => {
      const other = b.pods[index];
      return podSet === other?.podSet && flavor === other.flavor && node === other.node;
    }) &&
    a.charges.every(({ queue, flavor, milli }, index) => {
      const other = b.charges[index];
      return queue === other?.queue && flavor === other.flavor && milli === other.milli;
    })
  );
}

function sorted<Value>(values: ReadonlyMap<WorkloadId, Value>): readonly (readonly [WorkloadId, Value])[] {
  return [...values].sort(([a], [b]) => compareText(a, b));
}
