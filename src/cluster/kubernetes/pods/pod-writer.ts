import type { PodCreation, PodOrder } from '../../cluster.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer } from '../api/api-server.js';
import type { KubePod } from '../kube-types.js';
import { podRefOf } from './pod-labels.js';
import type { PodManifests } from './pod-manifest.js';
import { resourcePath, type Resource } from '../api/resource-path.js';
import { PODS, SECRETS, SERVICES } from '../api/resources.js';

/** Refused for good by the API server. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/**
 * Writes the objects of a pod, in an order that is safe at any interruption (ADR 21): each step finds what an earlier
 * try has done. Throws what may be tried again.
 */
export class PodWriter {
  constructor(private readonly api: ApiServer) {}

  async write(order: PodOrder, { pod, secret, service }: PodManifests): Promise<PodCreation> {
    try {
      const written = await this.createPod(order, pod);
      const { uid, deletionTimestamp } = written.metadata;
      // It was created, and bound, by an earlier try; or it is being deleted, and its end will be observed.
      if (written.spec?.nodeName === order.node || deletionTimestamp !== undefined) return { kind: 'created' };
      await this.apply(SECRETS, order.team, secret(uid));
      if (service !== undefined) await this.apply(SERVICES, order.team, service(uid));
      await this.bind(order, uid);
      return { kind: 'created' };
    } catch (error) {
      const why = error instanceof RefusedError ? error.message : whyForGood(error, order);
      if (why === undefined) throw error;
      return { kind: 'refused', why, retry: 'never' };
    }
  }

  private async createPod(order: PodOrder, manifest: object): Promise<KubePod> {
    try {
      const path = resourcePath(PODS, { namespace: order.team });
      return (await this.api.create(path, manifest, { answer: 'read' })) as KubePod;
    } catch (error) {
      if (!(error instanceof StatusError && error.code === 409)) throw error;
      return this.readBack(order, error);
    }
  }

  /** Something has the name: the pod of an earlier try, or a stranger. */
  private async readBack(order: PodOrder, conflict: StatusError): Promise<KubePod> {
    if (conflict.reason !== 'AlreadyExists') throw conflict;
    const found = (await this.api.get(resourcePath(PODS, { namespace: order.team, name: order.name }))) as KubePod;
    const ref = podRefOf(found);
    const { workload, incarnation, podSet, index } = order.pod;
    const isSame =
      ref?.workload === workload && ref.incarnation === incarnation && ref.podSet === podSet && ref.index === index;
    if (!isSame)
      throw new RefusedError(`pod ${order.name} of namespace ${order.team} exists, and is not Berth's: delete it`);
    this.refuseElsewhere(order, found);
    return found;
  }

  private async bind(order: PodOrder, uid: string): Promise<void> {
    const { name, team: namespace, node } = order;
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target };
    try {
      await this.api.create(resourcePath(PODS, { namespace, name, subresource: 'binding' }), body);
    } catch (error) {
      if (!(error instanceof StatusError && error.code === 409)) throw error;
      const found = (await this.api.get(resourcePath(PODS, { namespace, name }))) as KubePod;
      if (found.metadata.uid === uid && found.spec?.nodeName === node) return;
      this.refuseElsewhere(order, found);
      throw error;
    }
  }

  private refuseElsewhere({ name, node }: PodOrder, { spec = {} }: KubePod): void {
    if (spec.nodeName !== undefined && spec.nodeName !== node)
      throw new RefusedError(`pod ${name} was bound to node ${spec.nodeName} by somebody else`);
  }

  private async apply(resource: Resource, namespace: string, body: object): Promise<void> {
    const { name } = (body as { readonly metadata: { readonly name: string } }).metadata;
    await this.api.patch(resourcePath(resource, { namespace, name }), { type: 'apply', body, conflicts: 'take' });
  }
}

/** Absent: it may be tried again. A namespace that is over its quota may have room later. */
function whyForGood(error: unknown, { team, name }: PodOrder): string | undefined {
  if (!(error instanceof StatusError)) return undefined;
  const { code, message } = error;
  if (code === 404 && message.includes(`namespaces "${team}" not found`))
    return `there is no namespace ${team} for this team: create it`;
  const isForbidden = code === 403 && message.includes('violates PodSecurity');
  if (code === 400 || code === 413 || code === 422 || isForbidden)
    return `the API server refuses pod ${name}: ${message}`;
  return undefined;
}
