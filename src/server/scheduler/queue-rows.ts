import type { EntityManager } from 'typeorm';
import type { FlavorQuota, QueueSpec } from '../../core/index.js';

interface QueueRow {
  readonly name: string;
  readonly parent: string | null;
  readonly weight: number;
  readonly reclaim: QueueSpec['reclaim'];
  readonly within_queue: QueueSpec['withinQueue'];
  readonly quotas: readonly QuotaRow[] | null;
}

/** Amounts are numbers already: PostgreSQL writes a bigint inside JSON as one. */
interface QuotaRow {
  readonly flavor: string;
  readonly nominal: number;
  readonly borrowing_limit: number | null;
  readonly lending_limit: number | null;
  readonly max_per_workload: number | null;
}

/** All queues with their quotas, by name. */
export async function readQueues(transaction: EntityManager): Promise<readonly QueueSpec[]> {
  const rows: QueueRow[] = await transaction.query(
    `SELECT q.name, q.parent, q.weight, q.reclaim, q.within_queue, quotas.quotas FROM queues q
     LEFT JOIN LATERAL (SELECT jsonb_agg(to_jsonb(u)) AS quotas FROM queue_quotas u WHERE u.queue = q.name) quotas
       ON true
     ORDER BY q.name COLLATE "C"`,
  );
  return rows.map(({ name, parent, weight, reclaim, within_queue: withinQueue, quotas }) => ({
    name,
    ...(parent === null ? {} : { parent }),
    weight,
    quotas: Object.fromEntries((quotas ?? []).map((quota) => [quota.flavor, flavorQuotaOf(quota)])),
    reclaim,
    withinQueue,
  }));
}

function flavorQuotaOf(row: QuotaRow): FlavorQuota {
  const { nominal, borrowing_limit: borrowing, lending_limit: lending, max_per_workload: max } = row;
  return {
    nominal,
    ...(borrowing === null ? {} : { borrowingLimit: borrowing }),
    ...(lending === null ? {} : { lendingLimit: lending }),
    ...(max === null ? {} : { maxPerWorkload: max }),
  };
}
