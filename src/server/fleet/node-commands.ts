import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { appendAudit } from '../audit/audit-entry.js';

export const NODE_VERBS = ['cordon', 'uncordon', 'fail', 'restore'] as const;
export type NodeVerb = (typeof NODE_VERBS)[number];

const COMMAND_OF = {
  cordon: 'node-cordoned',
  uncordon: 'node-uncordoned',
  fail: 'node-failed',
  restore: 'node-restored',
} as const satisfies Record<NodeVerb, string>;

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
      if (verb === 'cordon' || verb === 'uncordon') {
        await transaction.query('UPDATE nodes SET unschedulable = $2 WHERE name = $1', [node, verb === 'cordon']);
      }
      await transaction.query('INSERT INTO commands (kind, node) VALUES ($1, $2)', [COMMAND_OF[verb], node]);
      await appendAudit(transaction, { chain: 'system', actor, action: `node.${verb}`, subject: `node/${node}` });
      await transaction.query(`SELECT pg_notify('berth_changed', $1)`, [`node:${node}`]);
      return 'ordered';
    });
  }
}
