import type {
  Charge,
  Decision,
  FlavorName,
  FlavorSpec,
  Ms,
  NodeName,
  Policy,
  PodSetSpec,
  Seat,
  SetId,
  WorkloadId,
  WorkloadSpec,
} from './contract/index.js';
import { DEFAULT_POLICY } from './contract/index.js';
import { FleetState, FleetTransaction, groupOfSlot, PodTable } from './fleet/index.js';
import type { Holding } from './fleet/index.js';
import { PlanBook, RunHistory } from './forecast/index.js';
import { Journal } from './journal.js';
import { podSize } from './pod-need.js';
import { mayOpenNeighbours, ShapeBook } from './placement/index.js';
import { flavorsOf, LOOKS_FOR_OTHERS, NO_FLAVOR, RULED, WorkloadBook } from './queue/index.js';
import type { FlavorWish } from './quota/index.js';
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

/** What one pod of the set costs in this flavor: devices where the flavor has a model, else CPU. */
export function costOfPod(podSet: PodSetSpec, flavor: FlavorSpec | undefined): number {
  if (flavor === undefined) return 0;
  if (flavor.model === undefined) return podSize(podSet).cpuMilli;
  return podSet.devices === undefined ? 0 : podSet.devices.count * podSet.devices.milli;
}

/** What `pods` of the set would cost in each of the flavors that it may use. */
export function wishOf(state: CoreState, podSet: PodSetSpec, pods: number): FlavorWish {
  return {
    flavors: podSet.flavors.length > 0 ? podSet.flavors : [undefined],
    costOf: (flavor) => pods * costOfPod(podSet, state.fleet.flavor(flavor)),
  };
}

/** The flavor that a pod of the set is charged to on this seat: of its node, or of its devices. */
export function flavorOfSeat(state: CoreState, podSet: PodSetSpec, seat: Seat): FlavorName | undefined {
  const row = state.fleet.rowOf(seat.node);
  const group = groupOfSlot(state.fleet.exampleOf(state.fleet.classOf(row)).slotGroups, seat.slots[0]?.slot ?? -1);
  const ofSeat = podSet.devices === undefined ? state.fleet.flavorsOf(row).cpu : group?.flavor;
  return podSet.flavors.find((name) => name === ofSeat);
}

/** The charge of a seat that was found. */
export function chargeOfSeat(
  state: CoreState,
  podSet: PodSetSpec,
  seat: Seat,
): { flavor: string; milli: number } | undefined {
  const flavor = flavorOfSeat(state, podSet, seat);
  const milli = flavor === undefined ? 0 : costOfPod(podSet, state.fleet.flavor(flavor));
  return flavor === undefined || milli === 0 ? undefined : { flavor, milli };
}
