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
  /** The version of the policy by which it was decided. */
  readonly policy?: string;
}

export function teamChain(team: string): string {
  return `team:${team}`;
}

/** Appends to the hash chain, inside the transaction of the change itself. */
export function appendAudit(transaction: EntityManager, entry: AuditEntry): Promise<void> {
  return appendAudits(transaction, [entry]);
}

/**
 * In their order, by one statement: the last of its transaction. Everybody locks the heads of the chains after all other
 * rows, and together, so that two who change the same never wait for each other.
 */
export async function appendAudits(transaction: EntityManager, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length > 0) await transaction.query('SELECT audit_append($1::jsonb)', [JSON.stringify(entries)]);
}
