import { z } from 'zod';
import type { FlavorQuota, QueueSpec } from '../core/index.js';

/** Devices by flavor, or CPUs of the flavor `cpu`; thousandths are allowed. */
const AmountsSchema = z.record(
  z.string().min(1).max(63),
  z
    .number()
    .min(0)
    .max(1e9)
    .refine((value) => Number.isInteger(Number((value * 1000).toFixed(6))))
    .describe('a number of devices or CPUs, e.g. 8 or 0.5'),
);

/** What may be said of a queue at its beginning, and changed later. */
export const QUEUE_KEYS = {
  nominal: AmountsSchema.optional(),
  borrowingLimit: AmountsSchema.optional(),
  lendingLimit: AmountsSchema.optional(),
  maxPerWorkload: AmountsSchema.optional(),
  weight: z.int().min(0).max(1_000_000).optional(),
  reclaim: z.enum(['any', 'lowerPriority', 'never']).optional(),
  withinQueue: z.enum(['lowerPriority', 'never']).optional(),
};
export const ScenarioQueueSchema = z.strictObject({
  name: z.string().min(1).max(200),
  parent: z.string().optional(),
  /** Device-seconds, decayed. */
  pastUsage: AmountsSchema.optional(),
  ...QUEUE_KEYS,
});
export type ScenarioQueue = z.infer<typeof ScenarioQueueSchema>;

export type QueueChange = { readonly [Key in keyof typeof QUEUE_KEYS]?: z.infer<(typeof QUEUE_KEYS)[Key]> };

const AMOUNTS = ['nominal', 'borrowingLimit', 'lendingLimit', 'maxPerWorkload'] as const;

/** Which flavors each key of a queue has an amount of. */
export function amountsIn(
  queue: QueueChange & Pick<ScenarioQueue, 'pastUsage'>,
): readonly { readonly key: string; readonly flavor: string }[] {
  return [...AMOUNTS, 'pastUsage' as const].flatMap((key) =>
    Object.keys(queue[key] ?? {}).map((flavor) => ({ key, flavor })),
  );
}

export function queueSpecOf(queue: ScenarioQueue): QueueSpec {
  const bare: QueueSpec = {
    name: queue.name,
    ...(queue.parent === undefined ? {} : { parent: queue.parent }),
    weight: 1,
    quotas: {},
    reclaim: 'any',
    withinQueue: 'lowerPriority',
    ...(queue.pastUsage === undefined ? {} : { pastUsage: inMilli(queue.pastUsage) }),
  };
  return changedQueue(bare, queue);
}

/** The queue with what a later event says of it; flavors that are not named stay as they are. */
export function changedQueue(before: QueueSpec, change: QueueChange): QueueSpec {
  const quotas: Record<string, FlavorQuota> = { ...before.quotas };
  for (const flavor of new Set(AMOUNTS.flatMap((key) => Object.keys(change[key] ?? {})))) {
    const limits = AMOUNTS.flatMap((key): [string, number][] => {
      const amount = change[key]?.[flavor];
      return amount === undefined ? [] : [[key, milliOf(amount)]];
    });
    quotas[flavor] = { nominal: 0, ...quotas[flavor], ...Object.fromEntries(limits) };
  }
  const { weight = before.weight, reclaim = before.reclaim, withinQueue = before.withinQueue } = change;
  return { ...before, quotas, weight, reclaim, withinQueue };
}

function milliOf(amount: number): number {
  return Math.round(amount * 1000);
}

function inMilli(amounts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(amounts).map(([flavor, amount]) => [flavor, milliOf(amount)]));
}
