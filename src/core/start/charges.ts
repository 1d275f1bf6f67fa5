import type { Charge, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Holding, PodRecord } from '../fleet/index.js';
import { podSize } from '../pod-need.js';
import type { WorkloadRecord } from '../queue/index.js';
import { standingRules } from '../standing-rules.js';
import type { StartPart } from './find-start.js';
import { costOfPod } from './pod-cost.js';

/** What these pods cost their queue: one charge for each flavor, in the order of the pods. */
export function sumCharges(queue: QueueName, pods: readonly Pick<PodRecord, 'charge'>[]): readonly Charge[] {
  return addCharges(
    [],
    pods.flatMap(({ charge }) => (charge === undefined ? [] : [{ queue, ...charge }])),
  );
}

/** The charges together; those of one queue and flavor become one, and what comes to nothing is left out. */
export function addCharges(charges: readonly Charge[], more: readonly Charge[]): readonly Charge[] {
  const sums: Charge[] = [];
  for (const { queue, flavor, milli } of [...charges, ...more]) {
    const at = sums.findIndex((sum) => sum.queue === queue && sum.flavor === flavor);
    const sum = sums[at];
    if (sum === undefined) sums.push({ queue, flavor, milli });
    else sums[at] = { queue, flavor, milli: sum.milli + milli };
  }
  return sums.filter(({ milli }) => milli !== 0);
}

export function subtractCharges(charges: readonly Charge[], less: readonly Charge[]): readonly Charge[] {
  return addCharges(
    charges,
    less.map(({ queue, flavor, milli }) => ({ queue, flavor, milli: -milli })),
  );
}

/** What so many pods of the part cost. */
export function chargesOf(
  state: CoreState,
  { spec }: WorkloadRecord,
  { part, pods }: { readonly part: StartPart; readonly pods: number },
): readonly Charge[] {
  if (part.flavor === undefined || pods === 0) return [];
  const milli = pods * costOfPod(part.podSet, state.fleet.flavor(part.flavor));
  return milli === 0 ? [] : [{ queue: spec.queue, flavor: part.flavor, milli }];
}

/** What a start on these seats is charged for. */
export function chargesOfParts(
  state: CoreState,
  record: WorkloadRecord,
  parts: readonly StartPart[],
): readonly Charge[] {
  return parts.reduce<readonly Charge[]>((sum, part) => {
    return addCharges(sum, chargesOf(state, record, { part, pods: part.pods.length }));
  }, []);
}

/** What the pods of these seats take of their nodes. */
export function holdingsOfParts(parts: readonly StartPart[]): readonly Holding[] {
  return parts.flatMap(({ podSet, pods }) => {
    const rules = standingRules(podSet);
    return pods.map(({ row, slots }) => ({ row, ...podSize(podSet), slots, rules }));
  });
}
