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
import { ClusterWatch } from './cluster-watch.js';
import { DEFAULT_NODE_MAPPING, type NodeMapping } from './nodes/node-mapping.js';
import type { SeenNode } from './nodes/node-watch.js';
import { PlacedPods } from './pods/placed-pods.js';
import { PodBinder } from './pods/pod-binder.js';
import { evict } from './pods/pod-eviction.js';
import { PodLogs } from './pods/pod-logs.js';
import { podManifests } from './pods/pod-manifest.js';
import { DEFAULT_POD_SETTINGS, type PodSettings } from './pods/pod-settings.js';
import type { OwnPod } from './pods/pod-watch.js';
import { PodWriter } from './pods/pod-writer.js';
import type { ReflectorTrouble } from './reflector/reflector.js';
import { resourcePath } from './api/resource-path.js';
import { LABEL, MANAGER } from './pods/pod-labels.js';
import { PODS } from './api/resources.js';
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

const FOLLOW_AGAIN_MS = 5000;
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
  private running: ClusterWatch | undefined;
  /** Outlives whoever tells of it, while another leads. */
  private view: ClusterView | undefined;
  private followAgainAtMs = 0;

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
    const { binder, logs, ledger } = this;
    const running = new ClusterWatch({ wallMs: Date.now, ...this.options, view, ledger, binder, logs, observe });
    this.running = running;
    try {
      await view.start();
      await view.confirm(expected, ledger ?? { found: [], placed: [] });
      if (running.isStopped()) throw new Error('the Kubernetes driver was stopped while it started');
      running.begin();
    } catch (error) {
      await this.stop();
      throw error;
    }
    return running.pods.list();
  }

  /** Reads on what it reads, so that the next one to lead needs no list. */
  override async follow(): Promise<void> {
    await this.endTelling();
    const { timers, report } = this.options;
    if (timers.now() < this.followAgainAtMs) return;
    const view = this.keepView();
    view.start().catch(async (error: unknown) => {
      if (this.view !== view) return;
      this.view = undefined; // whoever starts begins anew
      this.followAgainAtMs = timers.now() + FOLLOW_AGAIN_MS;
      report({ what: 'list-failed', path: 'all that is read', error, retryInMs: FOLLOW_AGAIN_MS });
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
    await running.stop();
    await this.creating.endAll();
  }

  private keepView(): ClusterView {
    this.view ??= new ClusterView({ ...this.options, mapping: this.mapping, placed: this.placed });
    return this.view;
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
    const { nodes } = this.started();
    const node = this.view?.nodes.get(name);
    if (node === undefined) return { kind: 'refused', why: `there is no node ${name}`, retry: 'elsewhere' };
    if (nodes.stateOf(name) === 'lost') return { kind: 'refused', why: `node ${name} is lost`, retry: 'elsewhere' };
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

  private started(): ClusterWatch {
    if (this.running === undefined) throw new Error('the Kubernetes driver is not running');
    return this.running;
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}
