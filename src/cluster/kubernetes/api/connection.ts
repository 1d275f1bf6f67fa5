import { isDeepStrictEqual } from 'node:util';
import { Pool, type Dispatcher } from 'undici';
import type { Credentials, ServerAccess } from './server-access.js';
import type { Timers } from '../timers.js';

export interface ConnectionOptions {
  readonly timers: Timers;
  /** Open at once, watches and followed logs included. */
  readonly connectionsMax: number;
  /** Told when credentials cannot be read again; the old ones stay in use. */
  readonly report: (message: string, error: unknown) => void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

export type HttpResponse = Dispatcher.ResponseData;

/** As often as client-go reads a token again; the kubelet rotates one when a fifth of its life is left. */
const RENEW_MS = 60_000;
const CONNECT_MS = 5000;
/** Below the 90 s after which an API server closes an idle connection, so that it is never closed under a request. */
const IDLE_MS = 60_000;
const KEEP_ALIVE_MS = 15_000;

/**
 * Kept-alive HTTP/1.1 connections to one API server, bounded in number, with credentials that follow their files:
 * read again every minute beside the work, and at once after a 401. Deadlines are the caller's.
 */
export class Connection {
  private readonly origin: string;
  private readonly prefix: string;
  private pool: Pool;
  private readAtMs: number;
  private renewal: Promise<void> | undefined;
  private refusal: Promise<void> | undefined;

  static async open(access: ServerAccess, options: ConnectionOptions): Promise<Connection> {
    return new Connection(access, await access.credentials('if-due'), options);
  }

  private constructor(
    private readonly access: ServerAccess,
    private credentials: Credentials,
    private readonly options: ConnectionOptions,
  ) {
    const { origin, pathname } = new URL(access.server);
    this.origin = origin;
    this.prefix = pathname.replace(/\/$/, ''); // some gateways serve each cluster below a path
    this.pool = this.createPool();
    this.readAtMs = options.timers.now();
  }

  /** For messages. */
  get name(): string {
    return `${this.access.server} (${this.access.origin})`;
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    if (this.options.timers.now() - this.readAtMs >= RENEW_MS) void this.renew('if-due');
    const { method, path, contentType, body } = request;
    return this.pool.request({
      method,
      path: `${this.prefix}${path}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'berth',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...this.credentials.headers,
      },
      body: body ?? null,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Many may ask at once, and all wait for the same reading. */
  async renewAfterRefusal(): Promise<void> {
    this.refusal ??= this.renewAnew().finally(() => {
      this.refusal = undefined;
    });
    return this.refusal;
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async renewAnew(): Promise<void> {
    await this.renewal; // one that was due may have read the file before the token changed
    await this.renew('always');
  }

  private async renew(renewal: 'if-due' | 'always'): Promise<void> {
    this.renewal ??= this.readAgain(renewal).finally(() => {
      this.renewal = undefined;
    });
    return this.renewal;
  }

  private async readAgain(renewal: 'if-due' | 'always'): Promise<void> {
    this.readAtMs = this.options.timers.now();
    try {
      const before = this.credentials;
      this.credentials = await this.access.credentials(renewal);
      if (isDeepStrictEqual(before.tls, this.credentials.tls) || this.pool.closed || this.pool.destroyed) return;
      const old = this.pool;
      this.pool = this.createPool();
      void old.close(); // when the requests on it are done
    } catch (error) {
      this.options.report(`cannot read the credentials of ${this.access.origin} again; the old ones stay`, error);
    }
  }

  private createPool(): Pool {
    return new Pool(this.origin, {
      connections: this.options.connectionsMax,
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      connect: { ...this.credentials.tls, timeout: CONNECT_MS, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    });
  }
}
