import { z } from 'zod';

/** An error, as RFC 9457 wants it; `code` is stable, `detail` names the next step. */
export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    requestId: z.string().optional(),
    /** With `INVALID_BODY`: every mistake, by the path of its field. */
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type ProblemDocument = z.infer<typeof ProblemSchema>;
