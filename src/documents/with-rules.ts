import { z } from 'zod';
import { mistakeMessage } from './mistake-message.js';

export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The schema, with rules that look at more than one field. They are asked too where a part is wrong in itself, and then
 * get no value but what the file has: a mistake must not hide the others.
 */
export function withRules<T>(
  schema: z.ZodType<T>,
  rules: (value: T | undefined, raw: unknown) => readonly Mistake[],
): z.ZodType<T> {
  return z.unknown().transform((raw, context): T => {
    const { data, error } = schema.safeParse(raw, { error: mistakeMessage });
    // The issues go in as they are, with their codes: an unknown field is pointed at by its key.
    context.issues.push(...((error?.issues ?? []) as z.core.$ZodRawIssue[]));
    for (const { path, message } of rules(data, raw)) {
      context.issues.push({ code: 'custom', path: [...path], message, input: raw });
    }
    return data ?? z.NEVER;
  });
}
