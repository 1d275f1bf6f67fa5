import { z } from 'zod';
import { cpuMilliOf, isQuantity, memoryMibOf } from '../../documents/quantity.js';
import { unstorablePaths } from '../../documents/unstorable-paths.js';
import { EpochSchema, JobSchema, PhaseSchema, TrainingReportSchema } from '../../trainer/contract.js';
import {
  FlavorNameSchema,
  GenerateNameSchema,
  LabelsSchema,
  NodeNameSchema,
  PodSetNameSchema,
  QueueNameSchema,
  TeamNameSchema,
  TimestampSchema,
  WorkloadNameQuerySchema,
  WorkloadNameSchema,
  pageOf,
} from '../names.schema.js';
import { WorkloadCursorSchema } from './workload-cursor.schema.js';

export const API_VERSION = 'scheduling.berth.dev/v1';

/** No node that is sold has more devices. */
export const DEVICES_PER_POD_MAX = 64;

/** A workload of more pods is refused: one decision, one transaction. */
export const PODS_PER_WORKLOAD_MAX = 1024;

/** A year. */
const RUN_SECONDS_MAX = 31_536_000;

/** So that the sums over all pods of all workloads stay exact. */
const CPU_MILLI_MAX = 1_000_000_000;
const MEMORY_MIB_MAX = 2 ** 40;

const QuantitySchema = z
  .union([z.string(), z.number()])
  .refine(isQuantity, { message: 'must be a quantity as Kubernetes writes it, e.g. 500m, 4, 64Gi', abort: true });
const CpuSchema = QuantitySchema.refine((cpu) => cpuMilliOf(cpu) <= CPU_MILLI_MAX, 'must be at most 1000000');
const MemorySchema = QuantitySchema.refine((bytes) => memoryMibOf(bytes) <= MEMORY_MIB_MAX, 'must be at most 1024Pi');

/** Of a device. */
const EIGHTH_MILLI = 125;

const AcceleratorsSchema = z
  .strictObject({
    /** In order of preference: the first that fits without borrowing wins, then with borrowing. */
    flavors: z.array(FlavorNameSchema).min(1).max(8),
    count: z.int().min(1).max(DEVICES_PER_POD_MAX).default(1),
    /** Thousandths of one device; below 1,000 the device is shared and `count` is 1. */
    milli: z.int().min(1).max(1000).default(1000),
    /** A partition (MIG) of the device by the name of its profile; `milli` is then 125 for each eighth of the memory. */
    partition: z.string().min(1).max(63).optional(),
    memory: MemorySchema.optional(),
  })
  .refine((a) => a.milli === 1000 || a.count === 1, 'a fraction of a device needs count: 1')
  .refine((a) => a.partition === undefined || (a.count === 1 && a.milli % EIGHTH_MILLI === 0), {
    path: ['partition'],
    message: 'needs count: 1, and as milli 125 for each eighth of the memory of the device',
  })
  .meta({ id: 'Accelerators' });

const TolerationSchema = z.strictObject({
  key: z.string().min(1).optional(),
  operator: z.enum(['Exists', 'Equal']).default('Equal'),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
});

const ContainerSchema = z.strictObject({
  name: z.string().min(1).max(63),
  image: z.string().max(512).optional(),
  command: z.array(z.string().max(32_768)).min(1).max(256),
  args: z.array(z.string().max(32_768)).max(256).default([]),
  env: z
    .array(z.strictObject({ name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), value: z.string().max(32_768) }))
    .max(256)
    .default([]),
});

const PodTemplateSchema = z
  .strictObject({
    metadata: z.strictObject({ labels: LabelsSchema.optional() }).optional(),
    spec: z.strictObject({
      containers: z.array(ContainerSchema).length(1, 'a pod has exactly one container'),
      restartPolicy: z.literal('Never').default('Never'),
    }),
  })
  .meta({ id: 'PodTemplate' });

const TopologySchema = z.union([
  z.strictObject({ required: z.string().min(1).max(63) }),
  z.strictObject({ preferred: z.string().min(1).max(63) }),
  /** Every `size` pods share one domain of the level. */
  z.strictObject({
    slice: z.strictObject({ level: z.string().min(1).max(63), size: z.int().min(1).max(PODS_PER_WORKLOAD_MAX) }),
  }),
]);

