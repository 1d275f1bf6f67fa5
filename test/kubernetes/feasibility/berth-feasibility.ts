import type { GangMember } from '../../../src/cluster/kubernetes/found/gang-of.js';
import { gangOf } from '../../../src/cluster/kubernetes/found/gang-of.js';
import type { KubeNode } from '../../../src/cluster/kubernetes/kube-types.js';
import { DEFAULT_NODE_MAPPING } from '../../../src/cluster/kubernetes/nodes/node-mapping.js';
import { nodeSpecOf } from '../../../src/cluster/kubernetes/nodes/node-spec-of.js';
import { isGated, podMembership } from '../../../src/cluster/kubernetes/found/pod-membership.js';
import type { ClaimObject, PodObject, VolumeObject } from '../../../src/cluster/kubernetes/reading/pod-object.js';
import type { PodReading } from '../../../src/cluster/kubernetes/reading/pod-set-of.js';
import { podSetOf } from '../../../src/cluster/kubernetes/reading/pod-set-of.js';
import type { NodeSpec, Seat, Snapshot, WorkloadSpec } from '../../../src/core/index.js';
import { CoreRig } from '../../support/core-rig.js';
import { aFlavor, aQueue } from '../../support/fleet-builders.js';

export interface ClusterObjects {
  readonly nodes: readonly KubeNode[];
  readonly standing: readonly PodObject[];
  readonly claims: readonly ClaimObject[];
  readonly volumes: readonly VolumeObject[];
}

const MODELS: Readonly<Record<string, readonly string[]>> = {
  'nvidia.com/gpu': ['h100', 'a100'],
  'google.com/tpu': ['v5e'],
  'amd.com/gpu': ['mi300x'],
};
const QUEUE = { 'berth.dev/queue': 'lab' };
const PLENTY = { nominal: 1_000_000 };

/** Where Berth lets pods run in a cluster like this one: its core, told what a driver would tell, with quota for all. */
export class BerthFeasibility {
  readonly #start: Snapshot;
  readonly #nodes: readonly NodeSpec[];

  constructor(private readonly objects: ClusterObjects) {
    this.#nodes = objects.nodes.map((node) => nodeSpecOf(node, DEFAULT_NODE_MAPPING).spec);
    const rig = new CoreRig();
    const models = Object.values(MODELS).flat();
    rig.tell(...models.map((name) => ({ kind: 'flavor-set', flavor: aFlavor(name) }) as const));
    const quotas = Object.fromEntries(models.map((name) => [name, PLENTY]));
    rig.tell({ kind: 'queue-set', queue: aQueue('lab', { quotas }) });
    rig.tell(...this.#nodes.map((node) => ({ kind: 'node-seen', node }) as const));
    for (const pod of objects.standing) this.#stand(rig, pod);
    this.#start = rig.scheduler.snapshot();
  }

  read(pod: PodObject): PodReading {
    const { claims, volumes } = this.objects;
    return podSetOf(pod, {
      flavors: { ofResource: (resource) => MODELS[resource], ofCpu: [] },
      storage: {
        claim: (_namespace, name) => claims.find(({ metadata }) => metadata.name === name),
        volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
        nodes: this.#nodes,
      },
    });
  }

  /** Would the pod be started, there and nowhere else? */
  allows(pod: PodObject, node: string): boolean {
    const workload = isGated(pod) ? undefined : this.#workloadOf(pod, this.read(pod));
    if (workload === undefined) return false;
    const rig = CoreRig.restored(this.#start, 1000);
    rig.submit(workload);
    rig.settle('only-commit');
    const seats = rig.startOf(workload.id)?.seats ?? [];
    return seats.length > 0 && seats.every((seat) => seat.node === node);
  }

  #workloadOf(pod: PodObject, reading: PodReading) {
    const member: GangMember = { pod, reading };
    const surroundings = { namespaceLabels: QUEUE, levelOf: () => undefined };
    const gang = gangOf(
      podMembership(pod, () => undefined),
      [member],
      surroundings,
    );
    return gang.kind === 'complete' ? gang.workload : undefined;
  }

  /** It is there already; what Berth cannot honour of it may concern its start alone. */
  #stand(rig: CoreRig, pod: PodObject): void {
    const { podSet } = this.read(pod);
    const workload = this.#workloadOf(pod, { podSet, unsupported: [] });
    const node = this.#nodes.find(({ name }) => name === pod.spec.nodeName);
    if (workload === undefined || node === undefined) throw new Error(`${pod.metadata.name} stands nowhere`);
    rig.submit({ ...workload, preemptible: false, incarnation: 1 });
    rig.tell({ kind: 'pod-adopted', seat: seatOf(workload, node), state: 'started' });
  }
}

function seatOf({ id: workload, podSets: [podSet] }: WorkloadSpec, node: NodeSpec): Seat {
  const { cpuMilli = 0, memoryMib = 0, devices } = podSet ?? {};
  return {
    pod: { workload, incarnation: 1, podSet: 'pods', index: 0 },
    node: node.name,
    slots: Array.from({ length: devices?.count ?? 0 }, (_, slot) => ({ slot, milli: 1000 })),
    cpuMilli,
    memoryMib,
  };
}
