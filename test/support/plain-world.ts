import fc from 'fast-check';
import type { Decision, NodeSpec, PodSetSpec, Policy, QueueSpec, WorkloadSpec } from '../../src/core/index.js';
import { DEFAULT_POLICY } from '../../src/core/index.js';
import { CoreRig } from './core-rig.js';
import { anyNodes, LEAVES } from './core-world.js';
import { aFlavor, aPodSet, aPolicy, aQueue } from './fleet-builders.js';
import type { Started } from './naive-scheduler.js';

/** Worlds that can be judged by counting: whole devices of one model on each node, one pod set. */

export const anyPlainNodes: fc.Arbitrary<readonly NodeSpec[]> = anyNodes.map((nodes) =>
  nodes.map((node) => ({ ...node, taints: [], labels: {}, accelerators: node.accelerators.slice(0, 1) })),
);

export const anyOrder = fc.constantFrom('fair' as const, 'fifo' as const);

const anyPodSet = fc
  .record({
    count: fc.constantFrom(1, 1, 2, 3),
    gpus: fc.constantFrom(1, 1, 2, 4),
    flavor: fc.constantFrom('h100', 'h100', 'a100'),
    level: fc.constantFrom(undefined, undefined, 'rack', 'host'),
  })
  .map(({ count, gpus, flavor, level }): PodSetSpec => {
    const topology = level === undefined ? {} : { topology: { kind: 'required', level } as const };
    return aPodSet({ count, gpus, flavors: [flavor], ...topology });
  });

export const anyPlainWorkload = fc
  .record({
    queue: fc.constantFrom(...LEAVES),
    priority: fc.constantFrom(0, 0, 1, 2),
    preemptible: fc.constantFrom(true, true, true, false),
    submittedAtMs: fc.nat(3),
    podSet: anyPodSet,
  })
  .map(({ podSet, ...rest }) => ({ ...rest, podSets: [podSet] }));

/** Most have up to three pods that they can spare. */
export const anyElasticWorkload = fc
  .tuple(anyPlainWorkload, fc.constantFrom(0, 1, 2, 3))
  .map(([{ podSets, ...rest }, slack]) => ({
    ...rest,
    podSets: podSets.map((podSet): PodSetSpec => ({ ...podSet, count: podSet.count + slack })),
  }));

/** Most is borrowed: from the root, which owns what its leaves hardly own. */
export const anyBorrowers: fc.Arbitrary<readonly QueueSpec[]> = fc
  .record({
    root: fc.constantFrom(4, 8, 16),
    leaves: fc.array(fc.constantFrom(0, 0, 1, 2), { minLength: 3, maxLength: 3 }),
  })
  .map(({ root, leaves }) => {
    const quotas = (devices = 0) => ({ h100: { nominal: devices * 1000 }, a100: { nominal: devices * 1000 } });
    return [
      aQueue('root', { quotas: quotas(root) }),
      aQueue('team', { parent: 'root' }),
      aQueue('lab', { parent: 'team', quotas: quotas(leaves[0]) }),
      aQueue('dev', { parent: 'team', quotas: quotas(leaves[1]) }),
      aQueue('ops', { parent: 'root', quotas: quotas(leaves[2]) }),
    ];
  });

/** Told of the world; nobody is protected after a start, and nothing is planned unless it is said. */
export function plainRig(
  { nodes, queues }: { readonly nodes: readonly NodeSpec[]; readonly queues: readonly QueueSpec[] },
  order: Policy['order'],
  { minRuntimeMs = 0, depth = 0 }: { readonly minRuntimeMs?: number; readonly depth?: number } = {},
): CoreRig {
  const { preemption, backfill } = DEFAULT_POLICY;
  const rig = new CoreRig();
  const policy = aPolicy({
    topologyLevels: ['zone', 'rack', 'host'],
    order,
    preemption: { ...preemption, minRuntimeMs },
    backfill: { ...backfill, depth },
  });
  rig.tell({ kind: 'policy-set', policy });
  for (const flavor of ['h100', 'a100']) rig.tell({ kind: 'flavor-set', flavor: aFlavor(flavor) });
  for (const queue of queues) rig.tell({ kind: 'queue-set', queue });
  for (const node of nodes) rig.tell({ kind: 'node-seen', node });
  return rig;
}

export function startedIn(decisions: readonly Decision[], specs: readonly WorkloadSpec[]): readonly Started[] {
  return decisions
    .filter((decision) => decision.kind === 'start')
    .map(({ workload, seats }) => {
      const spec = specs.find(({ id }) => id === workload);
      if (spec === undefined) throw new Error(`${workload} is not known`);
      return { spec, seats };
    });
}
