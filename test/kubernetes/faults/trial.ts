import { expect } from '@jest/globals';
import { checkLedger, isAtRest } from '../../support/ledger-invariants.js';
import { until } from '../../support/observation-log.js';
import { untilAgreed } from '../cluster-laws.js';
import { PodHistory } from '../pod-history.js';
import { GPU_RESOURCE } from '../rig/fake-nodes.js';
import type { RunningCluster } from '../running-cluster.js';

/** It only ends what hangs: bounds are stated where a test has them. */
const PATIENCE_MS = 120_000;
const CREATORS = 16;
/** Of `fakeNodes`. */
const NODE = { gpus: 8, cpuMilli: 96_000 };

export interface PodsWish {
  /** Names are `<prefix>-<number>`, from 0. */
  readonly prefix?: string;
  readonly gpus?: number;
  /** They start together. */
  readonly gang?: { readonly name: string; readonly size: number };
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** One fault: pods in a namespace of their own, what the API server tells of them, and in the end what must be true. */
export class Trial {
  private readonly gangs = new Map<string, number>();

  private constructor(
    readonly cluster: RunningCluster,
    readonly namespace: string,
    readonly history: PodHistory,
  ) {}

  static async begin(cluster: RunningCluster, namespace: string): Promise<Trial> {
    await cluster.createNamespace(namespace);
    return new Trial(cluster, namespace, await PodHistory.begin(cluster.plane.api, namespace));
  }

  get pods(): string {
    return `/api/v1/namespaces/${this.namespace}/pods`;
  }

  /** Those that are there stay; who makes them insists while the API server is away. */
  async createPods(count: number, wish: PodsWish = {}): Promise<void> {
    if (wish.gang !== undefined) this.gangs.set(wish.gang.name, wish.gang.size);
    let next = 0;
    const creator = async (): Promise<void> => {
      for (let index = next++; index < count; index = next++) await this.createPod(aPod(index, wish));
    };
    await Promise.all(Array.from({ length: Math.min(CREATORS, count) }, creator));
  }

  /** As somebody does it who does not ask whether they are there. */
  async deletePods(names: readonly string[]): Promise<void> {
    const ask = (name: string) =>
      this.cluster.plane.api.call({ method: 'DELETE', path: `${this.pods}/${name}`, timeoutMs: PATIENCE_MS });
    await Promise.all(names.map(ask));
  }

  async untilBound(count: number, deadlineMs = PATIENCE_MS): Promise<void> {
    const { history } = this;
    const state = (): number => history.boundPods;
    await until(`${count} bound pods`, () => history.boundPods >= count, { deadlineMs, state });
  }

  /** What Berth has decided to stop, but for what others took back. */
  async evictions(): Promise<readonly unknown[]> {
    const sql = `SELECT w.name, d.body ->> 'reason' AS reason FROM decisions d JOIN workloads w ON w.uid = d.workload
      WHERE d.kind = 'evict' AND d.body ->> 'reason' <> 'cancelled' AND w.name LIKE $1`;
    return this.cluster.system.query(sql, [`${this.namespace}/%`]);
  }

  /** How many workloads of a prefix are in a state, as the ledger has it. */
  async workloads(state: string, prefix = ''): Promise<number> {
    const rows = await this.cluster.system.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM workloads WHERE state = $1 AND name LIKE $2',
      [state, `${this.namespace}/${prefix}%`],
    );
    return rows[0]?.count ?? 0;
  }

  /**
   * The same pods, on the same nodes, in ledger and API server, within the bound of the fault; no node was ever more than
   * full, and no gang bound in part for longer than the bound. Then everything goes, and the ledger lets go of it.
   */
  async end(boundMs = PATIENCE_MS): Promise<void> {
    const { cluster, history, gangs } = this;
    await untilAgreed(cluster, boundMs);
    expect(history.overfull(NODE)).toEqual([]);
    expect(history.partlyBound(gangs).filter(({ ms }) => ms > boundMs)).toEqual([]);
    await history.end();
    await cluster.plane.api.ask({ method: 'DELETE', path: this.pods, timeoutMs: PATIENCE_MS });
    await until('the ledger to let everything go', () => isAtRest(cluster.system), { deadlineMs: PATIENCE_MS });
    await checkLedger(cluster.system);
  }

  private async createPod(body: object): Promise<void> {
    const call = { method: 'POST', path: this.pods, body } as const;
    const make = async (): Promise<boolean> => {
      const status = await this.cluster.plane.api.call(call).then(
        (answer) => answer.status,
        () => undefined,
      );
      if (status !== undefined && status < 500 && ![201, 409, 429].includes(status))
        throw new Error(`a pod cannot be created: ${status}`);
      return status === 201 || status === 409;
    };
    await until('a pod to be created', make, { deadlineMs: PATIENCE_MS });
  }
}

function aPod(index: number, { prefix = 'pod', gpus = 0, gang, nodeSelector }: PodsWish): object {
  const amount = gpus === 0 ? {} : { [GPU_RESOURCE]: String(gpus) };
  const resources = { requests: { cpu: '1', ...amount }, limits: amount };
  const labels = gang && { 'berth.dev/gang': gang.name, 'berth.dev/gang-size': String(gang.size) };
  return {
    metadata: { name: `${prefix}-${index}`, labels },
    spec: { schedulerName: 'berth', nodeSelector, containers: [{ name: 'main', image: 'none', resources }] },
  };
}
