import { setTimeout as delay } from 'node:timers/promises';
import type { ApiServer } from './rig/api-server.js';
import { GPU_RESOURCE } from './rig/fake-nodes.js';

const AGAIN_MS = 100;

/** A change of a pod, as the API server tells it to whoever watches. */
interface PodChange {
  readonly atMs: number;
  readonly uid: string;
  readonly name: string;
  /** Absent: it starts alone. */
  readonly gang: string | undefined;
  /** Absent: it is not bound. */
  readonly node: string | undefined;
  readonly gpus: number;
  readonly cpuMilli: number;
  /** It takes nothing any more: it has ended, or it is deleted. */
  readonly isOver: boolean;
  /** It was deleted before it ended. */
  readonly isDeleted: boolean;
}

interface WatchedPod {
  readonly metadata: {
    readonly uid: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } }[];
  };
  readonly status?: { readonly phase?: string };
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly WatchedPod[];
}

/** A gang of which some pods were bound and others not, from its first binding to the last, or to the end of the watch. */
export interface PartlyBound {
  readonly gang: string;
  readonly ms: number;
  readonly bound: number;
}

export interface NodeSize {
  readonly gpus: number;
  readonly cpuMilli: number;
}

/** What happened to all pods, as the API server has told it; nothing of it is what Berth says. */
export class PodHistory {
  private readonly changes: PodChange[] = [];
  /** Of each pod, by uid. */
  private readonly latest = new Map<string, PodChange>();
  private readonly bound = new Set<string>();
  private readonly stopping = new AbortController();
  private watching: Promise<void> = Promise.resolve();

  static async begin(api: ApiServer, namespace: string): Promise<PodHistory> {
    const history = new PodHistory();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    history.watching = history.watch(api, path, await history.list(api, path));
    return history;
  }

  /** What came before is in it, what comes later not. */
  async end(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  /** Of gangs of these sizes, the longest first. A gang is bound once each of its pods was. */
  partlyBound(sizes: ReadonlyMap<string, number>): readonly PartlyBound[] {
    const bound = new Map<string, Set<string>>();
    const since = new Map<string, number>();
    const found: PartlyBound[] = [];
    for (const { gang, uid, node, atMs, isDeleted } of this.changes) {
      if (gang === undefined) continue;
      const pods = bound.get(gang) ?? new Set<string>();
      bound.set(gang, pods);
      // Where a pod that has ended was bound it stays so: the gang has been whole, or is still to be.
      if (isDeleted) pods.delete(uid);
      else if (node !== undefined) pods.add(uid);
      const isPart = pods.size > 0 && pods.size < (sizes.get(gang) ?? 0);
      const from = since.get(gang);
      if (isPart && from === undefined) since.set(gang, atMs);
      else if (!isPart && from !== undefined) {
        found.push({ gang, ms: atMs - from, bound: pods.size });
        since.delete(gang);
      }
    }
    const lastMs = performance.now();
    for (const [gang, from] of since) found.push({ gang, ms: lastMs - from, bound: bound.get(gang)?.size ?? 0 });
    return found.sort((a, b) => b.ms - a.ms);
  }

  /** Nodes that at some moment had more bound to them than they have. */
  overfull(size: NodeSize): readonly string[] {
    const pods = new Map<string, PodChange>();
    const used = new Map<string, { gpus: number; cpuMilli: number }>();
    const found = new Set<string>();
    const count = ({ node, gpus, cpuMilli, isOver }: PodChange, sign: 1 | -1): void => {
      if (node === undefined || isOver) return;
      const sum = used.get(node) ?? { gpus: 0, cpuMilli: 0 };
      sum.gpus += sign * gpus;
      sum.cpuMilli += sign * cpuMilli;
      used.set(node, sum);
      if (sum.gpus > size.gpus || sum.cpuMilli > size.cpuMilli) found.add(node);
    };
    for (const change of this.changes) {
      const before = pods.get(change.uid);
      if (before !== undefined) count(before, -1);
      count(change, 1);
      pods.set(change.uid, change);
    }
    return [...found].sort();
  }

  get boundPods(): number {
    return this.bound.size;
  }

  /** Names of the pods that stand where they were bound. */
  get standing(): readonly string[] {
    return [...this.latest.values()]
      .filter(({ node, isOver }) => node !== undefined && !isOver)
      .map(({ name }) => name);
  }

  /**
   * The API server ends a watch now and then, and dies in some tests: it goes on where that was. One that was started
   * again may remember no more than the present; then what was between is not known.
   */
  private async watch(api: ApiServer, path: string, from: string): Promise<void> {
    let resourceVersion = from;
    const { signal } = this.stopping;
    const see = (line: string): void => {
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: WatchedPod };
      if (type === 'ERROR') {
        resourceVersion = '';
        return;
      }
      resourceVersion = object.metadata.resourceVersion;
      this.note(changeOf(type, object));
    };
    while (!signal.aborted) {
      try {
        if (resourceVersion === '') resourceVersion = await this.list(api, path);
        await api.follow(`${path}?watch=true&resourceVersion=${resourceVersion}`, see, signal);
      } catch {
        await delay(AGAIN_MS); // it is away for now
      }
    }
  }

  /** All that are there, and that those are gone which are not. */
  private async list(api: ApiServer, path: string): Promise<string> {
    const list = await api.ask<PodList>({ method: 'GET', path });
    const there = new Set(list.items.map(({ metadata }) => metadata.uid));
    for (const change of this.latest.values()) {
      if (!there.has(change.uid) && !change.isOver) this.note({ ...change, isOver: true, isDeleted: true });
    }
    for (const pod of list.items) this.note(changeOf('LISTED', pod));
    return list.metadata.resourceVersion;
  }

  private note(change: PodChange): void {
    this.changes.push(change);
    this.latest.set(change.uid, change);
    if (change.node !== undefined) this.bound.add(change.uid);
  }
}

function changeOf(type: string, { metadata, spec, status }: WatchedPod): PodChange {
  const isDeleted = type === 'DELETED';
  const { phase } = status ?? {};
  const hasEnded = phase === 'Succeeded' || phase === 'Failed';
  const requests = spec.containers.map(({ resources }) => resources?.requests ?? {});
  return {
    atMs: performance.now(),
    uid: metadata.uid,
    name: metadata.name,
    gang: metadata.labels?.['berth.dev/gang'],
    node: spec.nodeName,
    gpus: requests.reduce((sum, request) => sum + Number(request[GPU_RESOURCE] ?? 0), 0),
    cpuMilli: requests.reduce((sum, { cpu = '0' }) => sum + milliOf(cpu), 0),
    isOver: isDeleted || hasEnded,
    isDeleted: isDeleted && !hasEnded,
  };
}

function milliOf(cpu: string): number {
  return cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000;
}
