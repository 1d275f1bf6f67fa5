import { z } from 'zod';

/** The one-time code of the URL's fragment, swapped for an HttpOnly cookie. */
export const CreateSessionSchema = z.strictObject({ code: z.string().min(16).max(128) }).meta({ id: 'CreateSession' });
export type CreateSession = z.infer<typeof CreateSessionSchema>;

export const SessionSchema = z
  .strictObject({ name: z.string(), role: z.string(), team: z.string().optional() })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof SessionSchema>;

export const SessionCodeSchema = z
  .strictObject({ code: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: 'SessionCode' });
export type SessionCode = z.infer<typeof SessionCodeSchema>;
