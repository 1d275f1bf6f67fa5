import { z } from 'zod';

/**
 * The job file of `berth train`: what to learn, from which data, with which model.
 *
 * Only what this version does is in here: a field that is not implemented is an unknown field, and so an error with
 * its line, never silently ignored.
 */

const NameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 lower-case letters, digits or dashes');
const ColumnSchema = z.string().min(1, 'must name a column of the data').max(200);
const PathSchema = z
  .string()
  .min(1, 'must be a path')
  .max(4096)
  .refine(
    (path) => !/^file:\/\/(?!\/)|^file:.*%2f/i.test(path),
    'must be a path of this machine: file:///…, and no host',
  );
const FractionSchema = z.number().min(0).lt(1, 'must be below 1');
const PositiveSchema = z.number().positive();

export const FEATURES_MAX = 10_000;

const NumberFeatureSchema = z.strictObject({
  name: ColumnSchema,
  type: z.literal('number'),
  /** `robust` is (value - median) / interquartile range. Fitted on the training split only. */
  normalise: z.enum(['zscore', 'minmax01', 'minmax11', 'robust', 'none']).default('zscore'),
  missing: z.enum(['drop', 'mean', 'median', 'constant']).default('mean'),
  /** The value for `missing: constant`. */
  fill: z.number().optional(),
});

const CategoryFeatureSchema = z.strictObject({
  name: ColumnSchema,
  type: z.literal('category'),
  /** `category` keeps "missing" as a value of its own. */
  missing: z.enum(['drop', 'category', 'constant']).default('category'),
  fill: z.string().min(1).optional(),
});

const FeatureSchema = z
  .discriminatedUnion('type', [NumberFeatureSchema, CategoryFeatureSchema])
  .refine((feature) => (feature.missing === 'constant') === (feature.fill !== undefined), {
    path: ['fill'],
    message: 'goes with "missing: constant", and is required there',
  });

const TargetSchema = z.discriminatedUnion('type', [
  z.strictObject({
    name: ColumnSchema,
    type: z.literal('binary'),
    /** The class that counts as positive; by default the last of the two in code-unit order. */
    positive: z.string().min(1).optional(),
  }),
  z.strictObject({ name: ColumnSchema, type: z.literal('category') }),
  z.strictObject({ name: ColumnSchema, type: z.literal('number') }),
]);

const DataSchema = z.strictObject({
  format: z.literal('csv'),
  /** A file with a header line, `.gz` or not; a relative path starts at the job file. */
  train: PathSchema,
  test: PathSchema.optional(),
  /** The share of the training file held back for validation, stratified by the target. */
  validation: FractionSchema.default(0.1),
});

const OutliersSchema = z.strictObject({
  column: ColumnSchema,
  /** `iqr`: beyond 1.5 interquartile ranges from the quartiles; `zscore`: beyond 3 standard deviations. */
  method: z.enum(['iqr', 'zscore']),
  /** `drop` removes rows of the training split; `clip` limits the value in every split. */
  action: z.enum(['clip', 'drop']),
});

const CleanSchema = z.strictObject({
  duplicates: z.enum(['keep', 'drop']).default('keep'),
  outliers: z.union([OutliersSchema, z.array(OutliersSchema).max(FEATURES_MAX)]).optional(),
});

export const ActivationSchema = z.enum(['relu', 'leakyRelu', 'elu', 'gelu', 'sigmoid', 'tanh', 'swish']);
export type Activation = z.infer<typeof ActivationSchema>;

const ModelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('mlp'),
    /** Width of each hidden layer, from the input to the output. */
    hidden: z.array(z.int().min(1).max(65_536)).max(64),
    activation: ActivationSchema.default('relu'),
    /** Share of each hidden layer's outputs that is dropped while training. */
    dropout: FractionSchema.default(0),
    /** Adds `l2 · Σ w²` over the weights, not the biases, to what is minimised. */
    l2: z.number().min(0).default(0),
  }),
]);

