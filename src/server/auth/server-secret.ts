import { randomBytes } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

/** The key that signs pod tokens. Born with the ledger, so that every replica and every restart has the same. */
@Injectable()
export class ServerSecret implements OnModuleInit {
  private key: Buffer | undefined;

  constructor(@InjectDataSource() private readonly database: DataSource) {}

  get value(): Buffer {
    if (this.key === undefined) throw new Error('the server secret is read before the module has started');
    return this.key;
  }

  async onModuleInit(): Promise<void> {
    await this.database.query(
      `INSERT INTO settings VALUES ('pod-token-key', to_jsonb($1::text)) ON CONFLICT DO NOTHING`,
      [randomBytes(32).toString('base64')],
    );
    const rows: { key: string }[] = await this.database.query(
      `SELECT value #>> '{}' AS key FROM settings WHERE key = 'pod-token-key'`,
    );
    this.key = Buffer.from(rows[0]?.key ?? '', 'base64');
  }
}
