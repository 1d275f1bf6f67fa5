import type { Charge, Decision, Ms, NodeName, Policy, SetId, WorkloadId, WorkloadSpec } from './contract/index.js';
import { DEFAULT_POLICY } from './contract/index.js';
import { FleetState, FleetTransaction, PodTable } from './fleet/index.js';
import type { Holding } from './fleet/index.js';
import { PlanBook, RunHistory } from './forecast/index.js';
import { Journal } from './journal.js';
import { mayOpenNeighbours, ShapeBook } from './placement/index.js';
import { flavorsOf, LOOKS_FOR_OTHERS, NO_FLAVOR, RULED, WorkloadBook } from './queue/index.js';
import { QuotaTree } from './quota/index.js';
import type { WorkCounts } from './work-counts.js';

/** Evictions of the present window. `limit` is fixed when it opens: else each eviction would lower it. */
export interface BrakeWindow {
  readonly startMs: Ms;
  readonly evictions: number;
  readonly limit: number;
}

/**
 * All that the core knows, as one value that its areas work on: fleet, pods, quota and workloads, with the sets that
 * are not answered yet. It holds no rules.
 */
export class CoreState {
  readonly journal = new Journal();
  readonly fleet = new FleetState(this.journal);
  readonly tx = new FleetTransaction(this.fleet);
  readonly pods = new PodTable(this.tx);
  readonly quota = new QuotaTree(this.journal);
  readonly shapes = new ShapeBook();
  readonly book = new WorkloadBook(this.fleet.work);
  readonly plans = new PlanBook();
  readonly history = new RunHistory();
  /** What the starts of this settle that are not said yet have taken; empty between settles. */
  readonly startsOfSettle = new Map<WorkloadId, readonly Holding[]>();
  /** Sets that were decided and are neither committed nor refused. */
  readonly inFlight = new Map<SetId, readonly Decision[]>();
  policy: Policy = DEFAULT_POLICY;
  seq = 0;
  misfits = 0;
  nextSet = 1;
  nextDecision = 1;
  /** Rises whenever priorities, quotas or the policy change: rights may be others then. */
  rightsVersion = 0;
  /** Evictions of late; see `eviction-brake.ts`. */
  brakeWindow: BrakeWindow | undefined;

  get work(): WorkCounts {
    return this.fleet.work;
  }

  constructor() {
    this.fleet.setLevels(this.policy.topologyLevels);
  }

  /** The latest time that an event or a settle has told. */
  get nowMs(): Ms {
    return this.quota.past.nowMs;
  }

  /** It is now so late: what is used lasts until now. Told before anything else of an event or a settle. */
  clock(nowMs: Ms): void {
    this.quota.past.advance(nowMs);
  }

  setPolicy(policy: Policy): void {
    this.policy = policy;
    this.fleet.setLevels(policy.topologyLevels);
    this.quota.past.setHalfLife(policy.fairness.halfLifeMs);
    this.book.setOrder(policy.order);
    this.shapes.scoring.setPolicy(policy.placement.score);
  }

  /** The groups that what came free on these nodes could help. */
  wakeForNode(row: number): void {
    if (mayOpenNeighbours(this.fleet, row)) {
      this.book.groups.wakeAll();
      return;
    }
    const { devices, cpu } = this.fleet.flavorsOf(row);
    for (const flavor of new Set([...devices, cpu])) if (flavor !== undefined) this.book.groups.wake(flavor);
    this.book.groups.wake(NO_FLAVOR);
  }

  /** Pods went, or came, that the rules of others may see, wherever they stand. */
  wakeForRules(moved: 'gone' | 'granted'): void {
    if (moved === 'gone') this.book.groups.wake(RULED);
    this.book.groups.wake(LOOKS_FOR_OTHERS);
  }

  /** The groups that a change of what this one holds could help. */
  wakeForWorkload(spec: WorkloadSpec): void {
    for (const flavor of flavorsOf(spec)) this.book.groups.wake(flavor);
  }

  charge(charges: readonly Charge[]): void {
    for (const charge of charges) this.quota.charge(charge);
  }

  refund(charges: readonly Charge[]): void {
    for (const charge of charges) {
      this.quota.refund(charge);
      this.book.groups.wake(charge.flavor);
    }
  }

  /** Forgets a removed node once nothing of before is left on it. */
  dropIfEmpty(node: NodeName): void {
    if (!this.fleet.has(node)) return;
    const row = this.fleet.rowOf(node);
    if (this.fleet.recordOf(row).removed && this.pods.countOn(row) === 0) this.fleet.drop(row);
  }
}
