import type { EntityManager } from 'typeorm';
import { tellChanges } from './tell-changes.js';

/**
 * Something has left these nodes: pods that waited for it, and for nothing else, get its place, and their creation is
 * due. Those that wait for more, or would not fit, go on waiting.
 */
export async function admitWaitingPods(transaction: EntityManager, nodes: readonly string[]): Promise<void> {
  if (nodes.length === 0) return;
  const admitted: { of_workload: string; on_node: string }[] = await transaction.query(
    'SELECT of_workload, on_node FROM admit_waiting_pods($1)',
    [nodes],
  );
  await tellChanges(
    transaction,
    admitted.flatMap((pod) => [`workload:${pod.of_workload}`, `node:${pod.on_node}`]),
  );
}