const AdamFields = {
  learningRate: PositiveSchema.default(1e-3),
  beta1: FractionSchema.default(0.9),
  beta2: FractionSchema.default(0.999),
  /** Added to √v before the bias correction, as Keras does; PyTorch adds it after. */
  epsilon: PositiveSchema.default(1e-7),
} as const;

const OptimizerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('adam'), ...AdamFields }),
  z.strictObject({
    type: z.literal('adamw'),
    ...AdamFields,
    /** Decoupled: each step also multiplies the weights, not the biases, by 1 - learningRate · weightDecay. */
    weightDecay: z.number().min(0).default(0.01),
  }),
]);

const WarmupSchema = z.int().min(0).max(1_000_000_000).default(0);
const ScheduleSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('constant'), warmupSteps: WarmupSchema }),
  z.strictObject({ type: z.literal('linear'), warmupSteps: WarmupSchema }),
  z.strictObject({ type: z.literal('cosine'), warmupSteps: WarmupSchema }),
]);

const TrainSchema = z.strictObject({
  epochs: z.int().min(1).max(100_000),
  batchSize: z.int().min(1).max(1_000_000).default(32),
  optimizer: OptimizerSchema.prefault({ type: 'adam' }),
  schedule: ScheduleSchema.prefault({ type: 'constant' }),
  /** Gradients are scaled down together when their global norm is larger. */
  clipNorm: PositiveSchema.optional(),
  earlyStop: z
    .strictObject({
      /** Epochs without a lower validation loss before training ends. */
      patience: z.int().min(1).max(100_000),
      restoreBest: z.boolean().default(true),
    })
    .optional(),
  /** For example `90s`, `30m`, `2h`; training then goes on to the evaluation. */
  maxTime: z
    .string()
    .regex(/^[1-9]\d{0,6}[smh]$/, 'must be a number and s, m or h, for example 2h')
    .optional(),
});

const MetricSchema = z.enum(['accuracy', 'precision', 'recall', 'f1', 'rocAuc', 'mae', 'mse', 'r2']);

const EvaluateSchema = z.strictObject({
  /** Reported besides the loss; by default all that fit the target. */
  metrics: z.array(MetricSchema).min(1).max(16).optional(),
  /** A binary target is called positive from this probability on. */
  threshold: z.number().gt(0).lt(1).default(0.5),
});

const CheckpointSchema = z.strictObject({
  everySteps: z.int().min(1).max(1_000_000_000).default(500),
  /** How many of the newest stay, besides the best. */
  keep: z.int().min(1).max(1000).default(3),
  dir: PathSchema.default('./checkpoints'),
});

/** What rules across fields look at, as far as it is readable; the rest is reported by its own field. */
const NamedSchema = z.object({ name: z.string().catch(''), type: z.string().catch('') }).catch({ name: '', type: '' });
const OutlineSchema = z.object({
  features: z.array(NamedSchema).catch([]),
  target: NamedSchema,
  clean: z.object({ outliers: z.unknown().optional() }).catch({ outliers: undefined }),
  data: z
    .object({ validation: z.number().catch(1), test: z.unknown().optional() })
    .catch({ validation: 1, test: undefined }),
  train: z.object({ earlyStop: z.unknown().optional() }).catch({ earlyStop: undefined }),
  evaluate: z.object({ metrics: z.array(z.string().catch('')).catch([]) }).catch({ metrics: [] }),
});
type Outline = z.infer<typeof OutlineSchema>;

const TargetTypeSchema = z.enum(['binary', 'category', 'number']);

