import { z } from 'zod';

export const ROLES = ['api', 'scheduler', 'jobs'] as const;
export type ServerRole = (typeof ROLES)[number];

/** Every variable that the server reads, once, at its start. */
const EnvironmentSchema = z.object({
  /** A PostgreSQL server of yours; absent: the embedded one. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
});
export type ServerEnvironment = z.infer<typeof EnvironmentSchema>;

/** A variable is wrong; the message names it. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): ServerEnvironment {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = EnvironmentSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new ConfigurationError(`${problems.join('; ')}.`);
}
