import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { NodeName, NodeSpec } from '../../core/index.js';
import {
  Cluster,
  type LogOptions,
  type NodeFaults,
  type Observation,
  type PodCreation,
  type PodOrder,
  type PodSeen,
} from '../cluster.js';
import { OneAtATime } from '../one-at-a-time.js';
import { DirectoryClaim } from './directory-claim.js';
import { DEFAULT_LOCAL_LIMITS, type LocalLimits } from './local-limits.js';
import { LocalPaths } from './local-paths.js';
import { LocalPod } from './local-pod.js';
import { NodeRegister } from './node-register.js';
import { planPod, refusalOf, refuse } from './plan-pod.js';
import { endOfFailedNode, endOfForcedStop } from './pod-end.js';
import { PodFolder, readFence, writeAtomically } from './pod-folder.js';
import { findPods, purgePods } from './pod-store.js';
import { readPodLog } from './read-pod-log.js';
import { ShimLine } from './shim-line.js';

export interface LocalClusterOptions {
  /** Where pods, their output and the state of the nodes are kept; one server at a time. */
  readonly directory: string;
  readonly nodes: readonly NodeSpec[];
  /** The compiled programs; by default those beside this file. */
  readonly shimFile?: string;
  readonly trainerFile?: string;
  readonly limits?: Partial<LocalLimits>;
}

const SWEEP_MS = 500;
const PURGE_MS = 60_000;
const SUPERSEDED_WITHIN_MS = 5000;
const AFTER_KILL_MS = 1000;

/**
 * The driver that needs no cluster: nodes are entries of a fleet file, each pod is a real process on this machine, run
 * by a small process of its own (`pod-shim.ts`). What matters is on disk (`pod-folder.ts`), so that server and shims
 * may be killed at any moment: a restarted server finds the pods, pods without a server end by themselves.
 */
export class LocalCluster extends Cluster implements NodeFaults {
  private readonly paths: LocalPaths;
  private readonly limits: LocalLimits;
  private readonly shimFile: string;
  private readonly trainerFile: string;
  private readonly nodes: ReadonlyMap<NodeName, NodeSpec>;
  private readonly pods = new Map<string, LocalPod>();
  /** Orders that are being carried out, by the name of the pod. */
  private readonly creating = new OneAtATime<PodCreation>();
  private running: Running | undefined;
  private opening: Promise<Running> | undefined;

  constructor(options: LocalClusterOptions) {
    super();
    this.paths = new LocalPaths(options.directory);
    this.limits = { ...DEFAULT_LOCAL_LIMITS, ...options.limits };
    this.shimFile = options.shimFile ?? fileURLToPath(new URL('./pod-shim.js', import.meta.url));
    this.trainerFile = options.trainerFile ?? fileURLToPath(new URL('../../trainer/main.js', import.meta.url));
    this.nodes = new Map(options.nodes.map((node) => [node.name, node]));
  }

  /**
   * Adopts the pods of a server that died, before this one may decide about them: they would end within seconds, and
   * becoming the leader can take longer. Nothing is observed until `start`. Throws when another server drives the pods
   * of this folder.
   */
  async open(): Promise<void> {
    await this.opened();
  }

  async start(observe: Observe): Promise<readonly PodSeen[]> {
    const running = await this.opened();
    if (running.observe !== undefined) throw new Error('the local driver has been started already');
    running.observe = observe;
    const seen = await this.observeAll(observe, running).catch((error: unknown) => {
      running.observe = undefined; // so that it can be tried again
      throw error;
    });
    // The list comes first; then the state of each pod is told as it is, an end with its output.
    setImmediate(() => {
      for (const pod of this.pods.values()) pod.look();
    });
    return seen;
  }

  async createPod(order: PodOrder): Promise<PodCreation> {
    return this.creating.do(order.name, () => this.create(order));
  }

  async deletePod(name: string): Promise<'stopping' | 'unknown'> {
    await this.creating.end(name);
    const pod = this.pods.get(name);
    if (pod === undefined) return 'unknown';
    if (pod.isOver) {
      pod.settle();
      return 'unknown';
    }
    pod.requestStop('deleted', pod.plan.graceMs);
    this.running?.line.poke(name);
    return 'stopping';
  }

  /** Nothing for an unknown pod: its output is gone with it. */
  async *readLogs(name: string, options: LogOptions): AsyncGenerator<string, void, undefined> {
    const pod = this.pods.get(name);
    if (pod !== undefined)
      yield* readPodLog(pod.folder.path, options, () => pod.hasEnded || this.running === undefined);
  }

