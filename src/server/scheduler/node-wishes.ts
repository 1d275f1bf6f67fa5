import type { DataSource } from 'typeorm';
import { inTerm } from './in-term.js';
import type { Leadership, NodeWish } from './ledger.js';

export function readNodeWishes(database: DataSource): Promise<readonly NodeWish[]> {
  return database.query<NodeWish[]>(
    `SELECT name AS node, wish FROM nodes WHERE wish IS NOT NULL AND removed_at IS NULL ORDER BY name COLLATE "C"`,
  );
}

export async function storeWishesSettled(
  database: DataSource,
  leadership: Leadership,
  wishes: readonly NodeWish[],
): Promise<void> {
  await inTerm(database, leadership, (transaction) =>
    transaction.query(
      `UPDATE nodes n SET wish = NULL FROM jsonb_to_recordset($1::jsonb) AS w(node text, wish text)
       WHERE n.name = w.node AND n.wish = w.wish`,
      [JSON.stringify(wishes)],
    ),
  );
}
