import { z } from 'zod';

export const LogQuerySchema = z.strictObject({
  /** Absent: the pod of rank 0. */
  pod: z.string().max(200).optional(),
  follow: z.stringbool().default(false),
  /** Lines from the end. */
  tail: z.coerce.number().int().min(0).max(100_000).optional(),
});
export type LogQuery = z.infer<typeof LogQuerySchema>;
