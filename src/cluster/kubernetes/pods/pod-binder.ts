import type { BindOrder, FoundPod, PodCreation } from '../../cluster.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer } from '../api/api-server.js';
import type { KubePod } from '../kube-types.js';
import { bindingAnnotations, isPlacedBy, placedRefOf } from './placed-annotation.js';
import { resourcePath } from '../api/resource-path.js';
import { PODS } from '../api/resources.js';

/**
 * Binds pods that others made. A binding is one write, which the API server takes once; so when it does not take it, the
 * pod itself says what an earlier try has done. Throws what may be tried again.
 */
export class PodBinder {
  /** Bound, perhaps, and not yet seen to be. */
  private readonly unseen = new Map<string, BindOrder>();

  constructor(private readonly api: ApiServer) {}

  async bind(order: BindOrder): Promise<PodCreation> {
    this.unseen.set(order.name, order);
    const answer = await this.write(order);
    if (answer.kind === 'refused') this.unseen.delete(order.name);
    return answer;
  }

  isUnseen(name: string): boolean {
    return this.unseen.has(name);
  }

  /** The watch shows the pod of this order as bound. */
  see(name: string): void {
    this.unseen.delete(name);
  }

  /** The pod of this order, if it is bound and the watch does not know it yet. */
  async findUnseen(name: string): Promise<FoundPod | undefined> {
    const order = this.unseen.get(name);
    if (order === undefined) return undefined;
    const pod = await this.read(order.found);
    if (pod !== undefined && isPlacedBy(pod, order)) return order.found;
    this.unseen.delete(name);
    return undefined;
  }

  private async write(order: BindOrder): Promise<PodCreation> {
    const { name, namespace, uid } = order.found;
    const metadata = { name, namespace, uid, annotations: bindingAnnotations(order) };
    const target = { apiVersion: 'v1', kind: 'Node', name: order.node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata, target };
    try {
      await this.api.create(resourcePath(PODS, { namespace, name, subresource: 'binding' }), body);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return this.judge(order, error);
    }
    return { kind: 'created' };
  }

  private async judge(order: BindOrder, error: StatusError): Promise<PodCreation> {
    const what = `pod ${order.found.name} of namespace ${order.found.namespace}`;
    const { code, message } = error;
    if (code === 404) return refuse(`${what} was deleted`);
    // A policy of the cluster, perhaps, which may change: kube-scheduler tries again, too.
    if (code === 400 || code === 413 || code === 422)
      return { kind: 'refused', why: `the API server refuses to bind ${what}: ${message}`, retry: 'elsewhere' };
    if (code !== 409) throw error;
    const pod = await this.read(order.found);
    const node = pod?.spec?.nodeName;
    const placed = pod && placedRefOf(pod);
    // By an earlier try; or by one that was given up, and came late to where the pod is to go now.
    if (placed !== undefined && node === order.node) return { kind: 'created' };
    const who = placed === undefined ? 'somebody else' : `Berth as incarnation ${placed.incarnation}, and runs there`;
    if (node !== undefined) return refuse(`${what} was bound to node ${node} by ${who}`);
    // One that is being deleted is bound no more.
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return refuse(`${what} was deleted`);
    throw error;
  }

  /** Absent: it is gone, whatever has its name now. */
  private async read({ namespace, name, uid }: FoundPod): Promise<KubePod | undefined> {
    try {
      const pod = (await this.api.get(resourcePath(PODS, { namespace, name }))) as KubePod;
      return pod.metadata.uid === uid ? pod : undefined;
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  }
}

function refuse(why: string): PodCreation {
  return { kind: 'refused', why, retry: 'never' };
}
