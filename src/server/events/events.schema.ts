import { z } from 'zod';
import { NodeSchema } from '../fleet/fleet.schema.js';
import { QueueSchema } from '../quotas/quotas.schema.js';
import { WorkloadSchema } from '../workloads/workload.schema.js';

/**
 * One message of `GET /v1/events` (server-sent events, `event:` is `change`). The first message of a stream, and of
 * every reconnection, holds everything; later ones hold what changed, at most four a second.
 */
export const ChangeSchema = z
  .strictObject({
    kind: z.enum(['everything', 'changed']),
    nodes: z.array(NodeSchema),
    queues: z.array(QueueSchema),
    workloads: z.array(WorkloadSchema),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof ChangeSchema>;