  /** Pods that were adopted stay so: it may become the leader yet. */
  override async follow(): Promise<void> {
    if (this.running?.observe !== undefined) await this.stop('keep');
  }

  /** With `end`, all pods have ended when it resolves, in less than 8 s. */
  async stop(pods: 'keep' | 'end'): Promise<void> {
    const running = await this.opening;
    if (running === undefined || this.running === undefined) return;
    this.running = undefined;
    for (const timer of running.timers) clearInterval(timer);
    await this.creating.endAll();
    if (pods === 'end') await this.endAll(running.line);
    for (const pod of this.pods.values()) pod.forget();
    await running.line.close();
    this.pods.clear();
    this.opening = undefined;
    running.claim.release();
  }

  async fail(node: NodeName): Promise<'failed' | 'unknown-node'> {
    const { register, observe } = this.started();
    if (!this.nodes.has(node)) return 'unknown-node';
    register.fail(node);
    observe({ kind: 'node-state-changed', node, state: 'lost', cause: 'failed by an operator' });
    await this.killPodsOf(node);
    return 'failed';
  }

  /** Throws while a process of the failed node cannot be killed: there is no evidence yet. */
  async restore(node: NodeName): Promise<'restored' | 'unknown-node'> {
    const { register, observe } = this.started();
    if (!this.nodes.has(node)) return 'unknown-node';
    if (register.isFailed(node)) {
      if (!(await this.killPodsOf(node))) throw new Error(`processes of node ${node} cannot be killed yet: try again`);
      register.restore(node);
      observe({ kind: 'node-fenced', node });
    }
    observe({ kind: 'node-state-changed', node, state: 'healthy', cause: 'restored by an operator' });
    return 'restored';
  }

  private async killPodsOf(node: NodeName): Promise<boolean> {
    const pods = [...this.pods.values()].filter((pod) => pod.plan.node === node && !pod.hasEnded);
    await Promise.all(pods.map((pod) => pod.endByForce(endOfFailedNode(node))));
    return pods.every((pod) => pod.hasEnded);
  }

  private started(): Started {
    const { running } = this;
    if (running?.observe === undefined) throw new Error('the local driver is not running');
    return { running, register: running.register, observe: running.observe };
  }

