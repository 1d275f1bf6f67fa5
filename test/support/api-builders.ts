import type { Change } from '../../src/server/events/events.schema.js';
import type { Node } from '../../src/server/fleet/fleet.schema.js';
import type { Queue, QueueFlavor } from '../../src/server/quotas/quotas.schema.js';
import type { Workload } from '../../src/server/workloads/workload.schema.js';

/** A healthy node without devices; `over` says what matters. */
export function aNode(over: Partial<Node> = {}): Node {
  return {
    name: 'n-0',
    state: 'healthy',
    cause: '',
    unschedulable: false,
    topology: {},
    labels: {},
    models: [],
    slots: [],
    cpuMilli: 8_000,
    cpuClaimed: 0,
    memoryMib: 16_384,
    memoryClaimed: 0,
    pods: 0,
    ...over,
  };
}

/** A leaf; give `flavors` in milli-devices. */
export function aQueue(
  over: Partial<Omit<Queue, 'flavors'>> & { readonly flavors?: readonly QueueFlavor[] } = {},
): Queue {
  const { flavors = [], ...rest } = over;
  return {
    name: 'q',
    weight: 1,
    reclaim: 'any',
    withinQueue: 'lowerPriority',
    leaf: true,
    workloads: { pending: 0, running: 0 },
    ...rest,
    flavors: [...flavors],
  };
}

/** A pending workload of one pod; its uid says its name, so that a failure shows which one it was. */
export function aWorkload(name: string, status: Partial<Workload['status']> = {}): Workload {
  return {
    apiVersion: 'scheduling.berth.dev/v1',
    kind: 'Workload',
    metadata: {
      uid: `uid-of-${name}`,
      name,
      namespace: 'research',
      labels: {},
      creationTimestamp: '2026-01-01T00:00:00.000Z',
      createdBy: 'operator',
    },
    spec: {
      queue: 'q',
      kind: 'training',
      priority: 0,
      preemptible: true,
      maxRetries: 3,
      terminationGracePeriodSeconds: 30,
      podSets: [{ name: 'worker', count: 1, cpu: '1', memory: '1Gi', nodeSelector: {}, tolerations: [] }],
    },
    status: {
      state: 'pending',
      reason: '',
      message: '',
      cancelRequested: false,
      incarnation: 0,
      retries: 0,
      pods: [],
      charged: {},
      ...status,
    },
  };
}

export function aChange(over: Partial<Change> = {}): Change {
  return { kind: 'changed', nodes: [], queues: [], workloads: [], removed: { nodes: [], workloads: [] }, ...over };
}
