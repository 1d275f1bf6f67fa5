import type { Charge, FlavorName, Ms, QueueName, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan, Victim } from '../forecast/index.js';
import { EvictionRights } from '../preemption/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { comesFirstForGood, forkOf } from '../queue/index.js';
import { requestsOf, subtractCharges } from '../start/index.js';
import { chargesOfVictim } from './belongings.js';
import { releaseTimes } from './release-times.js';

/** What quota shows already of its start. */
interface Shown {
  readonly charges?: readonly Charge[] | undefined;
  /** What others have given up for it; the book does not know it. */
  readonly victims?: readonly Victim[];
}

/**
 * Which plans the workload may delay: those before which it comes by a key of the order that is no share, and those of
 * borrowers from which, as an owner, it could take back at once what they would get. Never because of shares alone.
 */
export function precedenceOf(state: CoreState, record: WorkloadRecord, shown: Shown = {}): (plan: Plan) => boolean {
  const claim = new Claim(state, record, shown);
  return (plan) => claim.precedes(plan);
}

/** What the workload holds comes free then. */
interface End {
  readonly record: WorkloadRecord;
  readonly atMs: Ms;
}

/** What an owner could take back from others once they run. */
class Claim {
  #requests: readonly (readonly Charge[])[] | undefined;
  #ends: ReadonlyMap<QueueName, readonly End[]> | undefined;
  readonly #answers = new Map<Plan, boolean>();
  readonly #charged: readonly Charge[];
  readonly #victims: ReadonlyMap<WorkloadId, Victim>;

  constructor(
    readonly state: CoreState,
    readonly record: WorkloadRecord,
    { charges = [], victims = [] }: Shown,
  ) {
    this.#charged = charges;
    this.#victims = new Map(victims.map((victim) => [victim.workload, victim]));
  }

  precedes(plan: Plan): boolean {
    const known = this.#answers.get(plan);
    if (known !== undefined) return known;
    const { book, policy } = this.state;
    const planned = book.get(plan.workload);
    const isFirst = planned === undefined || comesFirstForGood(policy.order, this.record, planned);
    const answer = isFirst || this.#isOwedBy(plan, planned);
    this.#answers.set(plan, answer);
    return answer;
  }

  /** Would the planned one borrow at its start what belongs to this one then? */
  #isOwedBy(plan: Plan, planned: WorkloadRecord): boolean {
    const { quota, tx } = this.state;
    const { queue } = this.record.spec;
    const reclaim = quota.spec(queue)?.reclaim ?? 'never';
    const sides = forkOf(quota, queue, plan.queue);
    if (queue === plan.queue || reclaim === 'never' || sides === undefined || !planned.spec.preemptible) return false;
    // Asked before the ends are listed, for most plans are of no borrower; who is none now is none at its start.
    if (this.#borrowed(plan, plan.charges).length === 0) return false;
    const before = this.#startedBefore(plan, sides.a);
    const mark = tx.mark();
    for (const charge of this.#charged) quota.refund(charge);
    for (const charge of [plan, ...before].flatMap(({ charges }) => charges)) quota.charge(charge);
    for (const side of [sides.a, sides.b]) this.#endBy(plan.startMs, side);
    const isOwed = this.#hasRight(plan, planned);
    tx.rollbackTo(mark);
    return isOwed;
  }

  /** Plans of the own side that it may not delay, and that run when this one starts. */
  #startedBefore({ startMs }: Plan, side: QueueName): readonly Plan[] {
    const { quota, plans } = this.state;
    return plans.all.filter((other) => {
      const isThere = other.startMs <= startMs && (other.endMs ?? Infinity) > startMs;
      if (!isThere || other.workload === this.record.spec.id || !quota.contains(side, other.queue)) return false;
      return !this.precedes(other);
    });
  }

  /** What is expected to end on that side until then: who borrows now may be no borrower any more, on either side. */
  #endBy(timeMs: Ms, side: QueueName): void {
    const { quota } = this.state;
    for (const [queue, ends] of this.#endsByQueue()) {
      if (!quota.contains(side, queue)) continue;
      for (const { record, atMs } of ends) {
        if (atMs > timeMs) break;
        for (const charge of this.#leftOf(record)) quota.refund(charge);
      }
    }
  }

  /** Of others, first to last. */
  #endsByQueue(): ReadonlyMap<QueueName, readonly End[]> {
    if (this.#ends !== undefined) return this.#ends;
    const ends = new Map<QueueName, End[]>();
    for (const { id, atMs } of releaseTimes(this.state, this.state.nowMs)) {
      const record = this.state.book.get(id);
      if (record === undefined || id === this.record.spec.id) continue;
      const known = ends.get(record.spec.queue);
      if (known === undefined) ends.set(record.spec.queue, [{ record, atMs }]);
      else known.push({ record, atMs });
    }
    this.#ends = ends;
    return ends;
  }

  /** What comes free at its end: what it has given up is free already. */
  #leftOf({ spec, charges }: WorkloadRecord): readonly Charge[] {
    const victim = this.#victims.get(spec.id);
    return victim === undefined ? charges : subtractCharges(charges, chargesOfVictim(this.state, victim));
  }

  /** Of the flavors of the plan, with `more` charged. */
  #borrowed({ queue, charges }: Plan, more: readonly Charge[]): readonly FlavorName[] {
    const { quota } = this.state;
    return charges.map(({ flavor }) => flavor).filter((flavor) => (quota.loan(queue, flavor, more)?.borrowed ?? 0) > 0);
  }

  /** As a new incarnation, which has evicted nobody yet. */
  #hasRight(plan: Plan, planned: WorkloadRecord): boolean {
    this.#requests ??= requestsOf(this.state, this.record.spec);
    const loss = { record: { ...planned, incarnation: planned.incarnation + 1 }, charges: plan.charges };
    const borrowed = this.#borrowed(plan, []);
    return this.#requests.some((request) => {
      const contended = new Set(borrowed.filter((flavor) => request.some((charge) => charge.flavor === flavor)));
      if (contended.size === 0) return false;
      const rights = new EvictionRights(this.state, { record: this.record, charges: request, contended });
      return rights.over(loss)?.reason === 'reclaimed';
    });
  }
}
