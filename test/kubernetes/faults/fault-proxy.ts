import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { ControlPlane } from '../rig/control-plane.js';
import { kubeconfigThrough } from '../rig/kubeconfig.js';

/** A call of Berth on its way to the API server. */
export interface Passing {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
}

/** An event of a watch on its way to Berth. */
export interface PassingEvent {
  readonly type: string;
  readonly object: { readonly kind?: string; readonly metadata?: { readonly name?: string } };
}

/**
 * What becomes of a call that does not simply pass: it waits, or is answered by the proxy, or its connection is cut; the
 * latter two `instead` of carrying it out, or `after` that. Who waits and is gone by then is not carried out, unless
 * `late` says that it was on its way already.
 */
export type Fate =
  | { readonly kind: 'waits'; readonly until: Promise<unknown>; readonly late?: true }
  | {
      readonly kind: 'answered';
      readonly when: 'instead' | 'after';
      readonly status: number;
      readonly retryAfterSeconds?: number;
    }
  | { readonly kind: 'cut'; readonly when: 'instead' | 'after' };

/** Whether an event of a watch passes; a promise: when it does. */
export type EventFate = 'passes' | 'lost' | Promise<unknown>;

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host']);
const CONNECTIONS_MAX = 128;
const EXPIRED = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code: 410,
  reason: 'Expired',
  message: 'too old',
};

/**
 * Stands between Berth, which speaks to it without TLS so that connections can be reset, and the API server. It carries
 * calls and their answers as they are, but for those whose fate a test decides.
 */
export class FaultProxy {
  private readonly agent: Agent;
  private readonly watches = new Map<ServerResponse, { isStalled: boolean }>();
  private fateOf: (call: Passing) => Fate | undefined = () => undefined;
  private fateOfEvent: (event: PassingEvent) => EventFate = () => 'passes';
  private readonly seen: Passing[] = [];

  private constructor(
    private readonly server: Server,
    private readonly plane: ControlPlane,
  ) {
    this.agent = new Agent({ ca: plane.api.certificates, keepAlive: true, maxSockets: CONNECTIONS_MAX });
    server.on('request', (call: IncomingMessage, answer: ServerResponse) => {
      this.pass(call, answer).catch(() => answer.socket?.resetAndDestroy());
    });
  }

  static async start(plane: ControlPlane): Promise<FaultProxy> {
    const server = createServer({ keepAliveTimeout: 0 }).unref();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, plane);
  }

  /** Of whoever is to go through it. */
  get kubeconfig(): string {
    const { port } = this.server.address() as AddressInfo;
    return kubeconfigThrough(this.plane.kubeconfig, `http://127.0.0.1:${port}`);
  }

  /** Calls that have come since the last `mend`. */
  get calls(): readonly Passing[] {
    return this.seen;
  }

  /** From here on each call is decided on. */
  decide(fateOf: (call: Passing) => Fate | undefined): void {
    this.fateOf = fateOf;
  }

  /** From here on each event of a watch is decided on, one after the other; those that wait keep their order. */
  decideEvents(fateOfEvent: (event: PassingEvent) => EventFate): void {
    this.fateOfEvent = fateOfEvent;
  }

  /** Everything passes again, but for watches that are stalled. */
  mend(): void {
    this.fateOf = () => undefined;
    this.fateOfEvent = () => 'passes';
    this.seen.length = 0;
  }

  /** Those that are open say nothing any more, not even that they have ended. */
  stallWatches(): void {
    for (const watch of this.watches.values()) watch.isStalled = true;
  }

  cutWatches(): void {
    for (const answer of this.watches.keys()) answer.socket?.resetAndDestroy();
  }

  /** As the API server ends a watch whose version its store has forgotten. */
  expireWatches(): void {
    for (const answer of this.watches.keys()) answer.end(`${JSON.stringify({ type: 'ERROR', object: EXPIRED })}\n`);
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    this.agent.destroy();
    await once(this.server, 'close');
  }

  private async pass(call: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bytesOf(call);
    const url = new URL(call.url ?? '/', this.plane.api.url);
    const query = url.searchParams;
    const passing = { method: call.method ?? '', path: url.pathname, query, isWatch: query.has('watch') };
    this.seen.push(passing);
    const fate = this.fateOf(passing);
    if (fate?.kind === 'waits') {
      await fate.until;
      if (answer.destroyed && fate.late === undefined) return;
    } else if (fate?.when === 'instead') {
      end(answer, fate);
      return;
    }
    // Node by itself does not say where the body of a DELETE ends.
    const headers = { ...headersOf(call), ...(body.length > 0 && { 'content-length': body.length }) };
    const carried = request(url, { method: passing.method, headers, agent: this.agent }).end(body);
    const [response] = (await once(carried, 'response')) as [IncomingMessage];
    if (passing.isWatch && response.statusCode === 200) {
      answer.once('close', () => carried.destroy());
      await this.passWatch(response, answer);
      return;
    }
    const whole = await bytesOf(response);
    if (fate === undefined || fate.kind === 'waits')
      answer.writeHead(response.statusCode ?? 502, headersOf(response)).end(whole);
    else end(answer, fate);
  }

  private async passWatch(response: IncomingMessage, answer: ServerResponse): Promise<void> {
    const watch = { isStalled: false };
    this.watches.set(answer, watch);
    answer.once('close', () => this.watches.delete(answer));
    answer.writeHead(200, headersOf(response)).flushHeaders();
    let last: Promise<unknown> = Promise.resolve();
    const lines = createInterface(response).on('error', () => undefined);
    lines.on('line', (line) => {
      const fate = this.fateOfEvent(JSON.parse(line) as PassingEvent);
      if (fate === 'lost') return;
      last = Promise.all([last, fate]).then(
        () => !watch.isStalled && !answer.writableEnded && answer.write(`${line}\n`),
      );
    });
    await once(lines, 'close');
    await last;
    if (watch.isStalled) return;
    if (response.complete) answer.end();
    else answer.socket?.resetAndDestroy();
  }
}

function end(answer: ServerResponse, fate: Exclude<Fate, { readonly kind: 'waits' }>): void {
  if (fate.kind === 'cut') {
    answer.socket?.resetAndDestroy();
    return;
  }
  const { status: code, retryAfterSeconds } = fate;
  const after = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: 'the proxy says so' };
  answer.writeHead(code, { 'content-type': 'application/json', ...after }).end(JSON.stringify(status));
}

function headersOf({ headers }: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
