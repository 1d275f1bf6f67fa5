import type { PodRef } from '../../core/index.js';

/** By the id of the workload and not its name, which another team, or a later workload, may have too. */
export function podNameOf({ workload, incarnation, podSet, index }: PodRef): string {
  return `${workload}-${incarnation}-${podSet}-${index}`;
}
