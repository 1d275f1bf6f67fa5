import { z } from 'zod';
import { FlavorNameSchema, QueueNameSchema, TeamNameSchema, TimestampSchema, pageOf } from '../names.schema.js';

/** All amounts in milli-devices, or milli-CPU for a flavor without accelerators. */
export const QueueFlavorSchema = z
  .strictObject({
    flavor: FlavorNameSchema,
    nominal: z.int(),
    borrowingLimit: z.int().optional(),
    lendingLimit: z.int().optional(),
    maxPerWorkload: z.int().optional(),
    /** What the queue and those below it are charged now. */
    used: z.int(),
    /** What could still be charged now, own and borrowed; negative when a quota was lowered below its use. */
    available: z.int(),
  })
  .meta({ id: 'QueueFlavor' });
export type QueueFlavor = z.infer<typeof QueueFlavorSchema>;

export const QueueSchema = z
  .strictObject({
    name: QueueNameSchema,
    parent: QueueNameSchema.optional(),
    team: TeamNameSchema.optional(),
    weight: z.int(),
    /** What it may take back from borrowers. */
    reclaim: z.enum(['any', 'lowerPriority', 'never']),
    /** Whether a workload may stop others of the same queue. */
    withinQueue: z.enum(['lowerPriority', 'never']),
    /** Only leaves take workloads. */
    leaf: z.boolean(),
    flavors: z.array(QueueFlavorSchema),
    workloads: z.strictObject({ pending: z.int(), running: z.int() }),
  })
  .meta({ id: 'Queue' });
export type Queue = z.infer<typeof QueueSchema>;

export const QueuePageSchema = pageOf(QueueSchema).meta({ id: 'QueuePage' });

export const TeamSchema = z
  .strictObject({
    name: TeamNameSchema,
    title: z.string(),
    createdAt: TimestampSchema,
    queues: z.array(QueueNameSchema),
  })
  .meta({ id: 'Team' });
export type Team = z.infer<typeof TeamSchema>;

export const TeamPageSchema = pageOf(TeamSchema).meta({ id: 'TeamPage' });
