import type { FlavorSpec, NodeSpec } from '../core/index.js';
import { flavorsNamedBy } from './queue.schema.js';
import type { Scenario } from './scenario.schema.js';
import { modelsOf } from './workload.schema.js';

/** The one flavor without a model: what pods without devices are charged to, once a queue names it. */
export const CPU_FLAVOR = 'cpu';

/** A flavor for each model of a node, a pod or a quota, and `cpu` where a queue names it; in code-unit order. */
export function flavorsOf(scenario: Scenario, nodes: readonly NodeSpec[]): readonly FlavorSpec[] {
  const { queues, workloads, events } = scenario;
  const changes = events.filter(({ queue }) => queue !== undefined);
  const named = [...queues, ...changes].flatMap((queue) => [
    ...flavorsNamedBy(queue),
    ...('pastUsage' in queue ? Object.keys(queue.pastUsage ?? {}) : []),
  ]);
  const asked = [...workloads, ...events.flatMap(({ submit }) => submit ?? [])].flatMap(({ pods }) =>
    pods.flatMap(modelsOf),
  );
  const there = nodes.flatMap(({ accelerators }) => accelerators.map(({ model }) => model));
  const names = [...new Set([...named, ...asked, ...there])].sort();
  return names.map((name) => ({ name, ...(name === CPU_FLAVOR ? {} : { model: name }), nodeLabels: {} }));
}
