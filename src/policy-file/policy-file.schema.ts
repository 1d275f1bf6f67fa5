import { z } from 'zod';
import { DEFAULT_POLICY, type Policy, type TopologyLevel } from '../core/index.js';

const isWholeMs = (seconds: number): boolean => Number.isSafeInteger(Number((seconds * 1000).toFixed(3)));
const SecondsSchema = z
  .number()
  .min(0)
  .max(31_536_000)
  .refine(isWholeMs)
  .describe('seconds, from 0 to a year, e.g. 90 or 0.5')
  .transform((seconds) => Math.round(seconds * 1000));
/** A rule for times that were read already: the file has seconds. */
const timesThatAre = (wanted: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `is ${Number(input) / 1000}, but must be ${wanted}`,
});
const CountSchema = z.int().min(0).max(1_000_000);
const HOUR_MS = 3_600_000;

/** By what the scheduler decides, as an operator writes it: times in seconds, and what it does not say is the default. */
export const PolicyFileSchema = z.strictObject({
  /** Named in every decision and in the audit: change it with the rest. */
  version: z.string().min(1).max(63),
  order: z
    .union([
      z.enum(['fair', 'fifo', 'sjf', 'srtf', 'srsf']),
      z.strictObject({ remainingPower: z.int().min(0).max(8), devicesPower: z.int().min(0).max(8) }),
    ])
    .describe('one of fair, fifo, sjf, srtf, srsf, or {remainingPower: 1, devicesPower: 1}')
    .optional(),
  fairness: z
    .strictObject({
      halfLife: SecondsSchema.refine(
        (ms) => ms > 0 && ms % HOUR_MS === 0,
        timesThatAre('whole hours in seconds, e.g. 3600'),
      ).optional(),
    })
    .default({}),
  preemption: z
    .strictObject({
      minRuntime: SecondsSchema.optional(),
      brake: z.strictObject({ evictions: CountSchema.optional(), window: SecondsSchema.optional() }).default({}),
      byOrder: z.boolean().optional(),
    })
    .default({ brake: {} }),
  backfill: z
    .strictObject({
      depth: CountSchema.optional(),
      plans: CountSchema.optional(),
      resolution: SecondsSchema.refine((ms) => ms > 0, timesThatAre('more than 0, e.g. 1')).optional(),
      patience: SecondsSchema.optional(),
      learn: z.boolean().optional(),
    })
    .default({}),
  placement: z.strictObject({ score: z.enum(['fragmentation', 'best-fit', 'spread']).optional() }).default({}),
  settle: z.strictObject({ steps: CountSchema.min(1).optional() }).default({}),
  start: z.strictObject({ deadline: SecondsSchema.optional() }).default({}),
  retry: z.strictObject({ backoff: SecondsSchema.optional(), backoffMax: SecondsSchema.optional() }).default({}),
});
export type PolicyFile = z.output<typeof PolicyFileSchema>;

/** The whole policy document; without a file, the default one. The levels are those of the fleet. */
export function policyOf(file: PolicyFile | undefined, topologyLevels: readonly TopologyLevel[]): Policy {
  const base = { ...DEFAULT_POLICY, topologyLevels };
  if (file === undefined) return base;
  const { fairness, preemption, backfill, placement, settle, start, retry } = base;
  const { evictions = preemption.brake.evictions, window = preemption.brake.windowMs } = file.preemption.brake;
  return {
    ...base,
    version: file.version,
    order: file.order ?? base.order,
    fairness: { halfLifeMs: file.fairness.halfLife ?? fairness.halfLifeMs },
    preemption: {
      minRuntimeMs: file.preemption.minRuntime ?? preemption.minRuntimeMs,
      brake: { windowMs: window, ...(evictions === undefined ? {} : { evictions }) },
      byOrder: file.preemption.byOrder ?? preemption.byOrder,
    },
    backfill: {
      depth: file.backfill.depth ?? backfill.depth,
      plans: file.backfill.plans ?? backfill.plans,
      resolutionMs: file.backfill.resolution ?? backfill.resolutionMs,
      patienceMs: file.backfill.patience ?? backfill.patienceMs,
      learn: file.backfill.learn ?? backfill.learn,
    },
    placement: { score: file.placement.score ?? placement.score },
    settle: { steps: file.settle.steps ?? settle.steps },
    start: { deadlineMs: file.start.deadline ?? start.deadlineMs },
    retry: {
      backoffMs: file.retry.backoff ?? retry.backoffMs,
      backoffMsMax: file.retry.backoffMax ?? retry.backoffMsMax,
    },
  };
}
