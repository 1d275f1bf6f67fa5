import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import { countOf, cpuMilliOf, type Quantity } from '../../../documents/quantity.js';

/** By the name of the resource: milli for `cpu`, whole units (bytes, devices) for everything else. */
export type Amounts = ReadonlyMap<string, number>;

type ResourceList = Readonly<Record<string, Quantity>>;

/**
 * What a pod asks of its node, as kube-scheduler counts it (`PodRequests` of component-helpers), without its overhead:
 * the sum of its containers and sidecars, or what it needs while one of its init containers runs, if that is more. What
 * it says of itself as a whole goes before its containers.
 */
export function podRequests({ containers, initContainers = [], resources }: V1PodSpec): Amounts {
  const running = new Map<string, number>();
  for (const container of containers) add(running, requestsOf(container));
  const sidecars = new Map<string, number>();
  const starting = new Map<string, number>();
  for (const container of initContainers) {
    const own = requestsOf(container);
    // A sidecar is an init container that stays: it counts for all that start after it.
    if (container.restartPolicy === 'Always') {
      add(running, own);
      add(sidecars, own);
      raise(starting, sidecars);
    } else {
      const both = new Map(sidecars);
      add(both, own);
      raise(starting, both);
    }
  }
  raise(running, starting);
  for (const [name, amount] of amountsOf(resources?.requests)) if (isOfWholePod(name)) running.set(name, amount);
  return running;
}

/** What a list of quantities amounts to. */
export function amountsOf(list: ResourceList = {}): Amounts {
  return new Map(Object.entries(list).map(([name, quantity]) => [name, amountOf(name, quantity)]));
}

function amountOf(name: string, quantity: Quantity): number {
  return name === 'cpu' ? cpuMilliOf(quantity) : countOf(quantity);
}

function requestsOf({ resources }: V1Container): Amounts {
  return amountsOf(resources?.requests);
}

/** Only these may be asked for by the pod as a whole. */
function isOfWholePod(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
}

function add(sum: Map<string, number>, more: Amounts): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0) + amount);
}

function raise(most: Map<string, number>, other: Amounts): void {
  for (const [name, amount] of other) most.set(name, Math.max(most.get(name) ?? 0, amount));
}
