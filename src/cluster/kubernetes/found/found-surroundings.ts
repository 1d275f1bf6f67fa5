import type { NodeName, TopologyLevel } from '../../../core/index.js';
import type { LedgerView } from '../../cluster.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer } from '../api/api-server.js';
import { DeviceFlavors } from './device-flavors.js';
import type { KubeObject } from '../api/kube-object.js';
import type { NodeMapping } from '../nodes/node-mapping.js';
import type { SeenNode } from '../nodes/node-watch.js';
import type { PodFlavors } from '../reading/pod-devices.js';
import type { ClaimObject, PodGroupObject, VolumeObject } from '../reading/pod-object.js';
import { BIND_COMPLETED, type Storage } from '../reading/pod-volumes.js';
import { QUEUE_LABEL, TEAM_LABEL } from './pod-membership.js';
import type { Reflector } from '../reflector/reflector.js';
import type { Resource } from '../api/resource-path.js';
import { CLAIMS, NAMESPACES, POD_GROUPS, VOLUMES } from '../api/resources.js';

/** What of the cluster, beside the pods themselves, says which workloads they make. */
export interface Surroundings {
  readonly storage: Storage;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  /** Absent: the cluster serves no pod groups. */
  readonly podGroup: ((namespace: string, name: string) => PodGroupObject | undefined) | undefined;
  readonly levelOf: (label: string) => TopologyLevel | undefined;
  readonly flavorsOf: (flavors: LedgerView['flavors']) => PodFlavors;
}

/** What has changed, for those whom it concerns; `devices` concern all. */
export type Topic = 'devices' | `${'namespace' | 'claim' | 'group'} ${string}`;

export interface FoundSurroundingsOptions {
  readonly api: Pick<ApiServer, 'get'>;
  readonly nodes: Reflector<SeenNode>;
  readonly mapping: NodeMapping;
  readonly reflect: <T>(resource: Resource, project: (object: KubeObject) => T) => Reflector<T>;
}

const HOSTNAME = 'kubernetes.io/hostname';

/** Keeps the surroundings of pods as the server has them, each object reduced to what is read of it. */
export class FoundSurroundings implements Surroundings {
  readonly storage: Storage;
  private readonly namespaces: Reflector<Readonly<Record<string, string>>>;
  private readonly claims: Reflector<ClaimObject>;
  private readonly volumes: Reflector<SeenVolume>;
  private readonly devices: DeviceFlavors;
  private readonly stopping = new AbortController();
  private readonly handlers = new Set<(topic: Topic) => void>();
  private groups: Reflector<PodGroupObject> | undefined;
  private nodesNow: Storage['nodes'] | undefined;

  constructor(private readonly options: FoundSurroundingsOptions) {
    const { nodes, mapping, reflect } = options;
    this.devices = new DeviceFlavors(mapping);
    this.namespaces = reflect(NAMESPACES, namespaceOf);
    this.claims = reflect(CLAIMS, claimOf);
    this.volumes = reflect(VOLUMES, volumeOf);
    const listNodes = (): Storage['nodes'] => (this.nodesNow ??= byName([...nodes.entries()].map(([, node]) => node)));
    this.storage = {
      claim: (namespace, name) => this.claims.get(`${namespace}/${name}`),
      volume: (name) => this.volumes.get(name)?.volume,
      get nodes() {
        return listNodes();
      },
    };
    nodes.onChange((change) => {
      this.nodesNow = undefined;
      const before = change.kind === 'changed' ? change.before : change.kind === 'deleted' ? change.object : undefined;
      const now = change.kind === 'deleted' ? undefined : change.object;
      if (this.devices.see(before?.mapped, now?.mapped)) this.changed('devices');
    });
    this.namespaces.onChange(({ key }) => {
      this.changed(`namespace ${key}`);
    });
    this.claims.onChange(({ key }) => {
      this.changed(`claim ${key}`);
    });
    this.volumes.onChange(({ object: { claim } }) => {
      if (claim !== undefined) this.changed(`claim ${claim}`);
    });
  }

