import { setTimeout as delay } from 'node:timers/promises';
import type { NodeName, WorkloadId } from '../../core/index.js';
import {
  Cluster,
  type BindOrder,
  type Expected,
  type FoundPod,
  type LedgerView,
  type LogOptions,
  type Observation,
  type PodCreation,
  type PodOrder,
  type PodSeen,
  type WorkloadWait,
} from '../cluster.js';
import { OneAtATime } from '../one-at-a-time.js';
import { StatusError } from './api/api-error.js';
import type { ApiServer } from './api/api-server.js';
import { ClusterView } from './cluster-view.js';
import { ForeignUse } from './pods/foreign-use.js';
import { FoundGangs } from './found/found-gangs.js';
import { DEFAULT_NODE_MAPPING, type NodeMapping } from './nodes/node-mapping.js';
import { NodeWatch, type SeenNode } from './nodes/node-watch.js';
import { PlacedPods } from './pods/placed-pods.js';
import { PodBinder } from './pods/pod-binder.js';
import { evict } from './pods/pod-eviction.js';
import { PodLogs } from './pods/pod-logs.js';
import { podManifests } from './pods/pod-manifest.js';
import { PodNotes } from './notes/pod-notes.js';
import { DEFAULT_POD_SETTINGS, type PodSettings } from './pods/pod-settings.js';
import { PodWatch, type OwnPod } from './pods/pod-watch.js';
import { PodWriter } from './pods/pod-writer.js';
import type { Reflector, ReflectorTrouble } from './reflector/reflector.js';
import { resourcePath } from './api/resource-path.js';
import { LABEL, MANAGER } from './pods/pod-labels.js';
import { PODS } from './api/resources.js';
import type { SeenPod } from './seen-pod.js';
import type { Random, Timers } from './timers.js';
import { noteOf } from './notes/wait-note.js';

export interface KubernetesClusterOptions {
  readonly api: ApiServer;
  readonly timers: Timers;
  readonly random: Random;
  /** For the log; the driver goes on by itself. */
  readonly report: (trouble: ReflectorTrouble) => void;
  readonly mapping?: NodeMapping;
  readonly pods?: PodSettings;
  /** Milliseconds since 1970, for what people are shown; those of this machine by default. */
  readonly wallMs?: () => number;
}

const LOOK_MS = 2000;
const LOG_POLL_MS = 250;

/**
 * The driver whose nodes and pods are those of a Kubernetes cluster. All that it knows it reads from there, so that it
 * may be killed at any moment: pods run on, and the next one finds them by their labels.
 */
export class KubernetesCluster extends Cluster {
  private readonly mapping: NodeMapping;
  private readonly settings: PodSettings;
  private readonly writer: PodWriter;
  private readonly binder: PodBinder;
  private readonly logs: PodLogs;
  private readonly placed = new PlacedPods();
  private ledger: LedgerView | undefined;
  /** Orders that are being carried out, by the name of the pod. */
  private readonly creating = new OneAtATime<PodCreation>();
  private running: Running | undefined;
  /** Outlives whoever tells of it, while another leads. */
  private view: ClusterView | undefined;

  constructor(private readonly options: KubernetesClusterOptions) {
    super();
    this.mapping = options.mapping ?? DEFAULT_NODE_MAPPING;
    this.settings = options.pods ?? DEFAULT_POD_SETTINGS;
    this.writer = new PodWriter(options.api);
    this.binder = new PodBinder(options.api);
    this.logs = new PodLogs(options);
  }

  override know(ledger: LedgerView): void {
    this.ledger = ledger;
    this.placed.know(ledger.placed);
    this.running?.found.know(ledger);
  }

  override showWaits(waits: readonly WorkloadWait[]): void {
    if (this.running === undefined) return;
    const { found, notes } = this.running;
    for (const wait of waits) notes.show(found.podsOf(wait.workload), noteOf(wait));
  }

  override releaseFound(workloads: readonly WorkloadId[]): void {
    for (const workload of workloads) this.running?.found.release(workload);
  }

