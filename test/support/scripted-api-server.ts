import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Refusal {
  readonly details?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request to the scripted server, and the ways to answer it. */
export class Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;

  constructor(
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    readonly body: unknown,
  ) {
    const url = new URL(request.url ?? '/', 'http://server');
    this.method = request.method ?? '';
    this.path = url.pathname;
    this.query = Object.fromEntries(url.searchParams);
  }

  get header(): IncomingMessage['headers'] {
    return this.request.headers;
  }

  /** Resolves when the client has gone away. */
  get gone(): Promise<void> {
    if (this.request.socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.request.socket.once('close', () => {
        resolve();
      });
    });
  }

  json(code: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }

  /** A refusal as the API server words it. */
  refuse(code: number, reason: string, more: Refusal = {}): void {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `because ${reason}` };
    this.json(code, { ...status, details: more.details }, more.headers);
  }

  list(version: string, items: readonly object[], next?: string): void {
    this.json(200, {
      kind: 'PodList',
      metadata: { resourceVersion: version, ...(next === undefined ? {} : { continue: next }) },
      items,
    });
  }

  /** Begins an answer that comes in parts. */
  open(): this {
    this.response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    return this;
  }

  event(type: string, object: unknown): this {
    return this.bytes(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(version: string): this {
    return this.event('BOOKMARK', { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: version } });
  }

  bytes(bytes: string | Uint8Array): this {
    this.response.write(bytes);
    return this;
  }

  end(): void {
    this.response.end();
  }

  /** RST: what a killed server or a lost connection looks like. */
  reset(): void {
    this.request.socket.resetAndDestroy();
  }
}

/** An API server on loopback that says what the test says, one request after another. */
export class ScriptedApiServer {
  private readonly arrived: Exchange[] = [];
  private readonly awaited: ((exchange: Exchange) => void)[] = [];
  private readonly sockets = new Set<Socket>();
  /** Connections ever opened. */
  connections = 0;

  static async start(port = 0): Promise<ScriptedApiServer> {
    const http = createServer();
    const server = new ScriptedApiServer(http);
    await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
    return server;
  }

  private constructor(private readonly http: Server) {
    http.on('connection', (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        this.receive(new Exchange(request, response, text === '' ? undefined : JSON.parse(text)));
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** The next request, in the order in which they came. */
  async next(): Promise<Exchange> {
    const exchange = this.arrived.shift();
    return exchange ?? new Promise((resolve) => this.awaited.push(resolve));
  }

  /** Requests that have come and that no test has asked for. */
  get unasked(): number {
    return this.arrived.length;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private receive(exchange: Exchange): void {
    const waiting = this.awaited.shift();
    if (waiting === undefined) this.arrived.push(exchange);
    else waiting(exchange);
  }
}
