import type { SlotShare } from '../contract/index.js';
import type { Mark } from '../journal.js';
import type { StandingRules } from '../standing-rules.js';
import type { FleetState } from './fleet-state.js';
import { eighthsOf } from './device-partitions.js';
import { WHOLE_DEVICE_MILLI } from './fleet-state.js';

/** What is held of a node, by one pod or by several. */
export interface Holding {
  readonly row: number;
  /** Absent: one. */
  readonly pods?: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly slots: readonly SlotShare[];
  /** Eighths of slots besides those of the shares: what leaving partitions lie on, and where they mix with others. */
  readonly cuts?: readonly Cut[];
  /** Of the pod that holds it by a claim and has not ended, if it has any. */
  readonly rules?: StandingRules | undefined;
  /** Of pods without claim, or that have ended. */
  readonly leavingRules?: readonly { readonly rules: StandingRules; readonly pods: number }[];
}

/** How often an eighth of a slot is held, or `MIXED`. */
export interface Cut {
  readonly slot: number;
  readonly eighth: number;
  readonly times: number;
}

/**
 * The only way to change who holds what. Work between `mark` and `rollbackTo` leaves no trace: placement tries, and
 * explanation asks what would be, on the live state without a copy of it.
 */
export class FleetTransaction {
  readonly fleet: FleetState;

  constructor(fleet: FleetState) {
    this.fleet = fleet;
  }

  mark(): Mark {
    return this.fleet.journal.mark();
  }

  rollbackTo(mark: Mark): void {
    this.fleet.journal.rollbackTo(mark);
  }

  take(holding: Holding): void {
    this.#move(holding, -1);
  }

  give(holding: Holding): void {
    this.#move(holding, 1);
  }

  /** As if the node took work: for the question what a healed node would change. */
  openNode(row: number): void {
    this.fleet.open.set(row, 1);
  }

  #move(holding: Holding, sign: 1 | -1): void {
    const { fleet } = this;
    const { row } = holding;
    fleet.cpuFree.add(row, sign * holding.cpuMilli);
    fleet.memoryFree.add(row, sign * holding.memoryMib);
    fleet.podsFree.add(row, sign * (holding.pods ?? 1));
    if (holding.rules !== undefined) fleet.standing.move(row, holding.rules, { claimed: -sign });
    for (const { rules, pods } of holding.leavingRules ?? [])
      fleet.standing.move(row, rules, { leaving: -sign * pods });
    const base = fleet.slotBase(row);
    for (const { slot, eighth, times } of holding.cuts ?? []) fleet.cut(base + slot, eighth, -sign * times);
    for (const share of holding.slots) {
      const { slot, milli } = share;
      const before = fleet.slotFree.at(base + slot);
      const after = before + sign * milli;
      fleet.slotFree.set(base + slot, after);
      for (const eighth of eighthsOf(share)) fleet.cut(base + slot, eighth, -sign);
      if (fleet.slotClosed.at(base + slot) === 1) continue;
      if (before === WHOLE_DEVICE_MILLI) fleet.wholeFree.add(row, -1);
      if (after === WHOLE_DEVICE_MILLI) fleet.wholeFree.add(row, 1);
    }
  }
}