  async start(
    observe: (observation: Observation) => void,
    expected: Expected = { nodes: [], pods: [] },
  ): Promise<readonly PodSeen[]> {
    if (this.running !== undefined) throw new Error('the Kubernetes driver has been started already');
    const view = this.keepView();
    const running = this.assemble(view, observe);
    this.running = running;
    const { watch, pods, foreign, found, stopping } = running;
    try {
      await view.start();
      await view.confirm(expected, this.ledger ?? { found: [], placed: [] });
      if (stopping.signal.aborted) throw new Error('the Kubernetes driver was stopped while it started');
      running.begin();
      watch.begin();
      foreign.look();
    } catch (error) {
      await this.stop();
      throw error;
    }
    // The list comes first; then the state of each pod is told as it is, an end with its output.
    setImmediate(() => {
      if (!stopping.signal.aborted) found.begin();
      running.looking = this.lookUntil(running, stopping.signal);
    });
    return pods.list();
  }

  /** Reads on what it reads, so that the next one to lead needs no list. */
  override async follow(): Promise<void> {
    await this.endTelling();
    const view = this.keepView();
    view.start().catch(async (error: unknown) => {
      this.options.report({ what: 'list-failed', path: 'all that is read', error });
      if (this.view === view) this.view = undefined; // whoever starts begins anew
      await view.stop();
    });
  }

  async createPod(order: PodOrder): Promise<PodCreation> {
    return this.creating.do(order.name, () => this.create(order));
  }

  override async bindPod(order: BindOrder): Promise<PodCreation> {
    return this.creating.do(order.name, () => this.bind(order));
  }

  /** One that nobody would make again, and of whose gang nobody waits for it, is left to whoever made it. */
  override async disown(names: readonly string[]): Promise<void> {
    const { pods, foreign, found } = this.started();
    for (const name of names) {
      const own = pods.find(name)?.pod;
      if (own === undefined && (await this.binder.findUnseen(name)) !== undefined)
        throw new Error('it was bound a moment ago, and is not seen yet');
      if (own === undefined) continue;
      const { uid } = own.object;
      foreign.disown(uid);
      if (!own.isBare) continue;
      this.placed.leave(uid);
      pods.forget(name);
      found.leave(own.object);
    }
  }

  async deletePod(name: string): Promise<'stopping' | 'unknown'> {
    await this.creating.end(name);
    const { pods } = this.started();
    const known = pods.find(name);
    if (known?.isDeleted === true) return known.hasGone ? 'unknown' : 'stopping';
    if (known?.pod.origin === 'found') return this.evict(known.pod, known.hasGone ? 'gone' : 'here');
    const bound = known === undefined ? await this.binder.findUnseen(name) : undefined;
    if (bound !== undefined) {
      await evict(this.options.api, bound);
      return 'stopping';
    }
    const { namespace, uid } = known?.pod.object ?? (await this.findUnseen(name)) ?? {};
    if (namespace === undefined || uid === undefined) return 'unknown';
    const hasGone = known?.hasGone ?? false;
    try {
      await this.options.api.delete(resourcePath(PODS, { namespace, name }), {
        preconditions: { uid },
        ...(hasGone && { gracePeriodSeconds: 0 }),
      });
    } catch (error) {
      // Deleted, or another by now: the watch is about to say so.
      if (!(error instanceof StatusError && (error.code === 404 || error.code === 409))) throw error;
    }
    return hasGone ? 'unknown' : 'stopping';
  }

  /** Nothing for an unknown pod: its output is gone with it. */
  async *readLogs(name: string, options: LogOptions): AsyncGenerator<string, void, undefined> {
    const { follow, signal } = options;
    while (follow && this.waitsToStart(name) && !isAborted(signal)) await delay(LOG_POLL_MS);
    const pod = this.running?.pods.find(name)?.pod;
    if (pod !== undefined && !isAborted(signal)) yield* this.logs.read(pod, options);
  }

  /** Pods run on: they are the cluster's, and not this server's. */
  async stop(): Promise<void> {
    await this.endTelling();
    const { view } = this;
    this.view = undefined;
    await view?.stop();
  }

