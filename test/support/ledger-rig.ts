import type { DataSource } from 'typeorm';
import type { Observation } from '../../src/cluster/cluster.js';
import {
  DEFAULT_POLICY,
  type Decision,
  type NodeSpec,
  type PodRef,
  type Policy,
  type SchedulerView,
} from '../../src/core/index.js';
import { Clock } from '../../src/server/clock.js';
import { applyQuotaFile } from '../../src/server/quotas/apply-quota-file.js';
import { QuotaFileSchema } from '../../src/server/quotas/quota-file.schema.js';
import { CoreSession } from '../../src/server/scheduler/core-session.js';
import type { CommandCursor, DecisionSet, Leadership, SetOutcome } from '../../src/server/scheduler/ledger.js';
import { PostgresLedger } from '../../src/server/scheduler/postgres-ledger.js';
import { WorkloadCommands } from '../../src/server/workloads/workload-commands.js';
import { API_VERSION, WorkloadDocumentSchema } from '../../src/server/workloads/workload.schema.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

class HandClock extends Clock {
  nowMs = 1_000_000;

  now(): number {
    return this.nowMs;
  }
}

/** A core of which one can see what it believes, without the numbers of its events: each term counts its own. */
class SeenSession extends CoreSession {
  view(): Omit<SchedulerView, 'seq' | 'misfits'> {
    const { queues, workloads, nodes } = this.scheduler.view();
    return { queues, workloads, nodes };
  }
}

interface SubmissionWish {
  readonly pods?: number;
  readonly devices?: number;
  readonly milli?: number;
  readonly partition?: string;
  readonly queue?: string;
  readonly maxRetries?: number;
  readonly priority?: number;
}

/** Team `lab`, flavor `h100`, a root queue `all` and below it `lab` and `other`, in whole devices. */
const QUOTAS = {
  teams: [{ name: 'lab', title: 'The lab' }],
  flavors: [{ name: 'h100', model: 'h100' }],
  queues: [
    { name: 'all', quotas: { h100: { nominal: 0 } } },
    { name: 'lab', parent: 'all', quotas: { h100: { nominal: 16 } } },
    { name: 'other', parent: 'all', quotas: { h100: { nominal: 16, lendingLimit: 0 } } },
  ],
};

/** The real ledger on the real database, and the core that leads by it; the driver is played by hand. */
export class LedgerRig {
  readonly ledger: PostgresLedger;
  readonly clock = new HandClock();
  private term: { readonly leadership: Leadership; readonly session: SeenSession } | undefined;
  private cursor: CommandCursor | undefined;

  private constructor(
    private readonly database: TestDatabase,
    private readonly policy: Policy,
  ) {
    this.ledger = new PostgresLedger(database.dataSource);
  }

  static async open(policy = DEFAULT_POLICY): Promise<LedgerRig> {
    const rig = new LedgerRig(await createTestDatabase(), policy);
    await applyQuotaFile(rig.dataSource, QuotaFileSchema.parse(QUOTAS));
    await rig.lead();
    return rig;
  }

  get dataSource(): DataSource {
    return this.database.dataSource;
  }

  get url(): string {
    return this.database.url;
  }

  get leadership(): Leadership {
    if (this.term === undefined) throw new Error('nobody leads');
    return this.term.leadership;
  }

  get session(): SeenSession {
    if (this.term === undefined) throw new Error('nobody leads');
    return this.term.session;
  }

  close(): Promise<void> {
    return this.database.drop();
  }

  /** A new term: whatever the last core knew is gone. */
  async lead(): Promise<void> {
    const leadership = await this.ledger.campaign('rig', 60_000);
    if (leadership === undefined) throw new Error('another leads');
    const state = await this.ledger.load();
    this.term = { leadership, session: new SeenSession(state, this.policy, this.clock) };
    this.cursor = state.cursor;
  }

  /** By the API's own code; answers with the uid. */
  async submit(name: string, wish: SubmissionWish = {}): Promise<string> {
    const { pods = 1, devices = 1, milli = 1000, partition, ...spec } = wish;
    const document = WorkloadDocumentSchema.parse({
      apiVersion: API_VERSION,
      kind: 'Workload',
      metadata: { name, namespace: 'lab' },
      spec: {
        queue: 'lab',
        ...spec,
        podSets: [
          {
            count: pods,
            accelerators: { flavors: ['h100'], count: devices, milli, partition },
            template: { spec: { containers: [{ name: 'main', command: ['true'] }] } },
          },
        ],
      },
    });
    const submission = { document, team: 'lab', actor: 'tester', idempotencyKey: undefined };
    const outcome = await new WorkloadCommands(this.dataSource).submit(submission);
    if (outcome.kind !== 'created') throw new Error(`not created: ${outcome.kind}`);
    return outcome.uid;
  }