  /** Returns how to leave. */
  onChange(handler: (topic: Topic) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  /** When it resolves, all of it is there. */
  async start(): Promise<void> {
    const { api, reflect } = this.options;
    const { signal } = this.stopping;
    if (await servesPodGroups(api, signal)) {
      this.groups = reflect(POD_GROUPS, podGroupOf);
      this.groups.onChange(({ key }) => {
        this.changed(`group ${key}`);
      });
    }
    if (signal.aborted) throw new Error('stopped before all of it was there');
    await Promise.all(this.reflectors.map((each) => each.start()));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.reflectors.map((each) => each.stop()));
  }

  private changed(topic: Topic): void {
    for (const handler of this.handlers) handler(topic);
  }

  private get reflectors(): readonly Pick<Reflector<unknown>, 'start' | 'stop'>[] {
    return [this.namespaces, this.claims, this.volumes, ...(this.groups === undefined ? [] : [this.groups])];
  }

  get podGroup(): Surroundings['podGroup'] {
    const { groups } = this;
    return groups === undefined ? undefined : (namespace, name) => groups.get(`${namespace}/${name}`);
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> {
    return this.namespaces.get(name) ?? {};
  }

  levelOf(label: string): TopologyLevel | undefined {
    if (label === HOSTNAME) return 'host';
    return this.options.mapping.topology.find((level) => level.label === label)?.level;
  }

  flavorsOf(flavors: LedgerView['flavors']): PodFlavors {
    return this.devices.flavorsOf(flavors);
  }
}

/** Whether the cluster has them at all: they are off by default. */
export async function servesPodGroups(api: Pick<ApiServer, 'get'>, signal?: AbortSignal): Promise<boolean> {
  const { group, version, plural } = POD_GROUPS;
  try {
    const { resources } = (await api.get(`/apis/${group}/${version}`, signal === undefined ? {} : { signal })) as {
      readonly resources: readonly { readonly name: string }[];
    };
    return resources.some(({ name }) => name === plural);
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return false;
    throw error;
  }
}

interface SeenVolume {
  readonly volume: VolumeObject;
  /** Whose it is, `namespace/name`. */
  readonly claim: string | undefined;
}

function byName(nodes: readonly SeenNode[]): readonly { readonly name: NodeName; readonly labels: Labels }[] {
  return nodes.map(({ mapped }) => mapped.spec).sort((a, b) => (a.name < b.name ? -1 : 1)); // by code units
}

type Labels = Readonly<Record<string, string>>;

function namespaceOf({ metadata }: KubeObject): Labels {
  return pick((metadata['labels'] ?? {}) as Labels, [QUEUE_LABEL, TEAM_LABEL]);
}

function claimOf(object: KubeObject): ClaimObject {
  const { metadata, spec, status } = object as unknown as ClaimObject;
  const { name, uid, annotations = {}, deletionTimestamp, ownerReferences = [] } = metadata;
  const { accessModes, volumeName } = spec;
  return {
    metadata: {
      name,
      uid,
      resourceVersion: '',
      annotations: pick(annotations, [BIND_COMPLETED]),
      ownerReferences: ownerReferences.map((owner) => ({ uid: owner.uid })),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    },
    spec: { ...(accessModes !== undefined && { accessModes }), ...(volumeName !== undefined && { volumeName }) },
    ...(status?.phase !== undefined && { status: { phase: status.phase } }),
  };
}

function volumeOf(object: KubeObject): SeenVolume {
  const { metadata, spec } = object as unknown as VolumeObject;
  const { name, uid, labels = {} } = metadata;
  const { nodeAffinity, claimRef } = spec;
  return {
    volume: {
      metadata: { name, uid, resourceVersion: '', labels },
      spec: nodeAffinity === undefined ? {} : { nodeAffinity },
    },
    claim: claimRef === undefined ? undefined : `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`,
  };
}

function podGroupOf(object: KubeObject): PodGroupObject {
  const { metadata, spec } = object as unknown as PodGroupObject;
  const { name, uid } = metadata;
  return { metadata: { name, uid, resourceVersion: '' }, spec };
}

function pick(labels: Labels, keys: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => keys.includes(key)));
}
