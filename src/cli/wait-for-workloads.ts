import { writeSync } from 'node:fs';
import { Listr, ListrLogger, ProcessOutput, type ListrTask } from 'listr2';
import type { Workload } from '../server/workloads/workload.schema.js';
import type { ApiClient } from './api-client.js';
import { EXIT_CODE } from './cli-error.js';
import { followWorkloads } from './follow-workloads.js';
import { remark } from './output.js';
import { isSettled, shortName } from './present-workloads.js';
import { progressBar, progressLine } from './progress-line.js';

/** Shows on standard error how the workloads go, and resolves with how they ended, in the order given. */
export async function waitForWorkloads(
  client: ApiClient,
  workloads: readonly Workload[],
): Promise<readonly Workload[]> {
  const latest = new Map(workloads.map((workload) => [workload.metadata.uid, workload]));
  const display = canDraw(process.stderr) ? new Bars(workloads) : new Lines();
  process.once('SIGINT', leave);
  try {
    for await (const workload of followWorkloads(client, [...latest.keys()], new AbortController().signal)) {
      latest.set(workload.metadata.uid, workload);
      display.show(workload);
    }
    await display.end();
  } finally {
    process.off('SIGINT', leave);
  }
  return [...latest.values()];
}

/** Written past listr2, which holds back what others write and has hidden the cursor. */
function leave(): void {
  const showCursor = process.stderr.isTTY ? '\u001b[?25h' : '';
  writeSync(
    2,
    `${showCursor}\nWhat was submitted goes on: \`berth get workloads\` shows how, \`berth cancel\` ends it.\n`,
  );
  process.exit(EXIT_CODE.interrupted);
}

/** A terminal of no size, as some CI systems have it, shows nothing that is redrawn. */
function canDraw({ isTTY, rows, columns }: NodeJS.WriteStream): boolean {
  return isTTY && rows > 0 && columns > 0;
}

interface Display {
  show(workload: Workload): void;
  end(): Promise<void>;
}

/** Without a terminal: a line when the state changes, and at most one for each epoch. */
class Lines implements Display {
  private readonly told = new Map<string, string>();

  show(workload: Workload): void {
    const { status, metadata } = workload;
    const stage = `${status.state} ${status.progress?.phase ?? ''} ${status.progress?.epochs.at(-1)?.epoch ?? 0}`;
    if (this.told.get(metadata.uid) === stage) return;
    this.told.set(metadata.uid, stage);
    remark(`${shortName(workload)} ${progressLine(workload)}`);
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

interface Bar {
  update(workload: Workload): void;
  settle(workload: Workload): void;
}

/** On a terminal: a task each, with a bar. */
class Bars implements Display {
  private readonly bars = new Map<string, Bar>();
  private readonly finished: Promise<unknown>;

  constructor(workloads: readonly Workload[]) {
    // The other way round: standard output is for the answer, which a pipe may read.
    const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stdout) });
    const list = new Listr(
      workloads.map((workload) => this.taskOf(workload)),
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        rendererOptions: { logger, removeEmptyLines: true },
      },
    );
    this.finished = list.run();
  }

  show(workload: Workload): void {
    const bar = this.bars.get(workload.metadata.uid);
    if (isSettled(workload)) bar?.settle(workload);
    else bar?.update(workload);
  }

  async end(): Promise<void> {
    await this.finished;
  }

  private taskOf(workload: Workload): ListrTask {
    return {
      title: titleOf(workload),
      task: (_context, task) =>
        new Promise<void>((resolve, reject) => {
          this.bars.set(workload.metadata.uid, {
            update: (seen) => {
              task.title = titleOf(seen);
            },
            settle: (seen) => {
              task.title = titleOf(seen);
              if (seen.status.state === 'succeeded') resolve();
              else reject(new Error(titleOf(seen)));
            },
          });
        }),
    };
  }
}

function titleOf(workload: Workload): string {
  const { progress } = workload.status;
  const isTraining = progress?.phase === 'training' && !isSettled(workload);
  const bar = isTraining ? `${progressBar(progress.step, progress.stepsTotal)} ` : '';
  return `${shortName(workload)} ${bar}${progressLine(workload)}`;
}
