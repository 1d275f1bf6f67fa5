import type { Epoch, Phase, TrainingReport } from '../contract.js';
import type { Job } from '../job.schema.js';

/** What the training thread is started with: plain data, and the flag by which it is asked to stop. */
export interface WorkOrder {
  readonly job: Job;
  readonly backend: 'wasm';
  readonly files: { readonly train: string; readonly test: string | undefined };
  readonly outFolder: string;
  readonly checkpointFolder: string;
  /** Undefined for a run that no control plane numbers. */
  readonly incarnation: number | undefined;
  /** Device slots that were allocated to this pod. */
  readonly devices: readonly string[];
  readonly virtualDevices: 'virtual' | 'real';
  /** One Int32: 0 goes on, 1 saves and stops after the current step. */
  readonly stopFlag: SharedArrayBuffer;
}

/** What a training is about, once the data is read. */
export interface TrainingFacts {
  readonly rows: TrainingReport['rows'];
  readonly cleaning: TrainingReport['cleaning'];
  readonly model: TrainingReport['model'];
  readonly backend: TrainingReport['backend'];
  readonly inputs: number;
  readonly stepsTotal: number;
  readonly stepsPerEpoch: number;
  readonly epochsTotal: number;
  readonly batchSize: number;
  readonly resumedFrom: { readonly step: number; readonly epochs: readonly Epoch[] } | undefined;
}

export interface Progress {
  readonly step: number;
  readonly samplesPerSecond: number;
  readonly stepMillis: number;
  readonly remainingSeconds: number;
}

export interface FinishedTraining {
  readonly report: TrainingReport;
  readonly reportHtml: string;
  readonly reportPath: string;
  /** On the test rows, or on the validation rows where the job has no test file. */
  readonly scores: Readonly<Record<string, number>>;
}

/** From the training thread to the main thread. */
export type WorkerMessage =
  | { readonly kind: 'phase'; readonly phase: Phase }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'prepared'; readonly facts: TrainingFacts }
  | { readonly kind: 'progress'; readonly progress: Progress; readonly metrics: Readonly<Record<string, number>> }
  | { readonly kind: 'epoch'; readonly epoch: Epoch; readonly progress: Progress }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  | ({ readonly kind: 'done' } & FinishedTraining)
  /** `step` is undefined where training had not begun, and nothing was there to save. */
  | { readonly kind: 'stopped'; readonly step: number | undefined }
  | {
      readonly kind: 'failed';
      readonly exitCode: number;
      readonly message: string;
      readonly stack: string | undefined;
    };

export const STOP = 1;
