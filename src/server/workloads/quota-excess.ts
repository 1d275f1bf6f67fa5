import type { WorkloadDocument } from './workload.schema.js';

export interface QuotaExcess {
  readonly flavor: string;
  readonly requestedMilli: number;
  readonly maxMilli: number;
}

/**
 * Does the workload ask for more than its queue allows one workload? `limits`: `maxPerWorkload` in milli-devices by
 * flavor. A pod set with several flavors is refused only when none of them allows it, and the last one is named.
 */
export function quotaExcess(
  spec: WorkloadDocument['spec'],
  limits: ReadonlyMap<string, number>,
): QuotaExcess | undefined {
  const asked = new Map<string, number>();
  for (const { accelerators, count } of spec.podSets) {
    if (accelerators === undefined) continue;
    const milli = count * accelerators.count * accelerators.milli;
    let excess: QuotaExcess | undefined;
    for (const flavor of accelerators.flavors) {
      const requestedMilli = (asked.get(flavor) ?? 0) + milli;
      const maxMilli = limits.get(flavor) ?? Infinity;
      excess = requestedMilli > maxMilli ? { flavor, requestedMilli, maxMilli } : undefined;
      if (excess === undefined) {
        asked.set(flavor, requestedMilli);
        break;
      }
    }
    if (excess !== undefined) return excess;
  }
  return undefined;
}