function hasWholeSlices(topology: z.output<typeof TopologySchema> | undefined, pods: number): boolean {
  return topology === undefined || !('slice' in topology) || pods % topology.slice.size === 0;
}

const PodSetSchema = z
  .strictObject({
    name: PodSetNameSchema.default('worker'),
    count: z.int().min(1).max(PODS_PER_WORKLOAD_MAX).default(1),
    minCount: z.int().min(1).max(PODS_PER_WORKLOAD_MAX).optional(),
    cpu: CpuSchema.default('1'),
    memory: MemorySchema.default('1Gi'),
    accelerators: AcceleratorsSchema.optional(),
    nodeSelector: LabelsSchema.default({}),
    tolerations: z.array(TolerationSchema).max(32).default([]),
    topology: TopologySchema.optional(),
    /** What a pod runs: either a command of yours … */
    template: PodTemplateSchema.optional(),
    /** … or the trainer, with its job file. */
    trainer: JobSchema.optional(),
  })
  .refine((s) => (s.template === undefined) !== (s.trainer === undefined), 'needs exactly one of template and trainer')
  .refine((s) => s.minCount === undefined || s.minCount <= s.count, {
    path: ['minCount'],
    message: 'must not be above count',
  })
  .refine((s) => hasWholeSlices(s.topology, s.count) && hasWholeSlices(s.topology, s.minCount ?? s.count), {
    path: ['topology', 'slice', 'size'],
    message: 'must divide count and minCount',
  })
  .meta({ id: 'PodSet' });

export const WorkloadDocumentSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Workload'),
    metadata: z
      .strictObject({
        name: WorkloadNameSchema.optional(),
        /** The server appends five characters, as Kubernetes does. */
        generateName: GenerateNameSchema.optional(),
        /** The team. */
        namespace: TeamNameSchema.optional(),
        labels: LabelsSchema.default({}),
      })
      .refine(
        (m) => (m.name === undefined) !== (m.generateName === undefined),
        'needs exactly one of name and generateName',
      ),
    spec: z.strictObject({
      queue: QueueNameSchema,
      kind: z.enum(['training', 'inference', 'pods']).default('training'),
      priority: z.int().min(-1_000_000).max(1_000_000).default(0),
      preemptible: z.boolean().default(true),
      maxRetries: z.int().min(0).max(100).default(3),
      /** What the user expects; absent: unknown. */
      estimatedRunSeconds: z.int().min(1).max(RUN_SECONDS_MAX).optional(),
      /** It fails when it runs for longer; absent: no limit. */
      maxRunSeconds: z.int().min(1).max(RUN_SECONDS_MAX).optional(),
      /** How often it saves what it has done; absent: unknown, and what was not saved counts as lost. */
      checkpointEverySeconds: z.int().min(1).max(RUN_SECONDS_MAX).optional(),
      terminationGracePeriodSeconds: z.int().min(0).max(3600).default(30),
      podSets: z.array(PodSetSchema).min(1).max(16),
    }),
  })
  .refine((w) => w.spec.podSets.reduce((sum, set) => sum + set.count, 0) <= PODS_PER_WORKLOAD_MAX, {
    path: ['spec', 'podSets'],
    message: `has more than ${PODS_PER_WORKLOAD_MAX} pods`,
  })
  .refine((w) => new Set(w.spec.podSets.map((set) => set.name)).size === w.spec.podSets.length, {
    path: ['spec', 'podSets'],
    message: 'has two pod sets of one name',
  })
  .superRefine((document, context) => {
    // No environment variable, no argument and no text of PostgreSQL can hold them.
    for (const path of unstorablePaths(document)) {
      context.addIssue({ code: 'custom', path: [...path], message: 'holds a NUL or half a surrogate pair' });
    }
  })
  .meta({ id: 'WorkloadDocument' });
/** A workload as a user writes it, defaults filled in. */
export type WorkloadDocument = z.output<typeof WorkloadDocumentSchema>;
/** A workload as a user may write it. */
export type WorkloadDocumentInput = z.input<typeof WorkloadDocumentSchema>;

export const WorkloadStateSchema = z.enum([
  'pending',
  'starting',
  'running',
  'evicting',
  'succeeded',
  'failed',
  'cancelled',
]);
export type WorkloadState = z.infer<typeof WorkloadStateSchema>;

