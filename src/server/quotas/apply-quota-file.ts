import type { DataSource, EntityManager } from 'typeorm';
import { appendAudit } from '../audit/audit-entry.js';
import type { QuotaFile } from './quota-file.schema.js';
import { FlavorEntity, QueueEntity, QueueQuotaEntity, TeamEntity } from './queue.entity.js';

/**
 * Makes the ledger's teams, flavors and queues those of the file, in one transaction; what the file does not name
 * stays. An unchanged file changes nothing, not even the audit. The leading scheduler is told of a changed one.
 */
export async function applyQuotaFile(database: DataSource, file: QuotaFile): Promise<void> {
  await database.transaction(async (transaction) => {
    // Before anything else: every commit locks queues, in an order of its own.
    await transaction.query('LOCK TABLE queues IN EXCLUSIVE MODE');
    const [applied]: { same: boolean }[] = await transaction.query(
      `SELECT value = $1::jsonb AS same FROM settings WHERE key = 'quota-file'`,
      [JSON.stringify(file)],
    );
    if (applied?.same === true) return;
    await writeTree(transaction, file);
    await transaction.query(
      `INSERT INTO settings VALUES ('quota-file', $1::jsonb) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [JSON.stringify(file)],
    );
    await transaction.query(`INSERT INTO commands (kind) VALUES ('quotas-changed')`);
    await appendAudit(transaction, {
      chain: 'system',
      actor: 'operator',
      action: 'quotas.apply',
      subject: 'quota-file',
      after: file,
    });
  });
}

async function writeTree(transaction: EntityManager, file: QuotaFile): Promise<void> {
  for (const { name, title } of file.teams) await transaction.upsert(TeamEntity, { name, title }, ['name']);
  for (const { name, model, nodeLabels } of file.flavors) {
    await transaction.upsert(FlavorEntity, { name, model: model ?? null, nodeLabels }, ['name']);
  }
  for (const { quotas, parent, team, ...queue } of file.queues) {
    await transaction.upsert(QueueEntity, { ...queue, parent: parent ?? null, team: team ?? null }, ['name']);
    await transaction.delete(QueueQuotaEntity, { queue: queue.name });
    for (const [flavor, quota] of Object.entries(quotas)) {
      await transaction.insert(QueueQuotaEntity, {
        queue: queue.name,
        flavor,
        nominal: milliOf(quota.nominal),
        borrowingLimit: milliOrNull(quota.borrowingLimit),
        lendingLimit: milliOrNull(quota.lendingLimit),
        maxPerWorkload: milliOrNull(quota.maxPerWorkload),
      });
    }
  }
}

function milliOf(amount: number): number {
  return Math.round(amount * 1000);
}

function milliOrNull(amount: number | undefined): number | null {
  return amount === undefined ? null : milliOf(amount);
}
