import type { FoundPod, LedgerView, Observation } from '../cluster.js';
import type { ApiServer } from './api/api-server.js';
import { resourcePath } from './api/resource-path.js';
import { PODS } from './api/resources.js';
import type { ClusterView } from './cluster-view.js';
import { FoundGangs } from './found/found-gangs.js';
import { NodeWatch } from './nodes/node-watch.js';
import { PodNotes } from './notes/pod-notes.js';
import { ForeignUse } from './pods/foreign-use.js';
import type { PodBinder } from './pods/pod-binder.js';
import type { PodLogs } from './pods/pod-logs.js';
import { PodWatch } from './pods/pod-watch.js';
import type { ReflectorTrouble } from './reflector/reflector.js';
import type { SeenPod } from './seen-pod.js';
import type { Random, Timers } from './timers.js';

export interface ClusterWatchOptions {
  readonly api: ApiServer;
  readonly timers: Timers;
  readonly random: Random;
  readonly report: (trouble: ReflectorTrouble) => void;
  readonly wallMs: () => number;
  readonly view: ClusterView;
  readonly ledger: LedgerView | undefined;
  readonly binder: PodBinder;
  readonly logs: PodLogs;
  readonly observe: (observation: Observation) => void;
}

const LOOK_MS = 2000;

/** Tells what happens in a view of the cluster while this scheduler leads: those who watch it, each for a part. */
export class ClusterWatch {
  readonly nodes: NodeWatch;
  readonly pods: PodWatch;
  readonly foreign: ForeignUse;
  readonly found: FoundGangs;
  readonly notes: PodNotes;
  private readonly stopping = new AbortController();
  private leave: readonly (() => void)[] = [];
  private looking: Promise<void> | undefined;

  constructor(private readonly options: ClusterWatchOptions) {
    const { api, timers, view, ledger, binder, logs } = options;
    const observe = (observation: Observation): void => {
      this.tell(observation);
    };
    this.foreign = new ForeignUse({
      timers,
      observe,
      devicesOf: (node) => view.nodes.get(node)?.mapped.devices ?? [],
    });
    this.found = new FoundGangs({
      timers,
      surroundings: view.surroundings,
      observe,
      note: (pods, note) => {
        this.notes.show(pods, note);
      },
    });
    if (ledger !== undefined) this.found.know(ledger);
    this.nodes = new NodeWatch({ api, timers, nodes: view.nodes, leases: view.leases, observe });
    this.pods = new PodWatch({
      observe,
      logTail: (pod) => logs.tail(pod),
      stateOf: (node) => this.nodes.stateOf(node),
      awaited: new Set(foundPodsOf(ledger).map(({ uid }) => uid)),
      isBinding: (name) => binder.isUnseen(name),
    });
    this.notes = this.notesOn(view);
  }

  isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Tells all nodes at once, and from then on what changes; pods only after the present turn. The view is complete. */
  begin(): void {
    const { view } = this.options;
    for (const [, pod] of view.pods.entries()) this.see('here', pod);
    this.leave = [
      view.pods.onChange(({ kind, object }) => {
        this.see(kind === 'deleted' ? 'deleted' : 'here', object);
      }),
      view.surroundings.onChange((topic) => {
        this.found.concern(topic);
      }),
    ];
    this.nodes.begin();
    this.foreign.look();
    // The list comes first; then the state of each pod is told as it is, an end with its output.
    setImmediate(() => {
      if (this.isStopped()) return;
      this.found.begin();
      this.looking = this.lookUntilStopped();
    });
  }

  /** Nothing is told from here on; the view goes on. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const each of this.leave) each();
    this.nodes.stop();
    this.foreign.stop();
    this.found.stop();
    await this.notes.stop();
    await this.looking;
  }

  private tell(observation: Observation): void {
    if (this.isStopped()) throw new Error('the Kubernetes driver is stopping');
    // Then the node proves nothing, and each of its pods is gone when its kubelet says so.
    if (observation.kind === 'node-fenced' && this.pods.hasFoundOn(observation.node)) return;
    this.options.observe(observation);
    if (observation.kind === 'node-seen') this.foreign.nodeSeen(observation.node.name);
    if (observation.kind === 'node-removed') this.foreign.nodeRemoved(observation.node);
  }

  private see(kind: 'here' | 'deleted', { uid, own, tenant, unbound, seeking }: SeenPod): void {
    const { found, foreign, notes, pods } = this;
    if (seeking !== undefined && kind === 'deleted') found.delete(seeking);
    else if (seeking !== undefined) found.see(seeking);
    foreign.see(uid, kind === 'deleted' ? undefined : tenant);
    if (kind === 'deleted' || unbound === undefined) notes.forget(uid);
    if (own === undefined) return;
    if (kind === 'deleted') pods.delete(own);
    else pods.see(own);
    this.options.binder.see(own.name);
    if (this.looking !== undefined) pods.lookAt(own.name);
  }

  private async lookUntilStopped(): Promise<void> {
    const { timers, report } = this.options;
    const { signal } = this.stopping;
    while (!this.isStopped()) {
      try {
        this.pods.look();
        this.foreign.look();
        this.found.look();
        await this.nodes.look(signal);
      } catch (error) {
        // Whoever observes is full: it is told at the next look.
        if (!this.isStopped()) report({ what: 'handler-failed', path: 'observations', error, retryInMs: LOOK_MS });
      }
      await timers.sleep(LOOK_MS, signal);
    }
  }

  private notesOn(view: ClusterView): PodNotes {
    const { api, timers, random, wallMs, report } = this.options;
    return new PodNotes({
      ...{ api, timers, random, wallMs },
      report: (error) => {
        report({ what: 'note-failed', path: resourcePath(PODS), error });
      },
      unboundPod: ({ namespace, name, uid }) => {
        const seen = view.pods.get(`${namespace}/${name}`);
        return seen?.uid === uid ? seen.unbound : undefined;
      },
    });
  }
}

function foundPodsOf(ledger: LedgerView | undefined): readonly FoundPod[] {
  return ledger?.found.flatMap(({ pods }) => Object.values(pods).flat()) ?? [];
}
