import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource } from 'typeorm';

/** `undefined`: the connection was lost and is back, so notifications may be missing. */
export type NotificationHandler = (payload: string | undefined) => void;

const RECONNECT_MS = 500;
const CONNECT_WITHIN_MS = 5000;
/** A peer that is gone without a word is found by asking: a listener hears nothing either way. */
const PROBE_EVERY_MS = 10_000;
const ANSWER_WITHIN_MS = 5000;

/**
 * LISTEN on a connection of its own. Notifications are hints: a handler that hears nothing for a while, or hears
 * `undefined`, reads the tables.
 */
@Injectable()
export class Notifications implements OnModuleDestroy {
  private readonly logger = new Logger('notifications');
  private readonly handlers = new Map<string, Set<NotificationHandler>>();
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private probe: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** Calls `handler` for each notification of `channel` until the returned function is called. */
  listen(channel: 'berth_changed' | 'berth_commands', handler: NotificationHandler): () => void {
    const handlers = this.handlers.get(channel) ?? new Set();
    this.handlers.set(channel, handlers.add(handler));
    if (this.client === undefined) this.connect();
    else {
      this.client.query(`LISTEN ${channel}`).catch((error: unknown) => {
        this.reconnect(error);
      });
    }
    return () => {
      handlers.delete(handler);
    };
  }

  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    clearInterval(this.probe);
    await this.client?.end().catch(() => undefined);
  }

  private connect(): void {
    const client = new pg.Client(connectionOf(this.database));
    this.client = client;
    const fail = (error: unknown): void => {
      if (this.client === client) this.reconnect(error);
    };
    client.on('notification', ({ channel, payload }) => {
      this.tell(channel, payload ?? '');
    });
    client.on('error', fail);
    client
      .connect()
      .then(async () => {
        for (const channel of this.handlers.keys()) {
          await client.query(`LISTEN ${channel}`);
          this.tell(channel, undefined);
        }
        if (this.closed) return;
        this.probe = setInterval(() => {
          client.query('SELECT 1').catch(fail);
        }, PROBE_EVERY_MS);
      })
      .catch(fail);
  }

  private reconnect(error: unknown): void {
    if (this.closed || this.timer !== undefined) return;
    this.logger.warn({ message: 'connection for notifications lost', error: String(error) });
    clearInterval(this.probe);
    this.client?.removeAllListeners();
    this.client?.on('error', () => undefined); // what a dying connection still says
    this.client?.end().catch(() => undefined);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.connect();
    }, RECONNECT_MS);
  }

  private tell(channel: string, payload: string | undefined): void {
    for (const handler of this.handlers.get(channel) ?? []) handler(payload);
  }
}

function connectionOf(database: DataSource): pg.ClientConfig {
  const { options } = database;
  if (options.type !== 'postgres' || options.url === undefined)
    throw new Error('the data source has no PostgreSQL URL');
  return {
    connectionString: options.url,
    application_name: 'berth-notifications',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
    keepAlive: true,
  };
}
