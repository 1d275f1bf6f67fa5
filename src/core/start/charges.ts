import type { Charge, QueueName } from '../contract/index.js';
import type { PodRecord } from '../fleet/index.js';

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
