import type { FoundPod, FoundWorkload, LedgerView, Observation } from '../../src/cluster/cluster.js';
import { FoundGangs } from '../../src/cluster/kubernetes/found/found-gangs.js';
import type { Surroundings } from '../../src/cluster/kubernetes/found/found-surroundings.js';
import type { SeenFoundPod } from '../../src/cluster/kubernetes/found/seen-found-pod.js';
import type { PodNote } from '../../src/cluster/kubernetes/notes/pod-note.js';
import type { ClaimObject, PodGroupObject } from '../../src/cluster/kubernetes/reading/pod-object.js';
import { aPod, aPodGroup } from './kube-pods.js';
import { ManualTimers } from './manual-timers.js';

type Labels = Readonly<Record<string, string>>;
type PodWish = NonNullable<Parameters<typeof aPod>[0]>;

export const VIEW: LedgerView = {
  flavors: [],
  queues: [
    { name: 'lab', isLeaf: true },
    { name: 'root', isLeaf: false },
    { name: 'shop', team: 'retail', isLeaf: true },
  ],
  teams: ['default', 'retail'],
  found: [],
  placed: [],
};

/** The finder with all that it hears and says; time passes by `settle`. */
export class Finding {
  readonly timers = new ManualTimers();
  readonly observed: Observation[] = [];
  readonly notes: string[] = [];
  readonly namespaces = new Map<string, Labels>([['default', { 'berth.dev/queue': 'lab' }]]);
  readonly groups = new Map<string, PodGroupObject>();
  readonly claims = new Map<string, ClaimObject>();
  devices: readonly string[] = [];
  isFull = false;
  looks = 0;
  readonly gangs: FoundGangs;

  constructor({ podGroups = 'served' }: { readonly podGroups?: 'served' | 'unknown' } = {}) {
    const groups = this.groups;
    const surroundings: Surroundings = {
      storage: { claim: (_namespace, name) => this.claims.get(name), volume: () => undefined, nodes: [] },
      namespaceLabels: (namespace) => {
        this.looks += 1;
        return this.namespaces.get(namespace) ?? {};
      },
      podGroup: podGroups === 'served' ? (_namespace, name) => groups.get(name) : undefined,
      levelOf: () => undefined,
      flavorsOf: () => ({ ofCpu: [], ofResource: () => this.devices }),
    };
    this.gangs = new FoundGangs({
      timers: this.timers,
      surroundings,
      observe: (observation) => {
        if (this.isFull) throw new Error('the inbox is full');
        this.observed.push(observation);
      },
      note: (pods, note) => this.notes.push(saying(pods, note)),
    });
  }

  begin(view: LedgerView = VIEW): this {
    this.gangs.know(view);
    this.gangs.begin();
    return this.settle();
  }

  settle(): this {
    this.timers.advance(100);
    return this;
  }

  put(...wishes: readonly PodWish[]): this {
    for (const wish of wishes) this.gangs.see({ state: 'waiting', object: aPod(wish) });
    return this;
  }

  turn(state: Exclude<SeenFoundPod['state'], 'waiting'>, ...wishes: readonly PodWish[]): this {
    for (const wish of wishes) this.gangs.see({ state, object: aPod(wish) });
    return this;
  }

  remove(state: Exclude<SeenFoundPod['state'], 'waiting'>, ...wishes: readonly PodWish[]): this {
    for (const wish of wishes) this.gangs.delete({ state, object: aPod(wish) });
    return this;
  }

  /** As the ledger has them, should it have noted them all. */
  get toldOf(): readonly FoundWorkload[] {
    return this.observed.flatMap((one) => (one.kind === 'workload-found' ? [one] : []));
  }

  /** By the names of their pods, in the order in which they were told of. */
  get found(): readonly string[] {
    return this.observed.map((one) => {
      if (one.kind === 'workload-withdrawn') return `withdrawn: ${one.why}`;
      if (one.kind !== 'workload-found') return one.kind;
      return Object.values(one.pods)
        .map((pods) => pods.map(({ name }) => name).join('+'))
        .join('/');
    });
  }
}

function saying(pods: readonly FoundPod[], { reason, message }: PodNote): string {
  return `${pods.map(({ name }) => name).join('+')}: ${reason}: ${message}`;
}

export const named = (name: string, labels: Labels = {}): PodWish => ({ metadata: { name, labels } });
export const ganged = (name: string, size = 2): PodWish =>
  named(name, { 'berth.dev/gang': 'g', 'berth.dev/gang-size': String(size) });
export const grouped = (name: string): PodWish => ({
  metadata: { name },
  spec: { schedulingGroup: { podGroupName: 'g' } },
});
export const gangOfMin = (minCount: number) => aPodGroup('g', { schedulingPolicy: { gang: { minCount } } });
export const foundOf = (...names: readonly string[]) => ({
  workload: 'w',
  pods: { pods: names.map((name) => ({ namespace: 'default', name, uid: `uid-${name}` })) },
});