export const WorkloadPodSchema = z
  .strictObject({
    name: z.string(),
    podSet: z.string(),
    index: z.int(),
    rank: z.int(),
    incarnation: z.int(),
    node: NodeNameSchema,
    slots: z.array(z.int()),
    /** `waiting`: for pods that are still on its devices, which stop to make room for it. */
    state: z.enum(['waiting', 'expected', 'bound', 'started', 'leaving', 'ended', 'gone', 'refused']),
    exitCode: z.int().optional(),
    detail: z.string().optional(),
    /** The pod in Kubernetes, where others made it. */
    found: z.strictObject({ namespace: z.string(), name: z.string(), uid: z.string() }).optional(),
  })
  .meta({ id: 'WorkloadPod' });
export type WorkloadPod = z.infer<typeof WorkloadPodSchema>;

export const WorkloadProgressSchema = z
  .strictObject({
    phase: PhaseSchema,
    step: z.int(),
    stepsTotal: z.int(),
    samplesPerSecond: z.number().optional(),
    remainingSeconds: z.number().optional(),
    epochs: z.array(EpochSchema),
    backend: z.string().optional(),
    checkpointStep: z.int().optional(),
    reportedAt: TimestampSchema,
  })
  .meta({ id: 'WorkloadProgress' });
export type WorkloadProgress = z.infer<typeof WorkloadProgressSchema>;

export const WorkloadSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Workload'),
    metadata: z.strictObject({
      uid: z.uuid(),
      name: z.string(),
      namespace: z.string(),
      labels: LabelsSchema,
      creationTimestamp: TimestampSchema,
      createdBy: z.string(),
    }),
    spec: WorkloadDocumentSchema.shape.spec,
    status: z.strictObject({
      state: WorkloadStateSchema,
      /** While pending the binding constraint, after the end why; one word. */
      reason: z.string(),
      /** The same in a sentence, empty when there is nothing to say. */
      message: z.string(),
      cancelRequested: z.boolean(),
      incarnation: z.int(),
      retries: z.int(),
      /** While it waits, when it is expected to start; not a promise, and absent when nothing is known. */
      plannedStart: TimestampSchema.optional(),
      /** When it last had to stop and was queued again: why in one word, and in a sentence. */
      lastEviction: z.strictObject({ at: TimestampSchema, reason: z.string(), message: z.string() }).optional(),
      startedAt: TimestampSchema.optional(),
      finishedAt: TimestampSchema.optional(),
      /** Those of the present incarnation. */
      pods: z.array(WorkloadPodSchema),
      /** Milli-devices (or milli-CPU) that its queue is charged now, by flavor. */
      charged: z.record(z.string(), z.int()),
      /** Of rank 0. */
      progress: WorkloadProgressSchema.optional(),
      /** Metrics on the test split, e.g. `accuracy`; present when there is a report. */
      result: z.record(z.string(), z.number()).optional(),
    }),
  })
  .meta({ id: 'Workload' });
export type Workload = z.infer<typeof WorkloadSchema>;

export const WorkloadPageSchema = pageOf(WorkloadSchema).meta({ id: 'WorkloadPage' });
export type WorkloadPage = z.infer<typeof WorkloadPageSchema>;

export const ListWorkloadsSchema = z.strictObject({
  team: TeamNameSchema.optional(),
  queue: QueueNameSchema.optional(),
  name: WorkloadNameQuerySchema.optional(),
  state: WorkloadStateSchema.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: WorkloadCursorSchema.optional(),
});
export type ListWorkloads = z.infer<typeof ListWorkloadsSchema>;

export const WorkloadExplanationSchema = z
  .strictObject({
    workload: z.uuid(),
    state: WorkloadStateSchema,
    /** What the constraint is, how much is missing, what would start it: sentences for people. */
    sentence: z.string(),
    constraint: z.string().optional(),
    also: z.array(z.string()),
    changes: z.array(z.string()),
    /** The core's verdict, as data. */
    verdict: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'WorkloadExplanation' });
export type WorkloadExplanation = z.infer<typeof WorkloadExplanationSchema>;

export const WorkloadReportSchema = TrainingReportSchema.meta({ id: 'TrainingReport' });
