import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem, ServerUnreachable, problemOfResponse } from './api-problem.js';
import { CliError } from './cli-error.js';

/** Where the server is, and who asks it. */
export interface ApiConnection {
  /** Without a slash at its end. */
  readonly server: string;
  readonly token: string | undefined;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Begins with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Makes a POST safe to repeat. */
  readonly idempotencyKey?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

const CALL_MS_MAX = 15_000;
const ATTEMPTS_MAX = 5;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MS_MAX = 2_000;
/** A server that wants more patience than this is not waited for. */
const RETRY_AFTER_SECONDS_MAX = 10;

/**
 * Calls over HTTP. Each has a timeout; what is safe to repeat is repeated, a few times and with jitter, when the
 * server cannot be reached or answers 503. Whatever else is not a success is thrown as an `ApiProblem`.
 */
export class HttpTransport {
  constructor(private readonly connection: ApiConnection) {}

  /** The answer as JSON; `undefined` where it has no body. */
  async json(request: ApiRequest): Promise<unknown> {
    return this.repeat(request, async () => {
      const response = await this.send(request, AbortSignal.timeout(CALL_MS_MAX));
      if (response.status === 204) return undefined;
      return this.reading<unknown>(request, () => response.json());
    });
  }

  /**
   * The answer as text while it comes. The call is repeated until it begins, not when it breaks later: the caller
   * knows where to go on. It breaks, too, when nothing has come for `idleMs`.
   */
  async *text(request: ApiRequest, idleMs = Number.POSITIVE_INFINITY): AsyncGenerator<string> {
    const watchdog = new Watchdog();
    try {
      const response = await this.repeat(request, () => {
        watchdog.restart(CALL_MS_MAX);
        return this.send(request, watchdog.signal);
      });
      const decoder = new TextDecoder();
      const reader = response.body?.getReader();
      if (reader === undefined) return;
      for (;;) {
        watchdog.restart(idleMs);
        const { done, value } = await this.reading(request, () => reader.read());
        if (done) return;
        yield decoder.decode(value, { stream: true });
      }
    } finally {
      watchdog.end();
    }
  }

  private async send(request: ApiRequest, timeout: AbortSignal): Promise<Response> {
    const { method, body, signal } = request;
    const response = await this.reading(request, () =>
      fetch(urlOf(this.connection.server, request), {
        method,
        headers: this.headersOf(request),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    if (!response.ok) throw await this.reading(request, () => problemOfResponse(response));
    return response;
  }

  private headersOf({ body, idempotencyKey, accept }: ApiRequest): Record<string, string> {
    const { token } = this.connection;
    return {
      accept: accept ?? 'application/json, application/problem+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
  }

  /** Says of a broken connection where it should have led; an abort of the caller stays what it is. */
  private async reading<T>({ signal }: ApiRequest, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as Error).name === 'SyntaxError')
        throw new CliError(`${this.connection.server} is no Berth server: it answers without JSON.`);
      throw new ServerUnreachable(
        `Cannot reach ${this.connection.server} (${causeOf(error)}): start it with \`berth up\`, or name another with --server.`,
      );
    }
  }

  private async repeat<T>(request: ApiRequest, call: () => Promise<T>): Promise<T> {
    const isSafe = request.method === 'GET' || request.idempotencyKey !== undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        const waitMs = isSafe && attempt < ATTEMPTS_MAX ? waitBeforeRepeating(error, attempt) : undefined;
        if (waitMs === undefined) throw error;
        await sleep(waitMs, undefined, request.signal === undefined ? {} : { signal: request.signal });
      }
    }
  }
}

/** Full jitter: clients that lost the same server must not come back together. */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
}

/** `undefined`: it would not help. */
function waitBeforeRepeating(error: unknown, attempt: number): number | undefined {
  if (error instanceof ServerUnreachable) return backoffMs(attempt);
  if (!(error instanceof ApiProblem) || error.status !== 503) return undefined;
  const { retryAfterSeconds = 0 } = error.facts;
  return retryAfterSeconds > RETRY_AFTER_SECONDS_MAX ? undefined : retryAfterSeconds * 1000 + backoffMs(attempt);
}

function urlOf(server: string, { path, query = {} }: ApiRequest): URL {
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/** `fetch` hides what happened in the cause of its error. */
function causeOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return 'no answer in time';
  if (typeof cause !== 'object' || cause === null) return message;
  const { code, message: reason } = cause as NodeJS.ErrnoException;
  return code ?? reason;
}

/** Ends a call when too long nothing has come. */
class Watchdog {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  restart(ms: number): void {
    clearTimeout(this.timer);
    if (!Number.isFinite(ms)) return;
    this.timer = setTimeout(() => {
      this.controller.abort(new DOMException('nothing came', 'TimeoutError'));
    }, ms);
  }

  /** Also closes the connection of a stream that was not read to its end. */
  end(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