  async cancel(uid: string): Promise<void> {
    await new WorkloadCommands(this.dataSource).cancel(uid, 'tester');
  }

  async see(...nodes: readonly NodeSpec[]): Promise<void> {
    await this.observe(...nodes.map((node) => ({ kind: 'node-seen' as const, node })));
  }

  /** As the live loop does it: first the ledger, then the core. */
  async observe(...observations: readonly Observation[]): Promise<void> {
    const unknown = await this.ledger.observe(this.leadership, observations);
    for (const observation of observations) {
      if (observation.kind !== 'workload-found' || !unknown.has(observation.workload))
        this.session.observe(observation);
    }
  }

  /** All that were committed before the call. Other suites write to the same server, which holds its xmin back. */
  async takeCommands(): Promise<void> {
    if (this.cursor === undefined) throw new Error('nothing was loaded');
    const isReadable = `SELECT NOT EXISTS
      (SELECT FROM commands WHERE txid >= pg_snapshot_xmin(pg_current_snapshot())) AS readable`;
    await eventually(async () => (await this.query<{ readable: boolean }>(isReadable))[0]?.readable === true);
    const { commands, cursor } = await this.ledger.commandsAfter(this.cursor, 1000);
    this.cursor = cursor;
    for (const command of commands) this.session.command(command);
  }

  /** Reads commands, then decides and commits until the core has no more to say; nothing of that may be refused. */
  async settle(): Promise<readonly Decision[]> {
    await this.takeCommands();
    const said: Decision[] = [];
    for (let round = 0; round < 50; round += 1) {
      const { sets } = this.session.decide();
      if (sets.length === 0) return said;
      for (const outcome of await this.commit(sets)) {
        if (outcome.kind === 'refused') throw new Error(`refused: ${JSON.stringify(outcome)}`);
        this.session.answer(outcome);
      }
      said.push(...sets.flatMap(({ decisions }) => decisions));
    }
    throw new Error('the core does not come to rest');
  }

  commit(sets: readonly DecisionSet[]): Promise<readonly SetOutcome[]> {
    return this.ledger.commit(this.leadership, sets);
  }

  async startPods(pods: readonly PodRef[]): Promise<void> {
    for (const kind of ['pod-bound', 'pod-started'] as const) await this.observe(...pods.map((pod) => ({ kind, pod })));
  }

  /** Pods that end by success, and are gone. */
  async succeedPods(pods: readonly PodRef[]): Promise<void> {
    const end = { kind: 'pod-ended', outcome: 'succeeded', blame: 'workload', exitCode: 0 } as const;
    await this.observe(...pods.map((pod) => ({ ...end, pod })));
    await this.observe(...pods.map((pod) => ({ kind: 'pod-gone' as const, pod })));
  }

  query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.dataSource.query<Row[]>(sql, [...parameters]);
  }

  /** The row of a workload, of the columns that tests look at. */
  async workload(uid: string): Promise<{
    readonly state: string;
    readonly reason: string;
    readonly message: string;
    readonly incarnation: number;
    readonly retries: number;
    readonly started_at: Date | null;
    readonly finished_at: Date | null;
  }> {
    const [row] = await this.query<Awaited<ReturnType<LedgerRig['workload']>>>(
      `SELECT state, reason, message, incarnation, retries, started_at, finished_at FROM workloads WHERE uid = $1`,
      [uid],
    );
    if (row === undefined) throw new Error(`no workload ${uid}`);
    return row;
  }
}

/** Waits for a condition of the database, with a deadline. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error('what was waited for did not happen within 10 s');
  }
}

/** The pods of the last start of this workload among the decisions. */
export function podsStarted(decisions: readonly Decision[], uid: string): readonly PodRef[] {
  const start = decisions.filter((decision) => decision.kind === 'start').findLast(({ workload }) => workload === uid);
  return start?.seats.map(({ pod }) => pod) ?? [];
}
