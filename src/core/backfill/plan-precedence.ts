import type { Charge, WorkloadId } from '../contract/index.js';
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
  return (plan) => {
    const planned = state.book.get(plan.workload);
    if (planned === undefined || comesFirstForGood(state.policy.order, record, planned)) return true;
    return claim.isOwedBy(plan, planned);
  };
}

/** What an owner could take back from others once they run. */
class Claim {
  #requests: readonly (readonly Charge[])[] | undefined;
  #releases: ReturnType<typeof releaseTimes> | undefined;
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

  /** Would the planned one borrow at its start what belongs to this one? */
  isOwedBy(plan: Plan, planned: WorkloadRecord): boolean {
    const { quota, tx } = this.state;
    const { queue } = this.record.spec;
    const reclaim = quota.spec(queue)?.reclaim ?? 'never';
    const side = forkOf(quota, queue, plan.queue)?.b;
    if (queue === plan.queue || reclaim === 'never' || side === undefined || !planned.spec.preemptible) return false;
    const mark = tx.mark();
    for (const charge of this.#charged) quota.refund(charge);
    for (const charge of plan.charges) quota.charge(charge);
    // Asked before the ends are listed, for most plans are of no borrower.
    const isOwed = this.#hasRight(plan, planned) && this.#hasRightAtStart({ plan, planned, side });
    tx.rollbackTo(mark);
    return isOwed;
  }

  /** With what is expected to end on the planned side until then: it may be no borrower when its start comes. */
  #hasRightAtStart(about: { readonly plan: Plan; readonly planned: WorkloadRecord; readonly side: string }): boolean {
    const { book, quota, nowMs } = this.state;
    this.#releases ??= releaseTimes(this.state, nowMs);
    for (const { id, atMs } of this.#releases) {
      if (atMs > about.plan.startMs) break;
      const record = book.get(id);
      if (record === undefined || !quota.contains(about.side, record.spec.queue)) continue;
      for (const charge of this.#leftOf(record)) quota.refund(charge);
    }
    return this.#hasRight(about.plan, about.planned);
  }

  /** What comes free at its end: what it has given up is free already. */
  #leftOf({ spec, charges }: WorkloadRecord): readonly Charge[] {
    const victim = this.#victims.get(spec.id);
    return victim === undefined ? charges : subtractCharges(charges, chargesOfVictim(this.state, victim));
  }

  /** As a new incarnation, which has evicted nobody yet. */
  #hasRight({ queue, charges }: Plan, planned: WorkloadRecord): boolean {
    const { quota } = this.state;
    this.#requests ??= requestsOf(this.state, this.record.spec);
    const loss = { record: { ...planned, incarnation: planned.incarnation + 1 }, charges };
    const borrowed = charges
      .map(({ flavor }) => flavor)
      .filter((flavor) => (quota.loan(queue, flavor, [])?.borrowed ?? 0) > 0);
    return this.#requests.some((request) => {
      const contended = new Set(borrowed.filter((flavor) => request.some((charge) => charge.flavor === flavor)));
      if (contended.size === 0) return false;
      const rights = new EvictionRights(this.state, { record: this.record, charges: request, contended });
      return rights.over(loss)?.reason === 'reclaimed';
    });
  }
}
