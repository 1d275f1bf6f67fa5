import { z } from 'zod';
import { DEFAULT_POLICY, type Policy, type TopologyLevel } from '../core/index.js';
import { SecondsSchema, msOf, optionalMs } from './seconds.js';

const CountSchema = z.int().min(0);

/** Any part of the policy document, times in seconds. */
export const ScenarioPolicySchema = z.strictObject({
  order: z
    .union([
      z.enum(['fair', 'fifo', 'sjf', 'srtf', 'srsf']),
      z.strictObject({ remainingPower: z.int(), devicesPower: z.int() }),
    ])
    .optional(),
  fairness: z.strictObject({ halfLife: SecondsSchema.optional() }).optional(),
  preemption: z
    .strictObject({
      minRuntime: SecondsSchema.optional(),
      brake: z.strictObject({ evictions: CountSchema.optional(), window: SecondsSchema.optional() }).optional(),
      byOrder: z.boolean().optional(),
    })
    .optional(),
  backfill: z
    .strictObject({
      depth: CountSchema.optional(),
      plans: CountSchema.optional(),
      resolution: SecondsSchema.optional(),
      patience: SecondsSchema.optional(),
      learn: z.boolean().optional(),
    })
    .optional(),
  placement: z.strictObject({ score: z.enum(['fragmentation', 'best-fit', 'spread']).optional() }).optional(),
  settle: z.strictObject({ steps: z.int().min(1).optional() }).optional(),
  start: z.strictObject({ deadline: SecondsSchema.optional() }).optional(),
  retry: z.strictObject({ backoff: SecondsSchema.optional(), backoffMax: SecondsSchema.optional() }).optional(),
});
export type ScenarioPolicy = z.infer<typeof ScenarioPolicySchema>;

/** The policy document that a scenario plays under: what it does not say has the default. */
export function policyOf(wish: ScenarioPolicy, topologyLevels: readonly TopologyLevel[]): Policy {
  const { fairness, preemption, backfill, placement, settle, start, retry } = DEFAULT_POLICY;
  const { brake = {}, byOrder = preemption.byOrder, minRuntime } = wish.preemption ?? {};
  const { resolution, patience, ...counts } = wish.backfill ?? {};
  return {
    version: 'scenario',
    topologyLevels,
    order: wish.order ?? DEFAULT_POLICY.order,
    fairness: { ...fairness, ...optionalMs('halfLifeMs', wish.fairness?.halfLife) },
    preemption: {
      ...preemption,
      ...optionalMs('minRuntimeMs', minRuntime),
      byOrder,
      brake: {
        ...(brake.evictions === undefined ? preemption.brake : { evictions: brake.evictions }),
        windowMs: brake.window === undefined ? preemption.brake.windowMs : msOf(brake.window),
      },
    },
    backfill: {
      depth: counts.depth ?? backfill.depth,
      plans: counts.plans ?? backfill.plans,
      learn: counts.learn ?? backfill.learn,
      resolutionMs: resolution === undefined ? backfill.resolutionMs : msOf(resolution),
      patienceMs: patience === undefined ? backfill.patienceMs : msOf(patience),
    },
    placement: { ...placement, score: wish.placement?.score ?? placement.score },
    settle: { steps: wish.settle?.steps ?? settle.steps },
    start: { ...start, ...optionalMs('deadlineMs', wish.start?.deadline) },
    retry: {
      ...retry,
      ...optionalMs('backoffMs', wish.retry?.backoff),
      ...optionalMs('backoffMsMax', wish.retry?.backoffMax),
    },
  };
}
