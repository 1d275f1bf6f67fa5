import type {
  FlavorQuota,
  FlavorSpec,
  NodeSpec,
  Policy,
  PodSetSpec,
  QueueSpec,
  WorkloadSpec,
} from '../../src/core/index.js';
import { DEFAULT_POLICY } from '../../src/core/index.js';

/** Specs in which a test says only what matters to it. */

type NodeWish = Partial<NodeSpec> & {
  readonly devices?: number;
  readonly model?: string;
  readonly rack?: string;
  readonly zone?: string;
  readonly cpu?: number;
  readonly memory?: number;
};

export function aNode(name: string, wish: NodeWish = {}): NodeSpec {
  const { devices = 8, model = 'h100', rack, zone, cpu = 96, memory = 1_048_576, ...rest } = wish;
  return {
    name,
    capacity: { cpuMilli: cpu * 1000, memoryMib: memory, pods: 110 },
    accelerators: devices === 0 ? [] : [{ model, count: devices, memoryMib: 81_920 }],
    labels: {},
    taints: [],
    topology: { ...(zone === undefined ? {} : { zone }), ...(rack === undefined ? {} : { rack }) },
    unschedulable: false,
    ...rest,
  };
}

export function aFlavor(name: string, wish: Partial<FlavorSpec> = {}): FlavorSpec {
  return { name, model: name, nodeLabels: {}, ...wish };
}

type QueueWish = Partial<Omit<QueueSpec, 'quotas'>> & {
  /** Devices of flavor h100, whole ones. */
  readonly h100?: number;
  readonly borrow?: number;
  readonly lend?: number;
  readonly quotas?: Readonly<Record<string, FlavorQuota>>;
};

export function aQueue(name: string, wish: QueueWish = {}): QueueSpec {
  const { h100, borrow, lend, quotas = {}, ...rest } = wish;
  const own: FlavorQuota = {
    nominal: (h100 ?? 0) * 1000,
    ...(borrow === undefined ? {} : { borrowingLimit: borrow * 1000 }),
    ...(lend === undefined ? {} : { lendingLimit: lend * 1000 }),
  };
  const isNamed = h100 !== undefined || borrow !== undefined || lend !== undefined;
  return {
    name,
    weight: 1,
    quotas: isNamed ? { h100: own, ...quotas } : quotas,
    reclaim: 'any',
    withinQueue: 'lowerPriority',
    ...rest,
  };
}

type PodSetWish = Partial<PodSetSpec> & { readonly gpus?: number; readonly milli?: number; readonly cpu?: number };

export function aPodSet(wish: PodSetWish = {}): PodSetSpec {
  const { gpus = 1, milli = 1000, cpu = 1, count = 1, ...rest } = wish;
  return {
    name: 'worker',
    count,
    minCount: count,
    flavors: gpus === 0 ? [] : ['h100'],
    cpuMilli: cpu * 1000,
    memoryMib: 1024,
    ...(gpus === 0 ? {} : { devices: { count: gpus, milli } }),
    nodeSelector: {},
    tolerations: [],
    start: 'together',
    onLoss: 'restart-all',
    ...rest,
  };
}

export function aWorkload(id: string, wish: Partial<WorkloadSpec> & { readonly pods?: PodSetWish } = {}): WorkloadSpec {
  const { pods, ...rest } = wish;
  return {
    id,
    name: id,
    queue: 'lab',
    kind: 'training',
    priority: 0,
    preemptible: true,
    submittedAtMs: 0,
    hold: false,
    podSets: [aPodSet(pods)],
    maxRetries: 3,
    incarnation: 0,
    retries: 0,
    ...rest,
  };
}

export function aPolicy(wish: Partial<Policy> = {}): Policy {
  return { ...DEFAULT_POLICY, ...wish };
}
