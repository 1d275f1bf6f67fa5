import type { Charge, PodRef, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Holding, PodRecord } from '../fleet/index.js';
import { isClaimed } from '../fleet/index.js';
import type { Victim } from '../forecast/index.js';
import type { Fallen } from '../preemption/index.js';
import { sumCharges } from '../start/index.js';

/** What a workload, or some of its pods, claim and pay. Pods that are leaving do neither: see `heldForLeaving`. */
export interface Belongings {
  readonly holdings: readonly Holding[];
  readonly charges: readonly Charge[];
}

/** As if all that it holds and pays were free; the caller rolls back. */
export function releaseWorkload(state: CoreState, id: WorkloadId): void {
  setFree(state, allOf(state, id));
}

/** As if what it gives up were free; the caller rolls back. */
export function releaseVictim(state: CoreState, victim: Victim): void {
  setFree(state, givenUp(state, victim));
}

export function chargesOfVictim(state: CoreState, victim: Victim): readonly Charge[] {
  return givenUp(state, victim).charges;
}

function givenUp(state: CoreState, { workload, pods }: Victim): Belongings {
  const known = pods.map((ref) => state.pods.find(ref)).filter((pod) => pod !== undefined);
  return belongingsOf(state, workload, known);
}

export function setFree(state: CoreState, { holdings, charges }: Belongings): void {
  for (const holding of holdings) state.tx.give(holding);
  for (const charge of charges) state.quota.refund(charge);
}

export function allOf(state: CoreState, id: WorkloadId): Belongings {
  return { holdings: holdingsOf(state, id), charges: state.book.get(id)?.charges ?? [] };
}

export function belongingsOf(state: CoreState, id: WorkloadId, pods: readonly PodRecord[]): Belongings {
  const queue = state.book.get(id)?.spec.queue;
  const claimed = pods.filter(isClaimed);
  return { holdings: state.pods.claimedBy(claimed), charges: queue === undefined ? [] : sumCharges(queue, claimed) };
}

/** What the workload holds of nodes; also when its start is of this settle and not said yet. */
export function holdingsOf(state: CoreState, id: string): readonly Holding[] {
  const draft = state.startsOfSettle.get(id);
  return draft ?? state.pods.claimedBy(state.pods.ofWorkload(id));
}

/** One for each workload, in the order in which they fall. */
export function victimsOf(victims: readonly Fallen[]): readonly Victim[] {
  const pods = new Map<WorkloadId, readonly PodRef[]>();
  for (const { unit } of victims) {
    const { id } = unit.record.spec;
    pods.set(id, [...(pods.get(id) ?? []), ...unit.pods.map(({ seat }) => seat.pod)]);
  }
  return [...pods].map(([workload, lost]) => ({ workload, pods: lost }));
}