  private async endTelling(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    running.stopping.abort();
    running.end();
    running.watch.stop();
    running.foreign.stop();
    running.found.stop();
    await running.notes.stop();
    await this.creating.endAll();
    await running.looking;
  }

  private keepView(): ClusterView {
    this.view ??= new ClusterView({ ...this.options, mapping: this.mapping, placed: this.placed });
    return this.view;
  }

  private podsFound(): readonly FoundPod[] {
    return this.ledger?.found.flatMap(({ pods }) => Object.values(pods).flat()) ?? [];
  }

  private assemble(view: ClusterView, observe: (observation: Observation) => void): Running {
    const { api, timers } = this.options;
    const stopping = new AbortController();
    const { nodes, leases, surroundings } = view;
    const tell = (observation: Observation): void => {
      if (stopping.signal.aborted) throw new Error('the Kubernetes driver is stopping');
      // Then the node proves nothing, and each of its pods is gone when its kubelet says so.
      if (observation.kind === 'node-fenced' && pods.hasFoundOn(observation.node)) return;
      observe(observation);
      if (observation.kind === 'node-seen') foreign.nodeSeen(observation.node.name);
      if (observation.kind === 'node-removed') foreign.nodeRemoved(observation.node);
    };
    const foreign = new ForeignUse({
      timers,
      observe: tell,
      devicesOf: (node) => nodes.get(node)?.mapped.devices ?? [],
    });
    const found = new FoundGangs({
      timers,
      surroundings,
      observe: tell,
      note: (pods, note) => {
        notes.show(pods, note);
      },
    });
    if (this.ledger !== undefined) found.know(this.ledger);
    const watch = new NodeWatch({ api, timers, nodes, leases, observe: tell });
    const pods = new PodWatch({
      observe: tell,
      logTail: (pod) => this.logs.tail(pod),
      stateOf: (node) => watch.stateOf(node),
      awaited: new Set(this.podsFound().map(({ uid }) => uid)),
      isBinding: (name) => this.binder.isUnseen(name),
    });
    const notes = this.notesOn(view.pods);
    const see = (kind: 'here' | 'deleted', { uid, own, tenant, unbound, seeking }: SeenPod): void => {
      if (seeking !== undefined && kind === 'deleted') found.delete(seeking);
      else if (seeking !== undefined) found.see(seeking);
      foreign.see(uid, kind === 'deleted' ? undefined : tenant);
      if (kind === 'deleted' || unbound === undefined) notes.forget(uid);
      if (own === undefined) return;
      if (kind === 'deleted') pods.delete(own);
      else pods.see(own);
      this.binder.see(own.name);
      if (running.looking !== undefined) pods.lookAt(own.name);
    };
    const leave: (() => void)[] = [];
    const running: Running = {
      ...{ stopping, nodes, watch, pods, foreign, found, notes, looking: undefined },
      begin: () => {
        for (const [, pod] of view.pods.entries()) see('here', pod);
        leave.push(
          view.pods.onChange(({ kind, object }) => {
            see(kind === 'deleted' ? 'deleted' : 'here', object);
          }),
          surroundings.onChange((topic) => {
            found.concern(topic);
          }),
        );
      },
      end: () => {
        for (const each of leave) each();
      },
    };
    return running;
  }

  private notesOn(allPods: Reflector<SeenPod>): PodNotes {
    const { report, wallMs = Date.now, ...parts } = this.options;
    return new PodNotes({
      ...parts,
      wallMs,
      report: (error) => {
        report({ what: 'note-failed', path: resourcePath(PODS), error });
      },
      unboundPod: ({ namespace, name, uid }) => {
        const seen = allPods.get(`${namespace}/${name}`);
        return seen?.uid === uid ? seen.unbound : undefined;
      },
    });
  }

