import type { EntityManager } from 'typeorm';

/** Who did what to what. One chain per team, `system` for the rest. */
export interface AuditEntry {
  readonly chain: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly reason?: string;
}

export function teamChain(team: string): string {
  return `team:${team}`;
}

/** Appends to the hash chain, inside the transaction of the change itself. */
export async function appendAudit(transaction: EntityManager, entry: AuditEntry): Promise<void> {
  const { chain, actor, action, subject, reason } = entry;
  await transaction.query('SELECT audit_append($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, NULL, NULL)', [
    chain,
    actor,
    action,
    subject,
    jsonOf(entry.before),
    jsonOf(entry.after),
    reason ?? null,
  ]);
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
