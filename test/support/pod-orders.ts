import type { BindOrder, FoundPod, PodOrder, PodProgram } from '../../src/cluster/cluster.js';
import type { NodeSpec } from '../../src/core/index.js';

export interface OrderWishes extends Partial<Omit<PodOrder, 'program' | 'pod' | 'name'>> {
  readonly workload?: string;
  readonly incarnation?: number;
  readonly index?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: PodProgram;
}

/** An order for one pod; what a test does not care about has a default. */
export function anOrder(command: readonly string[], wishes: OrderWishes = {}): PodOrder {
  const { workload = 'wl-1', incarnation = 1, index = 0, env = {}, ...rest } = wishes;
  return {
    name: `${workload}-${incarnation}-worker-${index}`,
    pod: { workload, incarnation, podSet: 'worker', index },
    epoch: 1,
    team: 'research',
    workloadName: workload,
    node: 'node-a',
    slots: [],
    cpuMilli: 1000,
    memoryMib: 512,
    rank: 0,
    worldSize: 1,
    masterNode: 'node-a',
    graceSeconds: 2,
    program: { kind: 'command', command, env },
    status: { url: 'http://127.0.0.1:9/status', token: 'secret-of-the-pod' },
    ...rest,
  };
}

/** A command that runs this program text in a shell. */
export function shell(text: string): readonly string[] {
  return ['sh', '-c', text];
}

export function aNode(name: string): NodeSpec {
  return {
    name,
    capacity: { cpuMilli: 96_000, memoryMib: 1_048_576, pods: 110 },
    accelerators: [{ model: 'gpu', count: 8 }],
    labels: {},
    taints: [],
    topology: { rack: 'r1' },
    unschedulable: false,
  };
}

/** An order to bind a pod that somebody else has made. */
export function aBindOrder(found: Partial<FoundPod>, wishes: Partial<BindOrder> = {}): BindOrder {
  const pod = wishes.pod ?? { workload: 'wl-1', incarnation: 1, podSet: 'worker', index: 0 };
  return {
    name: `${pod.workload}-${pod.incarnation}-${pod.podSet}-${pod.index}`,
    pod,
    epoch: 1,
    found: { namespace: 'team', name: 'web', uid: 'uid-web', ...found },
    node: 'node-a',
    slots: [],
    ...wishes,
  };
}
