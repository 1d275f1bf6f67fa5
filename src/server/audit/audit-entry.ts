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

/** In their order; chains are locked by name, so that two who append to several do not wait for each other. */
export async function appendAudits(transaction: EntityManager, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await transaction.query(
    `SELECT audit_append(e.chain, e.actor, e.action, e.subject, e.before, e.after, e.reason, NULL, e.policy)
     FROM (SELECT * FROM jsonb_to_recordset($1::jsonb) AS x("order" integer, chain text, actor text, action text,
       subject text, before jsonb, after jsonb, reason text, policy text) ORDER BY chain COLLATE "C", "order") e`,
    [JSON.stringify(entries.map((entry, order) => ({ order, ...entry })))],
  );
}
