import type { Charge, Holder } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { compareText } from '../text-order.js';
import type { PodRecord } from '../fleet/index.js';

/** More would not help whoever reads it. */
const HOLDERS_MAX = 10;

/** Who pays for this flavor in the queue or below it, most first. */
export function holdersOfQuota(
  state: CoreState,
  { queue, flavor }: Pick<Charge, 'queue' | 'flavor'>,
): readonly Holder[] {
  const amounts = new Map<string, number>();
  for (const { spec, charges } of state.book.all()) {
    for (const charge of charges) {
      if (charge.flavor !== flavor || !state.quota.contains(queue, charge.queue)) continue;
      amounts.set(spec.id, (amounts.get(spec.id) ?? 0) + charge.milli);
    }
  }
  return mostFirst(amounts);
}

/** Who holds something on these nodes, most first. */
export function holdersOnNodes(
  state: CoreState,
  rows: readonly number[],
  amountOf: (pod: PodRecord) => number,
): readonly Holder[] {
  const amounts = new Map<string, number>();
  for (const row of rows) {
    for (const pod of state.pods.ofNode(row)) {
      const { workload } = pod.seat.pod;
      const amount = amountOf(pod);
      if (amount > 0) amounts.set(workload, (amounts.get(workload) ?? 0) + amount);
    }
  }
  return mostFirst(amounts);
}

function mostFirst(amounts: ReadonlyMap<string, number>): readonly Holder[] {
  return [...amounts]
    .map(([workload, amount]) => ({ workload, amount }))
    .sort((a, b) => b.amount - a.amount || compareText(a.workload, b.workload))
    .slice(0, HOLDERS_MAX);
}