  private async opened(): Promise<Running> {
    this.opening ??= this.openLine().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async openLine(): Promise<Running> {
    const claim = await DirectoryClaim.take(this.paths);
    return this.listen(claim).catch((error: unknown) => {
      claim.release();
      throw error;
    });
  }

  private async listen(claim: DirectoryClaim): Promise<Running> {
    const register = new NodeRegister(this.paths.nodesFile);
    // Pods first: a shim that says hello to a driver that does not know it yet would be sent away.
    for (const { folder, plan } of await findPods(this.paths)) this.keep(new LocalPod(folder, plan, this.tell));
    const line = await ShimLine.listen(this.paths.socket, {
      onHello: (name) => this.welcome(name),
      onLook: (name) => this.pods.get(name)?.look(),
      onLost: (name) => this.pods.get(name)?.check(),
    });
    const sweep = setInterval(() => {
      for (const [name, pod] of this.pods) pod.sweep(line.isConnected(name) ? 'connected' : 'silent');
    }, SWEEP_MS);
    const purge = setInterval(() => {
      this.purge();
    }, PURGE_MS);
    this.running = { claim, line, register, timers: [sweep, purge], observe: undefined };
    return this.running;
  }

  private purge(): void {
    if (!this.creating.isIdle) return;
    try {
      purgePods(this.pods, this.paths, this.limits);
    } catch (error) {
      process.emitWarning(`ended pods cannot be purged now: ${String(error)}`); // the next round tries again
    }
  }

  private async observeAll(observe: Observe, { register }: Running): Promise<readonly PodSeen[]> {
    for (const node of register.replace([...this.nodes.keys()])) observe({ kind: 'node-removed', node });
    for (const node of this.nodes.values()) {
      observe({ kind: 'node-seen', node });
      if (!register.isFailed(node.name)) continue;
      observe({ kind: 'node-state-changed', node: node.name, state: 'lost', cause: 'failed by an operator' });
    }
    return this.adopt(register);
  }

  /** Finds the pods of an earlier server: adopts what lives, ends what may not go on, starts what never started. */
  private async adopt(register: NodeRegister): Promise<readonly PodSeen[]> {
    const seen: PodSeen[] = [];
    for (const pod of this.pods.values()) {
      const { node, fence, pod: ref } = pod.plan;
      if (pod.isOver) continue; // kept for its output only
      if (pod.hasEnded) {
        // nothing to do but to list it
      } else if (!this.nodes.has(node) || register.isFailed(node)) await pod.endByForce(endOfFailedNode(node));
      else if (readFence(fence) > ref.incarnation) await pod.endByForce(endOfForcedStop('superseded'));
      else await pod.adopt(this.shimFile);
      seen.push(pod.seen());
    }
    return seen;
  }

  private keep(pod: LocalPod): LocalPod {
    this.pods.set(pod.plan.name, pod);
    return pod;
  }

  private readonly tell = (observation: Observation): void => {
    if (this.running?.observe === undefined) throw new Error('nobody listens: tell it again later');
    this.running.observe(observation);
  };

  private welcome(name: string): 'welcome' | 'unknown' {
    const pod = this.pods.get(name);
    if (pod === undefined || pod.isOver) return 'unknown';
    pod.look();
    return 'welcome';
  }

  private async create(order: PodOrder): Promise<PodCreation> {
    const { running, register } = this.started();
    const existing = this.pods.get(order.name);
    if (existing !== undefined) {
      await existing.adopt(this.shimFile);
      return { kind: 'created' };
    }
    const refusal = refusalOf(order, this.nodes.get(order.node));
    if (refusal !== undefined) return refusal;
    const { workload, incarnation } = order.pod;
    const fence = this.paths.fence(workload);
    const newest = readFence(fence);
    if (newest > incarnation) return refuse(`incarnation ${newest} of this workload has been started`, 'never');
    if (newest < incarnation) writeAtomically(fence, String(incarnation));
    await this.endOlder(workload, incarnation);
    if (this.running !== running) throw new Error('the local driver is stopping');
    // From here to the launch nothing waits: what is checked now still holds then.
    if (register.isFailed(order.node)) return refuse(`node ${order.node} is lost`, 'elsewhere');
    if (readFence(fence) > incarnation) return refuse('a newer incarnation has been started', 'never');
    this.refuseTooMany();
    await this.write(order).adopt(this.shimFile);
    return { kind: 'created' };
  }

  private write(order: PodOrder): LocalPod {
    const plan = planPod(order, { paths: this.paths, limits: this.limits, trainerFile: this.trainerFile });
    mkdirSync(this.paths.workload(order.team, order.pod.workload), { recursive: true, mode: 0o700 });
    const job = order.program.kind === 'trainer' ? { job: order.program.job } : {};
    const folder = PodFolder.create(this.paths.pod(order.name), { plan, token: order.status.token, ...job });
    return this.keep(new LocalPod(folder, plan, this.tell));
  }

  /** Two incarnations of a workload never run at the same time: they would write to the same folder. */
  private async endOlder(workload: string, incarnation: number): Promise<void> {
    const older = [...this.pods.values()].filter(
      ({ ref, hasEnded }) => ref.workload === workload && ref.incarnation < incarnation && !hasEnded,
    );
    await Promise.all(older.map((pod) => pod.endByForce(endOfForcedStop('superseded'))));
    const ended = await Promise.all(older.map((pod) => pod.ended(SUPERSEDED_WITHIN_MS)));
    if (ended.includes(false)) throw new Error(`an older incarnation of workload ${workload} cannot be killed yet`);
  }

  private refuseTooMany(): void {
    const live = [...this.pods.values()].filter((pod) => !pod.hasEnded).length;
    const { podsMax } = this.limits;
    if (live >= podsMax) throw new Error(`this machine runs ${live} pods, its limit is ${podsMax}: try again later`);
  }

  private async endAll(line: ShimLine): Promise<void> {
    const live = [...this.pods.values()].filter((pod) => !pod.hasEnded);
    const graceMs = Math.max(0, ...live.map((pod) => Math.min(pod.plan.graceMs, this.limits.stopGraceMsMax)));
    for (const pod of live) {
      pod.requestStop('server-stopped', Math.min(pod.plan.graceMs, graceMs));
      line.poke(pod.plan.name);
    }
    const ended = await Promise.all(live.map((pod) => pod.ended(graceMs + AFTER_KILL_MS)));
    const late = live.filter((_pod, index) => ended[index] === false);
    await Promise.all(late.map((pod) => pod.endByForce(endOfForcedStop('server-stopped'))));
  }
}

type Observe = (observation: Observation) => void;

interface Running {
  readonly claim: DirectoryClaim;
  readonly line: ShimLine;
  readonly register: NodeRegister;
  readonly timers: readonly NodeJS.Timeout[];
  /** Absent from `open` to `start`. */
  observe: Observe | undefined;
}

interface Started {
  readonly running: Running;
  readonly register: NodeRegister;
  readonly observe: Observe;
}
