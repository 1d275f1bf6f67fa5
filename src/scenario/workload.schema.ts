import { z } from 'zod';
import { DEFAULT_MODEL, QuantitySchema } from '../fleet-file/fleet.schema.js';
import { PastOrFutureSchema, SecondsSchema } from './seconds.js';

const PODS_MAX = 1_000_000;

const NameSchema = z.string().min(1).max(200);
const ModelSchema = z.string().min(1).max(63);
/** `key=value:NoSchedule`, `key:NoSchedule`, `key=value` or `key`. */
export const TOLERATION = /^([^=:\s]{1,317})(?:=([^=:\s]{0,63}))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/;

const TopologySchema = z
  .union([
    z.strictObject({ required: z.string() }),
    z.strictObject({ preferred: z.string() }),
    z.strictObject({ slice: z.strictObject({ size: z.int().min(1), level: z.string() }) }),
  ])
  .describe('one of {required: rack}, {preferred: rack}, {slice: {size: 4, level: host}}');

export const ScenarioPodSetSchema = z
  .strictObject({
    name: NameSchema,
    count: z.int().min(1).max(PODS_MAX).default(1),
    minCount: z.int().min(1).optional(),
    /** Of each pod. */
    accelerators: z.int().min(0).max(1024).optional(),
    model: ModelSchema.optional(),
    /** In order of preference, instead of `model`. */
    models: z.array(ModelSchema).min(1).max(16).optional(),
    milli: z.int().min(1).max(1000).default(1000),
    deviceMemory: QuantitySchema.optional(),
    mig: z.string().optional(),
    cpu: QuantitySchema.default(1),
    memory: QuantitySchema.default('1Gi'),
    selector: z.record(z.string(), z.string()).default({}),
    tolerations: z
      .array(z.string().regex(TOLERATION).describe('a toleration, e.g. key=value:NoSchedule or key'))
      .default([]),
    topology: TopologySchema.optional(),
  })
  .superRefine((pods, context) => {
    const report = (key: keyof typeof pods, message: string): void => {
      context.addIssue({ code: 'custom', path: [key], message });
    };
    if (pods.minCount !== undefined && pods.minCount > pods.count) report('minCount', 'is more than count');
    if (pods.model !== undefined && pods.models !== undefined) report('models', 'does not go with model');
    if (pods.milli < 1000 && devicesOf(pods) !== 1) report('milli', 'is for pods with one accelerator');
    if (pods.mig !== undefined && devicesOf(pods) !== 1) report('mig', 'is for pods with one accelerator');
    if (pods.mig !== undefined && pods.milli < 1000) report('milli', 'does not go with mig, which says it');
    if (devicesOf(pods) > 0) return;
    for (const key of ['model', 'models', 'deviceMemory'] as const) {
      if (pods[key] !== undefined) report(key, 'needs accelerators');
    }
  });
export type ScenarioPodSet = z.infer<typeof ScenarioPodSetSchema>;

/** Devices of each pod: a partition is one. */
export function devicesOf({ accelerators, mig }: Pick<ScenarioPodSet, 'accelerators' | 'mig'>): number {
  return accelerators ?? (mig === undefined ? 0 : 1);
}

/** The models that a pod may run on, best first. */
export function modelsOf(pods: ScenarioPodSet): readonly string[] {
  return devicesOf(pods) === 0 ? [] : (pods.models ?? [pods.model ?? DEFAULT_MODEL]);
}

export const ScenarioWorkloadSchema = z.strictObject({
  name: NameSchema,
  queue: NameSchema,
  kind: z.enum(['training', 'inference', 'pods']).default('training'),
  priority: z.int().default(0),
  preemptible: z.boolean().default(true),
  /** By default when it is told. */
  submittedAt: PastOrFutureSchema.optional(),
  /** Of one that runs from the beginning. */
  startedAt: PastOrFutureSchema.default(0),
  /** How long it really runs; absent: for ever. */
  runtime: SecondsSchema.optional(),
  estimate: SecondsSchema.optional(),
  limit: SecondsSchema.optional(),
  deadline: PastOrFutureSchema.optional(),
  checkpointEvery: SecondsSchema.positive().describe('seconds, more than 0, e.g. 600').optional(),
  hold: z.boolean().default(false),
  dependsOn: z.array(NameSchema).max(1000).optional(),
  pods: z.array(ScenarioPodSetSchema).min(1).max(100),
  /** Pods by node, of each pod set; absent: it waits. */
  running: z.record(NameSchema, z.record(NameSchema, z.int().min(0))).optional(),
});
export type ScenarioWorkload = z.infer<typeof ScenarioWorkloadSchema>;
