import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { availableMilli, type FlavorQuota, type QuotaTreeRow } from '../../core/index.js';
import { QueueEntity, QueueQuotaEntity, TeamEntity } from './queue.entity.js';
import type { Queue, QueueFlavor, Team } from './quotas.schema.js';

interface QueueCounts {
  readonly pending: number;
  readonly running: number;
}

/** Reads the quota tree with its use, in one snapshot: what it shows as used is the sum of the live charges. */
@Injectable()
export class QueuesReader {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** Parents before children, siblings by name. */
  async list(): Promise<readonly Queue[]> {
    return this.database.transaction('REPEATABLE READ', async (transaction) => {
      const queues = await transaction.find(QueueEntity, { order: { name: 'ASC' } });
      const quotas = await transaction.find(QueueQuotaEntity, { order: { flavor: 'ASC' } });
      const usage: { queue: string; flavor: string; used: string }[] = await transaction.query(
        'SELECT queue, flavor, used FROM queue_usage',
      );
      const counts: ({ queue: string } & QueueCounts)[] = await transaction.query(
        `SELECT queue, count(*) FILTER (WHERE state = 'pending')::int AS pending,
           count(*) FILTER (WHERE state IN ('starting', 'running', 'evicting'))::int AS running
         FROM workloads WHERE finished_at IS NULL GROUP BY queue`,
      );
      const tree = queues.map((queue) => treeRowOf(queue, quotas, usage));
      const countsOf = new Map(counts.map(({ queue, pending, running }) => [queue, { pending, running }]));
      return ordered(queues).map((queue) => queueOf(queue, tree, countsOf));
    });
  }

  async teams(): Promise<readonly Team[]> {
    const teams = await this.database.getRepository(TeamEntity).find({ order: { name: 'ASC' } });
    const queues = await this.database.getRepository(QueueEntity).find({ order: { name: 'ASC' } });
    return teams.map(({ name, title, createdAt }) => ({
      name,
      title,
      createdAt: createdAt.toISOString(),
      queues: queues.filter((queue) => queue.team === name).map((queue) => queue.name),
    }));
  }
}

function treeRowOf(
  { name, parent }: QueueEntity,
  quotas: readonly QueueQuotaEntity[],
  usage: readonly { readonly queue: string; readonly flavor: string; readonly used: string }[],
): QuotaTreeRow {
  return {
    name,
    ...(parent === null ? {} : { parent }),
    quotas: Object.fromEntries(quotas.filter((q) => q.queue === name).map((q) => [q.flavor, flavorQuotaOf(q)])),
    usage: Object.fromEntries(usage.filter((u) => u.queue === name).map((u) => [u.flavor, Number(u.used)])),
  };
}

function flavorQuotaOf(quota: QueueQuotaEntity): FlavorQuota {
  return {
    nominal: quota.nominal,
    ...(quota.borrowingLimit === null ? {} : { borrowingLimit: quota.borrowingLimit }),
    ...(quota.lendingLimit === null ? {} : { lendingLimit: quota.lendingLimit }),
    ...(quota.maxPerWorkload === null ? {} : { maxPerWorkload: quota.maxPerWorkload }),
  };
}

function queueOf(queue: QueueEntity, tree: readonly QuotaTreeRow[], counts: ReadonlyMap<string, QueueCounts>): Queue {
  const below = tree.filter((row) => isWithin(tree, row, queue.name));
  const flavors = [...new Set(below.flatMap((row) => [...Object.keys(row.quotas), ...Object.keys(row.usage)]))].sort();
  const sum = (pick: (of: QueueCounts) => number): number =>
    below.reduce((total, row) => total + pick(counts.get(row.name) ?? { pending: 0, running: 0 }), 0);
  return {
    name: queue.name,
    ...(queue.parent === null ? {} : { parent: queue.parent }),
    ...(queue.team === null ? {} : { team: queue.team }),
    weight: queue.weight,
    leaf: below.length === 1,
    flavors: flavors.map((flavor) => queueFlavorOf(queue.name, flavor, { tree, below })),
    workloads: { pending: sum(({ pending }) => pending), running: sum(({ running }) => running) },
  };
}

function queueFlavorOf(
  queue: string,
  flavor: string,
  { tree, below }: { readonly tree: readonly QuotaTreeRow[]; readonly below: readonly QuotaTreeRow[] },
): QueueFlavor {
  const own = tree.find(({ name }) => name === queue)?.quotas[flavor];
  const used = below.reduce((total, row) => total + (row.usage[flavor] ?? 0), 0);
  return { flavor, ...(own ?? { nominal: 0 }), used, available: availableMilli(tree, queue, flavor) ?? 0 };
}

function isWithin(tree: readonly QuotaTreeRow[], row: QuotaTreeRow, ancestor: string): boolean {
  if (row.name === ancestor) return true;
  const parent = tree.find(({ name }) => name === row.parent);
  return parent !== undefined && isWithin(tree, parent, ancestor);
}

function ordered(queues: readonly QueueEntity[], parent: string | null = null): readonly QueueEntity[] {
  return queues.filter((queue) => queue.parent === parent).flatMap((queue) => [queue, ...ordered(queues, queue.name)]);
}
