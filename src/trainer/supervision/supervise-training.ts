import { Worker } from 'node:worker_threads';
import { EXIT } from '../contract.js';
import { describeFailure, unreachable } from '../trainer-error.js';
import type { RunPrinter } from './run-printer.js';
import type { StatusReporter } from './status-reporter.js';
import { STOP, type FinishedTraining, type WorkerMessage, type WorkOrder } from './worker-messages.js';

export interface Supervision {
  readonly order: Omit<WorkOrder, 'stopFlag'>;
  readonly printer: RunPrinter;
  readonly warn: (message: string) => void;
  /** Makes the reporter, where there is a control plane. */
  readonly reporterFor: (events: { onStop: () => void; onSuperseded: () => void }) => StatusReporter | undefined;
}

export type RunOutcome =
  | ({ readonly kind: 'done' } & FinishedTraining)
  | { readonly kind: 'stopped'; readonly step: number | undefined }
  | { readonly kind: 'superseded' }
  /** Done, but asked to end before the control plane took the report: another incarnation has to hand it over. */
  | { readonly kind: 'unreported' }
  | {
      readonly kind: 'failed';
      readonly exitCode: number;
      readonly message: string;
      readonly stack: string | undefined;
    };

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const FAILURE_LENGTH_MAX = 4000; // what StatusReportSchema takes

/**
 * Runs the training thread to its end. This thread stays free for what must not wait for a batch: signals and the
 * control plane. Whatever ends the run first decides its outcome.
 */
export async function superviseTraining(supervision: Supervision): Promise<RunOutcome> {
  const stopFlag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: WorkOrder = { ...supervision.order, stopFlag: stopFlag.buffer };
  const worker = new Worker(new URL('./training-worker.js', import.meta.url), { workerData });
  const hurry = new AbortController();
  let [hasBegun, onSignal] = [false, (): void => undefined];
  let reporter: StatusReporter | undefined;
  try {
    const outcome = await new Promise<RunOutcome>((end) => {
      const stop = (): void => {
        Atomics.store(stopFlag, 0, STOP);
        // Reading the data may take longer than the grace, and before the first step there is nothing to save.
        if (!hasBegun) end({ kind: 'stopped', step: undefined });
      };
      onSignal = (): void => {
        hurry.abort();
        stop();
      };
      for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
      const onSuperseded = (): void => {
        end({ kind: 'superseded' });
      };
      reporter = supervision.reporterFor({ onStop: stop, onSuperseded });
      reporter?.start();
      listen(worker, end, (message) => {
        hasBegun ||= message.kind === 'prepared';
        return handle(message, { ...supervision, reporter });
      });
    });
    await worker.terminate();
    return await tellEnd(outcome, reporter, hurry.signal);
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  }
}

/** Until the thread says how it ended, or dies. */
function listen(
  worker: Worker,
  end: (outcome: RunOutcome) => void,
  handleMessage: (message: WorkerMessage) => RunOutcome | undefined,
): void {
  worker.on('message', (message: WorkerMessage) => {
    const outcome = handleMessage(message);
    if (outcome !== undefined) end(outcome);
  });
  worker.on('error', (error) => {
    end({ kind: 'failed', ...describeFailure(error), stack: error instanceof Error ? error.stack : undefined });
  });
  worker.on('exit', (code) => {
    const message = `the training thread ended with ${code} and no result`;
    end({ kind: 'failed', exitCode: EXIT.internal, message, stack: undefined });
  });
}

interface Listeners {
  readonly printer: RunPrinter;
  readonly warn: (message: string) => void;
  readonly reporter: StatusReporter | undefined;
}

/** Tells people and the control plane; answers with the outcome when the message is the last one. */
function handle(message: WorkerMessage, { printer, warn, reporter }: Listeners): RunOutcome | undefined {
  switch (message.kind) {
    case 'phase':
      reporter?.tell({ phase: message.phase });
      return undefined;
    case 'warning':
      warn(message.message);
      return undefined;
    case 'prepared': {
      const { facts } = message;
      const { name, version, devices } = facts.backend;
      printer.prepared(facts);
      reporter?.tell(
        {
          step: facts.resumedFrom?.step ?? 0,
          stepsTotal: facts.stepsTotal,
          backend: `${name} ${version}, ${devices}`.slice(0, 200),
        },
        facts.resumedFrom?.epochs,
      );
      return undefined;
    }
    case 'progress':
      printer.progress(message.progress, message.metrics);
      reporter?.note({ ...message.progress, metrics: message.metrics });
      return undefined;
    case 'epoch':
      printer.epoch(message.epoch, message.progress);
      reporter?.tell({ ...message.progress, metrics: message.epoch.metrics }, [message.epoch]);
      return undefined;
    case 'checkpoint':
      reporter?.tell({ step: message.step, checkpoint: { step: message.step, path: message.path } });
      return undefined;
    case 'done':
      return message;
    case 'stopped':
      return message;
    case 'failed':
      return message;
    default:
      return unreachable(message);
  }
}

/** The outcome, or what became of it where the control plane had to hear of it. */
async function tellEnd(
  outcome: RunOutcome,
  reporter: StatusReporter | undefined,
  hurry: AbortSignal,
): Promise<RunOutcome> {
  if (reporter === undefined) return outcome;
  switch (outcome.kind) {
    case 'done': {
      const { report, reportHtml } = outcome;
      const isTold = await reporter.finish({ phase: 'done', report, reportHtml }, hurry);
      return isTold || !hurry.aborted ? outcome : { kind: 'unreported' };
    }
    case 'failed':
      await reporter.finish({ phase: 'failed', failure: outcome.message.slice(0, FAILURE_LENGTH_MAX) }, hurry);
      return outcome;
    case 'stopped':
      await reporter.close('tell');
      return outcome;
    case 'superseded':
    case 'unreported':
      return outcome;
    default:
      return unreachable(outcome);
  }
}
