import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Cluster, type Expected, type Observation, type WorkloadWait } from '../../cluster/cluster.js';
import type { WorkloadId } from '../../core/index.js';
import { KnownFacts } from './known-facts.js';
import type { LedgerState } from './ledger.js';
import { podNameOf } from './pod-name.js';
import { reconcile } from './reconcile.js';

/** Beyond that the ledger is away for long: the driver is told to wait by an error, and lists again later. */
const INBOX_MAX = 100_000;
const STRAYS_AGAIN_MS = 10_000;

/** What the driver has seen and the ledger has not noted yet. It outlives a term, so that nothing seen is lost. */
@Injectable()
export class DriverWatch {
  private readonly logger = new Logger('driver');
  private readonly inbox: Observation[] = [];
  private role: 'leads' | 'follows' | undefined;
  private stopping = new AbortController();
  private removing: Promise<void> | undefined;

  constructor(private readonly cluster: Cluster) {}

  get waiting(): number {
    return this.inbox.length;
  }

  /**
   * Tells the driver what it must know, starts to watch unless it does already, and holds the ledger against what the
   * driver lists. Of what the driver tells from then on, what the ledger has is left out.
   */
  async begin(state: LedgerState, wake: () => void): Promise<void> {
    this.cluster.know(state.view);
    if (this.role === 'leads') return;
    this.role = undefined;
    const known = new KnownFacts(state);
    let listed: Observation[] | undefined = [];
    const seen = await this.cluster.start((observation) => {
      if ((listed ?? this.inbox).length >= INBOX_MAX)
        throw new Error('the driver observes faster than the ledger can note');
      if (listed !== undefined) listed.push(observation);
      else if (known.isNews(observation)) {
        this.inbox.push(observation);
        wake();
      }
    }, expectedBy(state));
    this.role = 'leads';
    const { observations, strays } = reconcile(state, listed, seen);
    this.inbox.push(...[...listed, ...observations].filter((observation) => known.isNews(observation)));
    listed = undefined;
    await this.cluster.disown(strays);
    this.removing = this.remove(strays, this.stopping.signal);
  }

  /** What the driver will never say by itself. */
  add(observation: Observation): void {
    this.inbox.push(observation);
  }

  /** Why found workloads wait. */
  showWaits(waits: readonly WorkloadWait[]): void {
    if (waits.length > 0) this.cluster.showWaits(waits);
  }

  /** Found workloads that have ended. */
  releaseFound(workloads: readonly WorkloadId[]): void {
    if (workloads.length > 0) this.cluster.releaseFound(workloads);
  }

  /** The oldest observations; they stay until `drop`. */
  peek(limit: number): readonly Observation[] {
    return this.inbox.slice(0, limit);
  }

  /** They are noted. The driver need not keep a pod that is gone for another list. */
  drop(count: number): void {
    for (const noted of this.inbox.splice(0, count)) {
      if (noted.kind !== 'pod-gone') continue;
      const pod = podNameOf(noted.pod);
      this.cluster.deletePod(pod).catch((error: unknown) => {
        this.logger.warn({ message: 'a pod that is gone will be listed again', pod, error: String(error) });
      });
    }
  }

  /** Another scheduler leads: what was seen here is its to see. The driver keeps ready. */
  async follow(): Promise<void> {
    if (this.role !== 'follows') {
      this.role = 'follows';
      this.stopping.abort();
      this.stopping = new AbortController();
      await this.removing;
      this.inbox.length = 0;
    }
    await this.cluster.follow();
  }

  /** One that may not go yet, because of a disruption budget or a driver that is away, keeps nobody from scheduling. */
  private async remove(strays: readonly string[], signal: AbortSignal): Promise<void> {
    let left = strays;
    while (left.length > 0 && !isAborted(signal)) {
      const kept: string[] = [];
      for (const pod of left) {
        if (isAborted(signal)) return;
        try {
          this.logger.warn({ message: 'pod without allocation is deleted', pod });
          await this.cluster.deletePod(pod);
        } catch (error) {
          this.logger.warn({ message: 'a pod without allocation stays for now', pod, error: String(error) });
          kept.push(pod);
        }
      }
      left = kept;
      if (left.length > 0) await delay(STRAYS_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

function expectedBy({ nodes, pods }: LedgerState): Expected {
  return {
    nodes: nodes.filter(({ removed }) => !removed).map(({ spec }) => spec.name),
    pods: pods.filter(({ state, end }) => state !== 'expected' && end === undefined).map(({ name }) => name),
  };
}

/** A function, so that the compiler does not believe that it stays false across an await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
