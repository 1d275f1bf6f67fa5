import { z } from 'zod';
import { NodeSchema } from '../fleet/fleet.schema.js';
import { NodeNameSchema } from '../names.schema.js';
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
    /** The whole tree when any queue changed, for the use of one moves what all others may borrow; else none. */
    queues: z.array(QueueSchema),
    workloads: z.array(WorkloadSchema),
    /** What is gone since the last message; a reader that does not know one of them ignores it. */
    removed: z.strictObject({ nodes: z.array(NodeNameSchema), workloads: z.array(z.uuid()) }),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof ChangeSchema>;
