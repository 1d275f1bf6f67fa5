import type { Decision, PodRef, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { PodRecord } from '../fleet/index.js';
import { addCharges, subtractCharges } from '../start/index.js';
import type { DecisionBody } from './decision-writer.js';

/** What a workload gives up for another. */
export type WayBody = DecisionBody & { readonly kind: 'evict' | 'shrink' };
type Way = Decision & { readonly kind: 'evict' | 'shrink' };

/** Does a workload give something up for another by it? Then it was assumed when it was decided. */
export function isForAnother(decision: Decision): decision is Way & { readonly for: WorkloadId } {
  return (decision.kind === 'evict' || decision.kind === 'shrink') && decision.for !== undefined;
}

/** As if the decision were committed already, for the one it is made for: claims and charges are over. */
export function giveWay(state: CoreState, { workload, pods, charges }: WayBody): void {
  for (const pod of podsOf(state, pods)) state.pods.change(pod, { claim: 'yielded' });
  state.refund(charges);
  const record = state.book.get(workload);
  if (record !== undefined) state.book.change(record, { charges: subtractCharges(record.charges, charges) });
}

/** The set was refused: what was given up is claimed and charged as before. */
export function standAgain(state: CoreState, { workload, pods, charges }: Way): void {
  for (const pod of podsOf(state, pods)) if (pod.claim === 'yielded') state.pods.change(pod, { claim: 'granted' });
  state.charge(charges);
  const record = state.book.get(workload);
  if (record !== undefined) state.book.change(record, { charges: addCharges(record.charges, charges) });
}

function podsOf(state: CoreState, refs: readonly PodRef[]): readonly PodRecord[] {
  return refs.map((ref) => state.pods.find(ref)).filter((pod) => pod !== undefined);
}
