import { StatusError } from '../../src/cluster/kubernetes/api/api-error.js';
import type { Patch } from '../../src/cluster/kubernetes/api/api-server.js';
import type { KubeCondition } from '../../src/cluster/kubernetes/kube-types.js';
import { unboundPodOf, type UnboundPod } from '../../src/cluster/kubernetes/pods/unbound-pod.js';
import type { FoundPod } from '../../src/cluster/cluster.js';

interface StoredPod extends FoundPod {
  version: number;
  node?: string;
  conditions: readonly KubeCondition[];
}

interface StatusPatch {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
  readonly status: { readonly conditions: readonly KubeCondition[] };
}

interface StoredEvent {
  readonly metadata: { readonly name: string };
  readonly involvedObject: { readonly uid: string };
  readonly [field: string]: unknown;
}

export function aFoundPod(name: string): FoundPod {
  return { namespace: 'team', name, uid: `uid-${name}` };
}

/** Pods and their events as the API server keeps them, with a watch that may be behind. */
export class NotedPodsServer {
  /** That had an effect. */
  writes = 0;
  isWatchBehind = false;
  beforeNextWrite: (() => void) | undefined;
  private readonly pods = new Map<string, StoredPod>();
  private readonly watched = new Map<string, StoredPod>();
  private readonly events = new Map<string, StoredEvent>();
  private version = 100;
  private failures: StatusError[] = [];
  private refused: (() => void)[] = [];

  constructor(pods: readonly FoundPod[]) {
    this.add(pods);
  }

  add(pods: readonly FoundPod[]): void {
    for (const pod of pods) this.store({ ...pod, version: 0, conditions: [{ type: 'Ready', status: 'False' }] });
  }

  /** As a binding does it. */
  bind(pod: FoundPod, node: string): void {
    const stored = this.podOf(pod.name);
    this.store({ ...stored, node, conditions: merged(stored.conditions, [{ type: 'PodScheduled', status: 'True' }]) });
  }

  touch(pod: FoundPod): void {
    this.store(this.podOf(pod.name));
  }

  /** The next calls are refused. */
  fail(calls: number, code: number, cause = ''): void {
    const causes = [{ reason: cause, field: '', message: '' }];
    const fields = { code, reason: '', retryAfterMs: undefined, causes };
    this.failures = Array.from({ length: calls }, () => new StatusError(`refused with ${code}`, fields));
  }

  async nextRefusal(): Promise<void> {
    return new Promise((resolve) => this.refused.push(resolve));
  }

  unboundPod({ name, uid }: FoundPod): UnboundPod | undefined {
    const seen = (this.isWatchBehind ? this.watched : this.pods).get(name);
    if (seen?.uid !== uid) return undefined;
    const { node: nodeName, conditions, version } = seen;
    const metadata = { name, uid, resourceVersion: String(version) };
    return unboundPodOf({ metadata, spec: nodeName === undefined ? {} : { nodeName }, status: { conditions } });
  }

  conditionsOf(pod: FoundPod): readonly KubeCondition[] {
    return this.podOf(pod.name).conditions;
  }

  scheduledOf(pod: FoundPod): KubeCondition | undefined {
    return this.conditionsOf(pod).find(({ type }) => type === 'PodScheduled');
  }

  eventsOf(pod: FoundPod): readonly StoredEvent[] {
    return [...this.events.values()].filter(({ involvedObject }) => involvedObject.uid === pod.uid);
  }

  async patch(path: string, { type, body }: Patch): Promise<unknown> {
    await Promise.resolve();
    this.beforeNextWrite?.();
    this.beforeNextWrite = undefined;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const pod = /^\/api\/v1\/namespaces\/team\/pods\/([^/]+)\/status$/.exec(path)?.[1];
    if (pod !== undefined && type === 'strategic') this.patchStatus(this.podOf(pod), body as StatusPatch);
    else if (type === 'apply') this.events.set(path, body as StoredEvent);
    else throw new Error(`unexpected ${type} of ${path}`);
    this.writes += 1;
    return undefined;
  }

  private patchStatus(stored: StoredPod, { metadata, status }: StatusPatch): void {
    if (metadata.uid !== stored.uid || metadata.resourceVersion !== String(stored.version)) {
      for (const tell of this.refused.splice(0)) tell();
      throw new StatusError('changed', { code: 409, reason: 'Conflict', retryAfterMs: undefined, causes: [] });
    }
    this.store({ ...stored, conditions: merged(stored.conditions, status.conditions) });
  }

  private store(pod: StoredPod): void {
    this.version += 1;
    const stored = { ...pod, version: this.version };
    this.pods.set(pod.name, stored);
    if (!this.isWatchBehind) this.watched.set(pod.name, stored);
  }

  private podOf(name: string): StoredPod {
    const stored = this.pods.get(name);
    if (stored === undefined) throw new Error(`there is no pod ${name}`);
    return stored;
  }
}

/** A strategic merge: items with the same key become one. */
function merged(old: readonly KubeCondition[], changed: readonly KubeCondition[]): readonly KubeCondition[] {
  const types = new Set([...old, ...changed].map(({ type }) => type));
  return [...types].map((type) => {
    const [before, after] = [old, changed].map((list) => list.find((condition) => condition.type === type));
    // A binding sets a condition as a whole.
    return after?.status === 'True' ? after : { ...before, ...(after as KubeCondition) };
  });
}
