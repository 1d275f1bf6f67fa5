import { z } from 'zod';
import { FlavorNameSchema, LabelsSchema, QueueNameSchema, TeamNameSchema } from '../names.schema.js';

/** Devices, or CPUs for a flavor without accelerators; thousandths are allowed. */
const AmountSchema = z
  .number()
  .min(0)
  .max(1_000_000)
  .refine((value) => Number.isInteger(Number((value * 1000).toFixed(6))), 'must be a multiple of 0.001');

const FlavorQuotaSchema = z.strictObject({
  nominal: AmountSchema,
  borrowingLimit: AmountSchema.optional(),
  lendingLimit: AmountSchema.optional(),
  maxPerWorkload: AmountSchema.optional(),
});

/** Teams, flavors and the quota tree, as an operator writes them; applied at each start, by name. */
export const QuotaFileSchema = z
  .strictObject({
    teams: z.array(z.strictObject({ name: TeamNameSchema, title: z.string().min(1).max(100) })).max(10_000),
    flavors: z
      .array(
        z.strictObject({
          name: FlavorNameSchema,
          model: z.string().max(100).optional(),
          nodeLabels: LabelsSchema.default({}),
        }),
      )
      .max(1_000),
    /** Parents come before their children. */
    queues: z
      .array(
        z.strictObject({
          name: QueueNameSchema,
          parent: QueueNameSchema.optional(),
          team: TeamNameSchema.optional(),
          weight: z.int().min(0).max(1_000_000).default(1),
          reclaim: z.enum(['any', 'lowerPriority', 'never']).default('any'),
          withinQueue: z.enum(['lowerPriority', 'never']).default('lowerPriority'),
          quotas: z.record(FlavorNameSchema, FlavorQuotaSchema).default({}),
        }),
      )
      .max(10_000),
  })
  .superRefine((file, context) => {
    const teams = new Set(file.teams.map(({ name }) => name));
    const flavors = new Set(file.flavors.map(({ name }) => name));
    const queues = new Set<string>();
    for (const [index, queue] of file.queues.entries()) {
      const report = (field: string, message: string): void => {
        context.addIssue({ code: 'custom', path: ['queues', index, field], message });
      };
      if (queues.has(queue.name)) report('name', `is the name of two queues: ${queue.name}`);
      if (queue.parent !== undefined && !queues.has(queue.parent))
        report('parent', `no queue ${queue.parent} above it`);
      if (queue.team !== undefined && !teams.has(queue.team)) report('team', `no team ${queue.team}`);
      for (const flavor of Object.keys(queue.quotas)) {
        if (!flavors.has(flavor)) report('quotas', `no flavor ${flavor}`);
      }
      queues.add(queue.name);
    }
  });
export type QuotaFile = z.infer<typeof QuotaFileSchema>;