  private async lookUntil({ pods, watch, foreign, found }: Running, signal: AbortSignal): Promise<void> {
    const { timers, report } = this.options;
    while (!isAborted(signal)) {
      try {
        pods.look();
        foreign.look();
        found.look();
        await watch.look(signal);
      } catch (error) {
        // Whoever observes is full: it is told at the next look.
        if (!isAborted(signal)) report({ what: 'handler-failed', path: 'observations', error, retryInMs: LOOK_MS });
      }
      await timers.sleep(LOOK_MS, signal);
    }
  }

  private async create(order: PodOrder): Promise<PodCreation> {
    const { pods } = this.started();
    const newest = pods.newestIncarnation(order.pod.workload);
    if (newest > order.pod.incarnation)
      return { kind: 'refused', why: `incarnation ${newest} of this workload has been started`, retry: 'never' };
    const node = this.usableNode(order.node);
    if (node.kind === 'refused') return node;
    const known = pods.find(order.name);
    // The end of one that has ended is observed, and it does not run again.
    if (known !== undefined && known.pod.life.phase !== 'pending') return { kind: 'created' };
    const manifests = podManifests(order, node.mapped, this.settings);
    return manifests.kind === 'refused' ? manifests : this.writer.write(order, manifests);
  }

  private async bind(order: BindOrder): Promise<PodCreation> {
    const { pods, notes } = this.started();
    const known = pods.find(order.name)?.pod;
    // By an earlier try, whatever has become of its node: its life is observed.
    if (known?.object.uid === order.found.uid && known.node === order.node) return { kind: 'created' };
    const node = this.usableNode(order.node);
    if (node.kind === 'refused') return node;
    notes.forget(order.found.uid);
    this.placed.order(order);
    const answer = await this.binder.bind(order);
    if (answer.kind === 'created') notes.scheduled(order.found, order.node);
    else {
      this.placed.refuse(order);
      notes.show([order.found], { reason: 'BindingRefused', message: answer.why });
    }
    return answer;
  }

  private usableNode(
    name: NodeName,
  ): ({ readonly kind: 'node' } & SeenNode) | Extract<PodCreation, { readonly kind: 'refused' }> {
    const { nodes, watch } = this.started();
    const node = nodes.get(name);
    if (node === undefined) return { kind: 'refused', why: `there is no node ${name}`, retry: 'elsewhere' };
    if (watch.stateOf(name) === 'lost') return { kind: 'refused', why: `node ${name} is lost`, retry: 'elsewhere' };
    return { kind: 'node', ...node };
  }

  /** A found pod that has ended belongs to whoever made it, and is left to them. */
  private async evict(pod: OwnPod, state: 'here' | 'gone'): Promise<'stopping' | 'unknown'> {
    if (state === 'gone') {
      this.started().pods.forget(pod.name);
      return 'unknown';
    }
    if (pod.life.phase !== 'ended' && !pod.isStopping) await evict(this.options.api, pod.object);
    return 'stopping';
  }

  /** The watch may be a moment behind a creation. */
  private async findUnseen(name: string): Promise<FoundPod | undefined> {
    const selection = { labelSelector: `${LABEL.managedBy}=${MANAGER}`, fieldSelector: `metadata.name=${name}` };
    const { items } = await this.options.api.listPage(resourcePath(PODS), { limit: 1, ...selection });
    const [found] = items;
    return found && { namespace: found.metadata.namespace ?? '', name, uid: found.metadata.uid };
  }

  private waitsToStart(name: string): boolean {
    const pod = this.running?.pods.find(name)?.pod;
    return this.creating.has(name) || pod?.output.hasBegun === false;
  }

  private started(): Running {
    if (this.running === undefined) throw new Error('the Kubernetes driver is not running');
    return this.running;
  }
}

/** Those who tell what the view shows, while this scheduler leads. */
interface Running {
  readonly stopping: AbortController;
  readonly nodes: Reflector<SeenNode>;
  readonly watch: NodeWatch;
  readonly pods: PodWatch;
  readonly foreign: ForeignUse;
  readonly notes: PodNotes;
  readonly found: FoundGangs;
  /** All pods that are in the view are seen, and from then on each change. */
  readonly begin: () => void;
  readonly end: () => void;
  looking: Promise<void> | undefined;
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}