export const JobSchema = z
  .strictObject({
    name: NameSchema,
    seed: z.int().min(0).max(2_147_483_647).default(0),
    data: DataSchema,
    features: z.array(FeatureSchema).min(1).max(FEATURES_MAX),
    target: TargetSchema,
    clean: CleanSchema.prefault({}),
    model: ModelSchema,
    train: TrainSchema,
    evaluate: EvaluateSchema.prefault({}),
    checkpoint: CheckpointSchema.prefault({}),
  })
  .superRefine(
    (job, context) => {
      const outline = OutlineSchema.safeParse(job);
      if (!outline.success) return;
      for (const { path, message } of [...namingMistakes(outline.data), ...evaluationMistakes(outline.data)]) {
        context.addIssue({ code: 'custom', path, message });
      }
    },
    // Runs also when a field is wrong by itself, so that one reading shows all mistakes.
    { when: () => true },
  )
  .meta({ id: 'TrainerJob' });
export type Job = z.infer<typeof JobSchema>;

export type Feature = Job['features'][number];
export type Target = Job['target'];
export type Outliers = z.infer<typeof OutliersSchema>;
export type Metric = z.infer<typeof MetricSchema>;

interface Mistake {
  readonly path: (string | number)[];
  readonly message: string;
}

const METRICS_OF: Readonly<Record<Target['type'], readonly Metric[]>> = {
  binary: ['accuracy', 'precision', 'recall', 'f1', 'rocAuc'],
  category: ['accuracy', 'precision', 'recall', 'f1'],
  number: ['mae', 'mse', 'r2'],
};

/** The metrics that are reported for a job. */
export function metricsOf(job: Job): readonly Metric[] {
  return job.evaluate.metrics ?? METRICS_OF[job.target.type];
}

/** `clean.outliers` may be one rule or a list. */
export function outliersOf(job: Pick<Job, 'clean'>): readonly Outliers[] {
  const { outliers } = job.clean;
  if (outliers === undefined) return [];
  return Array.isArray(outliers) ? outliers : [outliers];
}

/** `2h` in seconds. */
export function durationSeconds(text: string): number {
  const unitSeconds = text.endsWith('h') ? 3600 : text.endsWith('m') ? 60 : 1;
  return Number.parseInt(text, 10) * unitSeconds;
}

function namingMistakes({ features, target, clean }: Outline): Mistake[] {
  const mistakes: Mistake[] = [];
  const seen = new Set<string>();
  for (const [index, { name }] of features.entries()) {
    if (name === '') continue;
    const path = ['features', index, 'name'];
    if (seen.has(name)) mistakes.push({ path, message: `names "${name}" a second time` });
    if (name === target.name) mistakes.push({ path, message: `"${name}" is the target: a model must not see it` });
    seen.add(name);
  }
  const rules = z.array(z.unknown()).safeParse(clean.outliers);
  for (const [index, rule] of (rules.success ? rules.data : [clean.outliers]).entries()) {
    const { success, data } = z.object({ column: z.string() }).safeParse(rule);
    if (!success || features.some(({ name, type }) => name === data.column && type === 'number')) continue;
    const path = ['clean', 'outliers', ...(rules.success ? [index] : []), 'column'];
    mistakes.push({ path, message: `"${data.column}" is not a number feature of this job` });
  }
  return mistakes;
}

function evaluationMistakes({ target, evaluate, data, train }: Outline): Mistake[] {
  const mistakes: Mistake[] = [];
  const type = TargetTypeSchema.safeParse(target.type);
  for (const [index, metric] of evaluate.metrics.entries()) {
    const known = MetricSchema.safeParse(metric);
    if (!type.success || !known.success || METRICS_OF[type.data].includes(known.data)) continue;
    const message = `"${metric}" does not fit a ${type.data} target; use ${METRICS_OF[type.data].join(', ')}`;
    mistakes.push({ path: ['evaluate', 'metrics', index], message });
  }
  if (data.validation > 0) return mistakes;
  if (train.earlyStop !== undefined) {
    mistakes.push({ path: ['train', 'earlyStop'], message: 'needs data.validation above 0 to watch' });
  }
  if (data.test === undefined) {
    mistakes.push({ path: ['data', 'test'], message: 'is required where data.validation is 0: nothing else tests' });
  }
  return mistakes;
}
