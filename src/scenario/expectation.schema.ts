import { z } from 'zod';
import { SecondsSchema } from './seconds.js';

const NamesSchema = z.array(z.string());
const CountsSchema = z.record(z.string(), z.int().min(0));
const CONSTRAINTS = [
  'hold',
  'dependency',
  'selector',
  'quota',
  'budget',
  'priority',
  'topology',
  'gang',
  'node-state',
  'capacity',
] as const;

/** What must be true at a time, after the scheduler has come to rest; `end`: when nothing happens any more. */
export const ExpectationSchema = z
  .strictObject({
    at: SecondsSchema.optional(),
    end: z.literal(true).optional(),
    running: NamesSchema.optional(),
    runningIncludes: NamesSchema.optional(),
    pending: NamesSchema.optional(),
    pendingIncludes: NamesSchema.optional(),
    evicted: NamesSchema.optional(),
    evictedIncludes: NamesSchema.optional(),
    neverEvicted: NamesSchema.optional(),
    countRunning: z.strictObject({ of: NamesSchema, is: z.int().min(0) }).optional(),
    reason: z.record(z.string(), z.enum(CONSTRAINTS)).optional(),
    /** Fields of the one change that the explanation offers, or of each of several. */
    change: z
      .record(z.string(), z.union([z.record(z.string(), z.unknown()), z.array(z.record(z.string(), z.unknown()))]))
      .optional(),
    pods: CountsSchema.optional(),
    podsPerSet: z.record(z.string(), CountsSchema).optional(),
    domains: z.record(z.string(), CountsSchema).optional(),
    on: z.record(z.string(), z.union([NamesSchema, CountsSchema])).optional(),
    usage: z.record(z.string(), z.record(z.string(), z.number().min(0))).optional(),
    share: z.record(z.string(), z.int().min(0)).optional(),
    plannedStart: z.record(z.string(), z.tuple([SecondsSchema, SecondsSchema])).optional(),
    evictions: CountsSchema.optional(),
    finishedBy: z.record(z.string(), SecondsSchema).optional(),
  })
  .superRefine((expectation, context) => {
    const { at, end } = expectation;
    if ((at === undefined) !== (end === undefined)) return;
    context.addIssue({ code: 'custom', path: [], message: 'must have either at or end' });
  });
export type Expectation = z.infer<typeof ExpectationSchema>;
