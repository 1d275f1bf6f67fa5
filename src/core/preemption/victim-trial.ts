import type { Charge, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Holding } from '../fleet/index.js';
import type { Mark } from '../journal.js';
import type { FlavorChoice } from '../quota/index.js';
import type { StartAsk, StartPart } from '../start/index.js';
import { placeChoice, subtractCharges } from '../start/index.js';
import type { EvictionRight, EvictionRights } from './eviction-rights.js';
import type { VictimUnit } from './victim-order.js';

/** A unit that falls, by which right. */
export interface Fallen {
  readonly unit: VictimUnit;
  readonly right: EvictionRight;
}

/** What is to start: in these flavors, for these charges. */
export interface TrialAsk {
  readonly ask: StartAsk;
  readonly choice: FlavorChoice;
  readonly charges: readonly Charge[];
}

interface Trace extends Fallen {
  /** Before it fell. */
  readonly mark: Mark;
  readonly shares: readonly Holding[];
}

/** Victims that fall one after the other in the live state, and can stand up again; the caller rolls back at the end. */
export class VictimTrial {
  readonly #state: CoreState;
  readonly #rights: EvictionRights;
  readonly #ask: TrialAsk;
  readonly #traces: Trace[] = [];
  /** By gang: the surplus of it that has fallen. */
  readonly #surplusOf = new Map<WorkloadId, readonly VictimUnit[]>();
  #searched: 'complete' | 'partial' = 'complete';
  #placements = 0;
  /** What was placed last, while nothing has changed since. */
  #placed: readonly StartPart[] | undefined;

  constructor(state: CoreState, rights: EvictionRights, ask: TrialAsk) {
    this.#state = state;
    this.#rights = rights;
    this.#ask = ask;
  }

  get fallen(): readonly Fallen[] {
    return this.#traces;
  }

  /** `partial`: a placement gave up early. */
  get searched(): 'complete' | 'partial' {
    return this.#searched;
  }

  get placements(): number {
    return this.#placements;
  }

  /** Of a gang of which pods have fallen before, only the rest falls now. */
  fall({ unit, right }: Fallen): void {
    this.#state.work.falls++;
    const rest = this.#restOf(unit);
    const shares = this.#state.pods.shareOf(rest.pods);
    this.#placed = undefined;
    this.#traces.push({ unit: rest, right, shares, mark: this.#state.tx.mark() });
    this.#noteSurplus(rest);
    this.#give(rest, shares);
    this.#rights.fell(rest.charges);
  }

  /** As if only the first `count` had fallen. What falls later is forgotten. */
  keepFirst(count: number): void {
    const first = this.#traces[count];
    if (first === undefined) return;
    this.#placed = undefined;
    this.#state.tx.rollbackTo(first.mark);
    this.#traces.length = count;
    this.#rights.reset();
    this.#surplusOf.clear();
    for (const { unit } of this.#traces) {
      this.#rights.fell(unit.charges);
      this.#noteSurplus(unit);
    }
  }

  /** As if this one had not fallen, whatever fell after it; `fallAgain` undoes it. Marks are void afterwards. */
  standUp(index: number): void {
    const trace = this.#traces[index];
    if (trace === undefined) return;
    this.#placed = undefined;
    for (const charge of trace.unit.charges) this.#state.quota.charge(charge);
    for (const share of trace.shares) this.#state.tx.take(share);
  }

  fallAgain(index: number): void {
    const trace = this.#traces[index];
    if (trace === undefined) return;
    this.#placed = undefined;
    this.#give(trace.unit, trace.shares);
  }

  fitsQuota(): boolean {
    return this.#ask.charges.every((charge) => this.#state.quota.fits(charge).kind === 'fits');
  }

  /** Seats as things are now; takes nothing. */
  place(): readonly StartPart[] | undefined {
    if (this.#placed !== undefined) return this.#placed;
    this.#placements++;
    const mark = this.#state.tx.mark();
    const placement = placeChoice(this.#state, this.#ask.ask, this.#ask.choice);
    this.#state.tx.rollbackTo(mark);
    if (placement.kind === 'placed') return (this.#placed = placement.parts);
    if (placement.searched === 'partial') this.#searched = 'partial';
    return undefined;
  }

  fits(): boolean {
    return this.fitsQuota() && this.place() !== undefined;
  }

  #give({ charges }: VictimUnit, shares: readonly Holding[]): void {
    for (const charge of charges) this.#state.quota.refund(charge);
    for (const share of shares) this.#state.tx.give(share);
  }

  #noteSurplus(unit: VictimUnit): void {
    const { id } = unit.record.spec;
    if (unit.kind === 'surplus') this.#surplusOf.set(id, [...(this.#surplusOf.get(id) ?? []), unit]);
  }

  #restOf(unit: VictimUnit): VictimUnit {
    const before = unit.kind === 'surplus' ? undefined : this.#surplusOf.get(unit.record.spec.id);
    if (before === undefined || before.length === 0) return unit;
    const gone = new Set(before.flatMap(({ pods }) => pods));
    const pods = unit.pods.filter((pod) => !gone.has(pod));
    // It has fallen as the rest before, and falls again.
    if (pods.length === unit.pods.length) return unit;
    const charges = before.reduce((left, spared) => subtractCharges(left, spared.charges), unit.charges);
    return { ...unit, pods, charges };
  }
}
