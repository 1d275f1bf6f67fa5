import type { EntityManager } from 'typeorm';

/** Tells, when the transaction commits, that these changed: `workload:<uid>`, `node:<name>`. */
export async function tellChanges(transaction: EntityManager, topics: Iterable<string>): Promise<void> {
  const named = [...new Set(topics)];
  if (named.length === 0) return;
  await transaction.query(`SELECT pg_notify('berth_changed', topic) FROM unnest($1::text[]) topic`, [named]);
}
