import { cpuMilliOf } from '../../documents/quantity.js';
import type { WorkloadDocument } from './workload.schema.js';

export interface QuotaExcess {
  readonly flavor: string;
  readonly requestedMilli: number;
  readonly maxMilli: number;
}

/**
 * Does the workload ask for more than its queue allows one workload? `limits`: `maxPerWorkload` in thousandths by
 * flavor; a pod set without devices takes CPUs of one of `cpuFlavors`. A pod set with several flavors is refused only
 * when none of them allows it, and the last one is named.
 */
export function quotaExcess(
  spec: WorkloadDocument['spec'],
  cpuFlavors: readonly string[],
  limits: ReadonlyMap<string, number>,
): QuotaExcess | undefined {
  const asked = new Map<string, number>();
  for (const { accelerators, cpu, count } of spec.podSets) {
    const milli = count * (accelerators === undefined ? cpuMilliOf(cpu) : accelerators.count * accelerators.milli);
    let excess: QuotaExcess | undefined;
    for (const flavor of accelerators?.flavors ?? cpuFlavors) {
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
