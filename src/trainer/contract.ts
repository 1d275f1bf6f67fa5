/**
 * The wire contract between a pod's trainer and the control plane; the only file of the trainer that other rooms see.
 *
 * A pod learns who it is from its environment, posts what it does to `BERTH_STATUS_URL`, and ends with an exit code
 * that says whose fault the end was. Training never waits for the control plane and survives its absence.
 */
import { z } from 'zod';

export { JobSchema, type Job } from './job.schema.js';

/** Exit codes of a pod, after BSD `sysexits.h`; the control plane decides by them whether to run the workload again. */
export const EXIT = {
  done: 0,
  /** The job file is wrong: never retried. */
  badConfig: 64,
  /** The data is wrong: never retried. */
  badData: 65,
  /** Something the job names is missing, e.g. a backend or a file: never retried. */
  missingResource: 69,
  /** A defect or a failing machine: retried up to `maxRetries`. */
  internal: 70,
  /** Stopped by SIGTERM with a checkpoint saved: queued again without limit. */
  preempted: 75,
  killed: 137,
} as const;

const CountSchema = z.coerce.number().int().min(0);

/**
 * Environment of a pod. Absent `BERTH_STATUS_URL` means: no control plane, run alone.
 * `BERTH_DEVICES` is a comma list of device slots, empty for none. `BERTH_GRACE_SECONDS` is the time from SIGTERM to
 * SIGKILL. `BERTH_WORKLOAD_DIR` is kept across incarnations and shared by the pods of the workload.
 */
export const PodEnvironmentSchema = z.object({
  BERTH_WORKLOAD: z.string().min(1).optional(),
  BERTH_POD: z.string().min(1).optional(),
  BERTH_INCARNATION: CountSchema.default(0),
  BERTH_WORKLOAD_DIR: z.string().optional(),
  BERTH_DEVICES: z.string().default(''),
  BERTH_VIRTUAL_DEVICES: z.enum(['0', '1']).default('0'),
  BERTH_STATUS_URL: z.url().optional(),
  /** Read anew for each call: a projected token is rotated in place. */
  BERTH_STATUS_TOKEN_FILE: z.string().optional(),
  BERTH_STATUS_CA: z.string().optional(),
  RANK: CountSchema.default(0),
  WORLD_SIZE: CountSchema.default(1),
  MASTER_ADDR: z.string().default('127.0.0.1'),
  MASTER_PORT: CountSchema.default(29500),
  BERTH_GRACE_SECONDS: CountSchema.default(30),
});
export type PodEnvironment = z.infer<typeof PodEnvironmentSchema>;

/** What the trainer does at the moment, in the order of its life. */
export const PhaseSchema = z.enum(['loading', 'preparing', 'training', 'evaluating', 'reporting', 'done', 'failed']);
export type Phase = z.infer<typeof PhaseSchema>;

/** One point of a learning curve; metrics by their Keras names (`loss`, `accuracy`, `val_loss`, `val_accuracy`). */
export const EpochSchema = z.strictObject({
  epoch: z.int().min(1).max(1_000_000),
  metrics: z.record(z.string().max(64), z.number()),
});
export type Epoch = z.infer<typeof EpochSchema>;

/** `report.json`: what a training came to. `confusion[actual][predicted]` counts rows, in the order of `classes`. */
export const TrainingReportSchema = z.object({
  name: z.string(),
  backend: z.object({ name: z.string(), version: z.string(), devices: z.string() }),
  seed: z.int(),
  rows: z.object({ train: z.int(), validation: z.int(), test: z.int() }),
  cleaning: z.array(z.object({ why: z.string(), rows: z.int(), of: z.string() })),
  model: z.object({ layers: z.array(z.string()), parameters: z.int() }),
  epochs: z.array(EpochSchema),
  test: z.record(z.string(), z.number()),
  classes: z.array(z.string()),
  confusion: z.array(z.array(z.int())),
  resumedFromStep: z.int().optional(),
  seconds: z.number(),
});
export type TrainingReport = z.infer<typeof TrainingReportSchema>;

export const REPORT_HTML_BYTES_MAX = 5 * 1024 * 1024;

/**
 * What a pod posts (JSON, `Authorization: Bearer <token file>`): at a change of phase, each finished epoch, each
 * checkpoint, and at least every 5 s as a heartbeat. The last one carries the report, or the failure as one sentence.
 */
export const StatusReportSchema = z.strictObject({
  workload: z.string().min(1).max(200),
  pod: z.string().min(1).max(200),
  incarnation: z.int().min(0),
  rank: z.int().min(0),
  /** Rises by one with each report of this pod; a lower one than seen is stale and changes nothing. */
  sequence: z.int().min(1),
  phase: PhaseSchema,
  step: z.int().min(0),
  stepsTotal: z.int().min(0),
  samplesPerSecond: z.number().min(0).optional(),
  stepMillis: z.number().min(0).optional(),
  remainingSeconds: z.number().min(0).optional(),
  epochs: z.array(EpochSchema).max(1000).optional(),
  metrics: z.record(z.string().max(64), z.number()).optional(),
  checkpoint: z.strictObject({ step: z.int().min(0), path: z.string().max(4096) }).optional(),
  backend: z.string().max(200).optional(),
  failure: z.string().max(4000).optional(),
  report: TrainingReportSchema.optional(),
  reportHtml: z.string().max(REPORT_HTML_BYTES_MAX).optional(),
});
export type StatusReport = z.infer<typeof StatusReportSchema>;

/** The answer with 200. A 409 means a newer incarnation exists: the pod exits at once and writes nothing more. */
export const StatusReplySchema = z.object({
  round: z.int().min(0),
  worldSize: z.int().min(1),
  stop: z.boolean().optional(),
});
export type StatusReply = z.infer<typeof StatusReplySchema>;
