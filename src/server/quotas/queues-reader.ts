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
      const quotasOf = byKey(quotas, ({ queue }) => queue);
      const usageOf = byKey(usage, ({ queue }) => queue);
      const tree = queues.map((queue) => treeRowOf(queue, quotasOf.get(queue.name), usageOf.get(queue.name)));
      const countsOf = new Map(counts.map((row) => [row.queue, row]));
      const childrenOf = byKey(queues, ({ parent }) => parent);
      const rows = new Map(tree.map((row) => [row.name, row]));
      return ordered(childrenOf, null).map((queue) => {
        const below = [queue, ...ordered(childrenOf, queue.name)].flatMap(({ name }) => rows.get(name) ?? []);
        return queueOf(queue, { tree, below, countsOf });
      });
    });
  }

  async teams(): Promise<readonly Team[]> {
    const teams = await this.database.getRepository(TeamEntity).find({ order: { name: 'ASC' } });
    const queues = await this.database.getRepository(QueueEntity).find({ order: { name: 'ASC' } });
    const queuesOf = byKey(queues, ({ team }) => team);
    return teams.map(({ name, title, createdAt }) => ({
      name,
      title,
      createdAt: createdAt.toISOString(),
      queues: (queuesOf.get(name) ?? []).map((queue) => queue.name),
    }));
  }
}

function treeRowOf(
  { name, parent }: QueueEntity,
  quotas: readonly QueueQuotaEntity[] = [],
  usage: readonly { readonly flavor: string; readonly used: string }[] = [],
): QuotaTreeRow {
  return {
    name,
    ...(parent === null ? {} : { parent }),
    quotas: Object.fromEntries(quotas.map((q) => [q.flavor, flavorQuotaOf(q)])),
    usage: Object.fromEntries(usage.map((u) => [u.flavor, Number(u.used)])),
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

interface Surroundings {
  readonly tree: readonly QuotaTreeRow[];
  /** The queue itself first. */
  readonly below: readonly QuotaTreeRow[];
  readonly countsOf: ReadonlyMap<string, QueueCounts>;
}

function queueOf(queue: QueueEntity, { tree, below, countsOf }: Surroundings): Queue {
  const flavors = [...new Set(below.flatMap((row) => [...Object.keys(row.quotas), ...Object.keys(row.usage)]))].sort();
  const sum = (pick: (of: QueueCounts) => number): number =>
    below.reduce((total, row) => total + pick(countsOf.get(row.name) ?? { pending: 0, running: 0 }), 0);
  return {
    name: queue.name,
    ...(queue.parent === null ? {} : { parent: queue.parent }),
    ...(queue.team === null ? {} : { team: queue.team }),
    weight: queue.weight,
    reclaim: queue.reclaim,
    withinQueue: queue.withinQueue,
    leaf: below.length === 1,
    flavors: flavors.map((flavor) => queueFlavorOf(queue.name, flavor, { tree, below })),
    workloads: { pending: sum(({ pending }) => pending), running: sum(({ running }) => running) },
  };
}

function queueFlavorOf(
  queue: string,
  flavor: string,
  { tree, below }: Pick<Surroundings, 'tree' | 'below'>,
): QueueFlavor {
  const own = below[0]?.quotas[flavor];
  const used = below.reduce((total, row) => total + (row.usage[flavor] ?? 0), 0);
  return { flavor, ...(own ?? { nominal: 0 }), used, available: availableMilli(tree, queue, flavor) ?? 0 };
}

type ChildrenOf = ReadonlyMap<string | null, readonly QueueEntity[]>;

function ordered(childrenOf: ChildrenOf, parent: string | null): readonly QueueEntity[] {
  return (childrenOf.get(parent) ?? []).flatMap((queue) => [queue, ...ordered(childrenOf, queue.name)]);
}

function byKey<T, K>(rows: readonly T[], keyOf: (row: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
