import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { isSettled } from '../../src/cli/present-workloads.js';
import { PostgresFolder } from '../../src/server/database/postgres-folder.js';
import { readPostmasterPid } from '../../src/server/database/postmaster-lock.js';
import type { Workload, WorkloadDocumentInput } from '../../src/server/workloads/workload.schema.js';
import { newestStep } from '../trainer/trainer-process.js';
import { until } from './observation-log.js';
import { podProcessesBelow, type PodProcess } from './running-processes.js';
import { ServerProcess, type ServerFiles } from './server-process.js';

/** On a machine that does other things too; what is promised in seconds is checked by itself. */
const PATIENCE_MS = 150_000;
/** Looking must not become the load of the machine. */
const LOOK_MS = 100;

/** A whole Berth to do harm to: server, database and pods, seen from outside. */
export class RunningSystem {
  private constructor(readonly server: ServerProcess) {}

  static async start(files: ServerFiles): Promise<RunningSystem> {
    return new RunningSystem(await ServerProcess.start(files));
  }

  async submit(document: WorkloadDocumentInput): Promise<string> {
    return (await this.server.client.createWorkload(document)).metadata.uid;
  }

  async workload(uid: string): Promise<Workload> {
    return this.server.client.readWorkload(uid);
  }

  /** Waits until the workload is as wanted; one that ends otherwise is not waited for. */
  async untilWorkload(uid: string, what: string, isWanted: (workload: Workload) => boolean): Promise<Workload> {
    let latest: Workload | undefined;
    return until(
      `workload ${what}`,
      async () => {
        await delay(latest === undefined ? 0 : LOOK_MS);
        latest = await this.workload(uid);
        if (isWanted(latest)) return latest;
        if (isSettled(latest)) throw new Error(`not ${what}, but ended: ${JSON.stringify(briefly(latest))}`);
        return undefined;
      },
      { deadlineMs: PATIENCE_MS, state: () => latest && briefly(latest) },
    );
  }

  async untilState(uid: string, state: Workload['status']['state']): Promise<Workload> {
    return this.untilWorkload(uid, state, ({ status }) => status.state === state);
  }

  /** It trains, and when it is stopped from now on it can go on from a checkpoint. */
  async untilCheckpoint(uid: string): Promise<void> {
    const step = (): number => newestStep(this.checkpoints(uid));
    await until('a checkpoint', () => step() > 0, { deadlineMs: PATIENCE_MS });
  }

  async untilNoPods(deadlineMs = PATIENCE_MS): Promise<void> {
    await until(
      'the end of all pods',
      async () => {
        await delay(LOOK_MS);
        return this.pods().length === 0;
      },
      { deadlineMs, state: () => this.pods() },
    );
  }

  /** Programs of pods that run at this moment, whatever the server believes. */
  pods(workload?: string): readonly PodProcess[] {
    const all = podProcessesBelow(this.server.dataDirectory);
    return workload === undefined ? all : all.filter((pod) => pod.workload === workload);
  }

  get postmaster(): number {
    const pid = readPostmasterPid(this.postgres.data);
    if (pid === undefined) throw new Error('there is no database');
    return pid;
  }

  get postgres(): PostgresFolder {
    return new PostgresFolder(join(this.server.dataDirectory, 'postgres'));
  }

  /** A look into the ledger past the server. */
  async query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    const client = new pg.Client({ connectionString: this.postgres.url, application_name: 'berth-tests' });
    client.on('error', () => undefined); // the query says it, too
    await client.connect();
    try {
      return (await client.query<Row>(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** What the pods of a workload share. */
  workloadFolder(uid: string): string {
    return join(this.server.dataDirectory, 'local', 'workloads', 'research', uid);
  }

  checkpoints(uid: string): string {
    return join(this.workloadFolder(uid), 'checkpoints');
  }

  podToken(pod: string): string {
    return readFileSync(join(this.server.dataDirectory, 'local', 'pods', pod, 'token'), 'utf8').trim();
  }
}

/** Without the learning curve, which fills screens. */
function briefly({ status }: Workload): object {
  const { progress, ...rest } = status;
  return { ...rest, phase: progress?.phase, step: progress?.step };
}
