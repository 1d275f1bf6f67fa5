import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { appendAudit } from '../audit/audit-entry.js';

export const NODE_VERBS = ['cordon', 'uncordon', 'fail', 'restore'] as const;
export type NodeVerb = (typeof NODE_VERBS)[number];

/** Writes what operators want of a node: one transaction with its audit row; doing it twice is harmless. */
@Injectable()
export class NodeCommands {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async order(node: string, verb: NodeVerb, actor: string): Promise<'ordered' | 'not-found'> {
    return this.database.transaction(async (transaction) => {
      const found: unknown[] = await transaction.query(
        'SELECT name FROM nodes WHERE name = $1 AND removed_at IS NULL FOR UPDATE',
        [node],
      );
      if (found.length === 0) return 'not-found';
      if (verb === 'fail' || verb === 'restore') await wish(transaction, node, verb);
      else await cordon(transaction, node, verb);
      await appendAudit(transaction, { chain: 'system', actor, action: `node.${verb}`, subject: `node/${node}` });
      await transaction.query(`SELECT pg_notify('berth_changed', $1)`, [`node:${node}`]);
      return 'ordered';
    });
  }
}

async function cordon(transaction: EntityManager, node: string, verb: 'cordon' | 'uncordon'): Promise<void> {
  await transaction.query('UPDATE nodes SET unschedulable = $2 WHERE name = $1', [node, verb === 'cordon']);
  await transaction.query('INSERT INTO commands (kind, node) VALUES ($1, $2)', [`node-${verb}ed`, node]);
}

/** Only the driver can do it, maybe not at once: it is asked until it has. */
async function wish(transaction: EntityManager, node: string, verb: 'fail' | 'restore'): Promise<void> {
  await transaction.query('UPDATE nodes SET wish = $2 WHERE name = $1', [node, verb]);
  await transaction.query(`SELECT pg_notify('berth_commands', '')`);
}
