import type { NodeName, PodSetSpec } from '../../../core/index.js';
import { podAffinity } from './pod-affinity.js';
import type { PodFlavors } from './pod-devices.js';
import { podDevices } from './pod-devices.js';
import { podHostPorts } from './pod-host-ports.js';
import { podNodeAffinity } from './pod-node-affinity.js';
import type { PodObject } from './pod-object.js';
import type { Amounts } from './pod-requests.js';
import { amountsOf, podRequests } from './pod-requests.js';
import { podTolerations } from './pod-tolerations.js';
import { podTopologySpread } from './pod-topology-spread.js';
import type { Storage } from './pod-volumes.js';
import { podVolumeNodes } from './pod-volumes.js';
import type { Refuse, Unsupported } from './unsupported.js';

/** What of the cluster a pod is read against. */
export interface PodSurroundings {
  readonly flavors: PodFlavors;
  readonly storage: Storage;
}

export interface PodReading {
  /** One such pod. Not to be scheduled unless `unsupported` is empty: it would be placed wrongly. */
  readonly podSet: PodSetSpec;
  readonly unsupported: readonly Unsupported[];
}

/**
 * A pod of Kubernetes as the core sees it: what it asks of a node, with the meaning that kube-scheduler 1.37 gives it
 * (`test/kubernetes/feasibility-oracle.test.ts` holds the two against each other). The pod must be as stored: the API
 * server fills in defaults that are not repeated here.
 */
export function podSetOf(pod: PodObject, { flavors, storage }: PodSurroundings): PodReading {
  const unsupported: Unsupported[] = [];
  const refuse: Refuse = (field, why, reason) => {
    unsupported.push({ field: `spec.${field}`, why, ...(reason !== undefined && { reason }) });
  };
  const { metadata, spec } = pod;
  if ((spec.resourceClaims ?? []).length > 0) refuse('resourceClaims', 'Berth does not allocate claims of devices');
  const requests = podRequests(spec);
  const podSet = {
    name: 'pods',
    count: 1,
    minCount: 1,
    ...sizeOf(requests, amountsOf(spec.overhead)),
    ...podDevices(requests, flavors, refuse),
    ...podNodeAffinity(spec, refuse),
    ...volumeNodes(podVolumeNodes(pod, storage, refuse)),
    namespace: metadata.namespace,
    labels: metadata.labels ?? {},
    ...rules(pod, refuse),
    tolerations: podTolerations(spec, refuse),
    start: 'together',
    onLoss: 'restart-all',
  } as const;
  return { podSet, unsupported };
}

/** The sum is what kube-scheduler counts with, so only it is rounded up. */
function sizeOf(requests: Amounts, overhead: Amounts): Pick<PodSetSpec, 'cpuMilli' | 'memoryMib' | 'overhead'> {
  const [cpuMilli, memory] = [requests.get('cpu') ?? 0, requests.get('memory') ?? 0];
  const memoryMib = inMib(memory);
  if (overhead.size === 0) return { cpuMilli, memoryMib };
  const withOverhead = inMib(memory + (overhead.get('memory') ?? 0));
  return {
    cpuMilli,
    memoryMib,
    overhead: { cpuMilli: overhead.get('cpu') ?? 0, memoryMib: withOverhead - memoryMib },
  };
}

const BYTES_PER_MIB = 2 ** 20;

function inMib(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_MIB);
}

function volumeNodes(nodes: readonly NodeName[] | undefined): Pick<PodSetSpec, 'volumeNodes'> {
  return nodes === undefined ? {} : { volumeNodes: nodes };
}

/** What looks beyond the node. */
function rules(
  pod: PodObject,
  refuse: Refuse,
): Pick<PodSetSpec, 'hostPorts' | 'podAffinity' | 'podAntiAffinity' | 'topologySpread'> {
  const hostPorts = podHostPorts(pod.spec);
  const topologySpread = podTopologySpread(pod, refuse);
  return {
    ...(hostPorts.length === 0 ? {} : { hostPorts }),
    ...podAffinity(pod.spec, refuse),
    ...(topologySpread.length === 0 ? {} : { topologySpread }),
  };
}
