import { isDeepStrictEqual } from 'node:util';
import type { Expected, LedgerView, PlacedPod } from '../cluster.js';
import type { ApiServer } from './api/api-server.js';
import type { KubeObject } from './api/kube-object.js';
import { resourcePath, type Resource } from './api/resource-path.js';
import { LEASES, LEASE_NAMESPACE, NODES, PODS } from './api/resources.js';
import { FoundSurroundings } from './found/found-surroundings.js';
import type { KubeLease, KubePod } from './kube-types.js';
import type { NodeMapping } from './nodes/node-mapping.js';
import { seenNodeOf, type SeenNode } from './nodes/node-watch.js';
import type { PlacedPods } from './pods/placed-pods.js';
import { orderNameOf } from './pods/pod-labels.js';
import { Reflector, type ReflectorTrouble } from './reflector/reflector.js';
import { seenPodOf, type SeenPod } from './seen-pod.js';
import type { Random, Timers } from './timers.js';

export interface ClusterViewOptions {
  readonly api: ApiServer;
  readonly timers: Timers;
  readonly random: Random;
  readonly report: (trouble: ReflectorTrouble) => void;
  readonly mapping: NodeMapping;
  /** By which it is known whose a pod is, when it is read. */
  readonly placed: PlacedPods;
}

/** All that the driver reads of its cluster, kept in step whether anybody is told of it or not. It writes nothing. */
export class ClusterView {
  readonly nodes: Reflector<SeenNode>;
  readonly leases: Reflector<KubeLease>;
  readonly pods: Reflector<SeenPod>;
  readonly surroundings: FoundSurroundings;
  private listed: Promise<unknown> | undefined;

  constructor(private readonly options: ClusterViewOptions) {
    const { api, mapping, placed } = options;
    this.nodes = this.reflector(NODES, {}, (object) => seenNodeOf(object, mapping));
    this.leases = this.reflector(LEASES, { namespace: LEASE_NAMESPACE }, (object) => object as unknown as KubeLease);
    this.pods = this.reflector(PODS, {}, (object) => seenPodOf(object as unknown as KubePod, placed));
    this.pods.onChange(({ kind, object: { uid } }) => {
      if (kind === 'deleted') placed.forget(uid);
    });
    this.surroundings = new FoundSurroundings({
      api,
      nodes: this.nodes,
      mapping,
      reflect: (resource, project) => this.reflector(resource, {}, project),
    });
  }

  /** Resolves when all of it has been listed once. */
  async start(): Promise<void> {
    const { nodes, leases, pods, surroundings } = this;
    this.listed ??= Promise.all([nodes.start(), leases.start(), pods.start(), surroundings.start()]);
    await this.listed;
  }

  async stop(): Promise<void> {
    const { nodes, leases, pods, surroundings } = this;
    await Promise.all([nodes.stop(), leases.stop(), pods.stop(), surroundings.stop()]);
  }

  /**
   * A watch may be behind what another scheduler has seen and noted: where something of that is missing here, it is listed
   * anew, so that it is missed only when it is gone. So it is where a pod was read as another than the ledger says it is,
   * which this one did not know.
   */
  async confirm({ nodes, pods }: Expected, { found, placed }: Pick<LedgerView, 'found' | 'placed'>): Promise<void> {
    const names = new Map<string, string>();
    const seen = new Map<string, SeenPod>();
    for (const [, pod] of this.pods.entries()) {
      seen.set(pod.uid, pod);
      if (pod.own !== undefined) names.set(pod.own.name, pod.uid);
    }
    const waiting = found.flatMap((workload) => Object.values(workload.pods).flat());
    const isBehind = pods.some((name) => !names.has(name)) || waiting.some(({ uid }) => !seen.has(uid));
    const isMisread = placed.some((pod) => {
      const named = names.get(orderNameOf(pod.pod));
      return (named !== undefined && named !== pod.uid) || !isReadAs(seen.get(pod.uid), pod);
    });
    const lacksNode = nodes.some((name) => this.nodes.get(name) === undefined);
    await Promise.all([(isBehind || isMisread) && this.pods.relist(), lacksNode && this.nodes.relist()]);
  }

  private reflector<T>(
    resource: Resource,
    { namespace }: { readonly namespace?: string },
    project: (object: KubeObject) => T,
  ): Reflector<T> {
    const { api, timers, random, report } = this.options;
    const path = resourcePath(resource, namespace === undefined ? {} : { namespace });
    return new Reflector({ api, timers, random, report, project, path });
  }
}

/** One that is not bound yet, or elsewhere, is known as it is. */
function isReadAs(seen: SeenPod | undefined, { pod, node, slots }: PlacedPod): boolean {
  if (seen?.tenant === undefined || seen.tenant.node !== node) return true;
  return seen.own?.name === orderNameOf(pod) && isDeepStrictEqual(seen.tenant.slots, slots);
}
