import {
  noAnswer,
  NoAnswerError,
  readStatusError,
  StatusError,
  type ApiError,
  type NoAnswerCause,
} from './api-error.js';
import { Backoff } from './backoff.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import type { Connection, HttpRequest, HttpResponse } from './connection.js';
import { Deadline } from './deadline.js';
import { readJsonLines } from './json-lines.js';
import { isKubeObject, type KubeObject } from './kube-object.js';
import { readText } from './read-body.js';
import type { Random, Timers } from '../timers.js';

export interface ApiServerOptions {
  readonly connection: Connection;
  readonly timers: Timers;
  readonly random: Random;
  readonly limits?: Partial<ApiServerLimits>;
}

export interface ApiServerLimits {
  /** Of a whole call: the wait for its turn, its tries, its answer. */
  readonly timeoutMs: number;
  /** Calls under way; watches and logs come on top. */
  readonly callsMax: number;
  /** Logs being read. */
  readonly logsMax: number;
  readonly triesMax: number;
  readonly answerBytesMax: number;
}

export const DEFAULT_API_SERVER_LIMITS: ApiServerLimits = {
  timeoutMs: 30_000,
  callsMax: 32,
  logsMax: 64,
  triesMax: 5,
  answerBytesMax: 64 * 1024 * 1024,
};

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** `read` parses the answer; the watch brings the truth anyway, so by default it is dropped. */
  readonly answer?: 'read' | 'drop';
}

export interface Selection {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface PageQuery extends Selection {
  readonly limit: number;
  readonly continue?: string;
}

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continue: string | undefined;
}

export interface WatchQuery extends Selection {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
}

export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface DeleteOptions extends WriteOptions {
  readonly preconditions?: Preconditions;
  readonly gracePeriodSeconds?: number;
}

export interface LogQuery {
  readonly container?: string;
  readonly follow: boolean;
  readonly tailLines?: number;
}

const FIELD_MANAGER = 'berth';
const PATCH_TYPES = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml', // JSON is YAML
} as const;
const PAUSE = { firstMs: 250, lastMs: 4000 };

/**
 * The few verbs of the Kubernetes API that the driver needs, on the addresses of `resourcePath`.
 *
 * Every call ends within its timeout, with an answer or an {@link ApiError}. Tried again is only what certainly had no
 * effect: a 429 (after the time that the server asks for), one 401 (with credentials read anew), and reads whose
 * connection broke. A write that may have had an effect throws with `effect: 'maybe'`, and is the caller's to judge.
 */
export class ApiServer {
  private readonly limits: ApiServerLimits;
  private readonly calls: ConcurrencyLimit;
  private logsOpen = 0;

  constructor(private readonly options: ApiServerOptions) {
    this.limits = { ...DEFAULT_API_SERVER_LIMITS, ...options.limits };
    this.calls = new ConcurrencyLimit({ min: 1, max: this.limits.callsMax });
  }

  async get(path: string, options: CallOptions = {}): Promise<unknown> {
    return this.call({ method: 'GET', path }, { ...options, answer: 'read' });
  }

  /** Without a page's `continue` it begins anew, at what the server knows to be newest. */
  async listPage(path: string, query: PageQuery, options: CallOptions = {}): Promise<ListPage> {
    const answer = await this.get(withQuery(path, { ...query }), options);
    return readPage(`GET ${path}`, answer);
  }

  /** Also for the subresources that are created: `binding`, `eviction`. */
  async create(path: string, body: object, options: WriteOptions = {}): Promise<unknown> {
    const address = withQuery(path, { fieldManager: FIELD_MANAGER });
    return this.call({ method: 'POST', path: address, ...json(body) }, options);
  }

  /** `apply` is server-side apply, and takes fields that others manage only when `conflicts` says so. */
  async patch(path: string, patch: Patch, options: WriteOptions = {}): Promise<unknown> {
    const force = patch.type === 'apply' && patch.conflicts === 'take' ? 'true' : undefined;
    const address = withQuery(path, { fieldManager: FIELD_MANAGER, force });
    return this.call({ method: 'PATCH', path: address, ...json(patch.body, PATCH_TYPES[patch.type]) }, options);
  }

  /** Without preconditions whatever has the name by then is deleted. */
  async delete(path: string, options: DeleteOptions = {}): Promise<unknown> {
    const { preconditions, gracePeriodSeconds } = options;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, gracePeriodSeconds };
    return this.call({ method: 'DELETE', path, ...json(body) }, options);
  }

  /** The events of a watch, one by one, until the server ends it; the timeout is for its beginning. */
  async *watch(path: string, query: WatchQuery, options: CallOptions = {}): AsyncGenerator<unknown, void, undefined> {
    const address = withQuery(path, { watch: 'true', allowWatchBookmarks: 'true', ...query });
    yield* this.stream(address, options, (body) => readJsonLines(body));
  }

  /** The output of a container as it comes. Throws when too many logs are being read already. */
  async *logs(path: string, query: LogQuery, options: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    if (this.logsOpen >= this.limits.logsMax)
      throw new NoAnswerError(`${this.limits.logsMax} logs are being read already: try again later`, 'stopped', 'none');
    this.logsOpen += 1;
    try {
      yield* this.stream(withQuery(path, { ...query }), options, readDecoded);
    } finally {
      this.logsOpen -= 1;
    }
  }

  private async call(request: HttpRequest, options: WriteOptions): Promise<unknown> {
    const deadline = new Deadline(this.options.timers, options.timeoutMs ?? this.limits.timeoutMs, options.signal);
    try {
      return await this.tryUntilAnswered(request, deadline, async ({ body }) => {
        if (options.answer === 'read') return JSON.parse(await readText(body, this.limits.answerBytesMax)) as unknown;
        await body.dump().catch(() => undefined); // the status line has said it all
        return undefined;
      });
    } finally {
      deadline.clear();
    }
  }

  private async *stream<Item>(
    path: string,
    options: CallOptions,
    read: (body: AsyncIterable<Uint8Array>) => AsyncIterable<Item>,
  ): AsyncGenerator<Item, void, undefined> {
    const request: HttpRequest = { method: 'GET', path };
    const deadline = new Deadline(this.options.timers, options.timeoutMs ?? this.limits.timeoutMs, options.signal);
    try {
      const { body } = await this.tryUntilAnswered(request, deadline, (response) => Promise.resolve(response));
      deadline.lift();
      try {
        yield* read(body);
      } catch (error) {
        throw this.translate(request, deadline, error);
      }
    } finally {
      deadline.clear();
    }
  }

  private async tryUntilAnswered<Answer>(
    request: HttpRequest,
    deadline: Deadline,
    use: (response: HttpResponse) => Promise<Answer>,
  ): Promise<Answer> {
    const pauses = new Backoff(PAUSE, this.options.random);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.tryOnce(request, deadline, use);
      } catch (error) {
        const pauseMs =
          tries < this.limits.triesMax ? await this.pauseAfter(error, request, { tries, pauses }) : undefined;
        if (pauseMs === undefined || pauseMs >= deadline.leftMs || deadline.why !== undefined) throw error;
        await this.options.timers.sleep(pauseMs, deadline.signal);
      }
    }
  }

  private async tryOnce<Answer>(
    request: HttpRequest,
    deadline: Deadline,
    use: (response: HttpResponse) => Promise<Answer>,
  ): Promise<Answer> {
    const slot = await this.calls.enter(deadline.signal);
    if (slot === undefined) throw this.endedBy(request, deadline.why ?? 'stopped', 'none');
    let isOverloaded = false;
    try {
      const response = await this.options.connection.request(request, deadline.signal);
      if (response.statusCode >= 300) throw await readStatusError(this.describe(request), response);
      return await use(response);
    } catch (error) {
      const failure = this.translate(request, deadline, error);
      isOverloaded = failure instanceof StatusError ? failure.isThrottled : isTimeout(failure);
      throw failure;
    } finally {
      slot.release(isOverloaded ? 'overloaded' : 'done');
    }
  }

  /** Absent: the error is the caller's to judge. */
  private async pauseAfter(
    error: unknown,
    { method }: HttpRequest,
    { tries, pauses }: { readonly tries: number; readonly pauses: Backoff },
  ): Promise<number | undefined> {
    if (error instanceof StatusError) {
      if (error.code === 401 && tries === 1) {
        await this.options.connection.renewAfterRefusal();
        return 0;
      }
      // Never before the server asked for, and not all at once then.
      return error.isThrottled ? (error.retryAfterMs ?? 0) + pauses.next() : undefined;
    }
    // An idle connection may be closed by the server in the moment in which it is used again.
    return error instanceof NoAnswerError && error.why === 'broken' && method === 'GET' ? pauses.next() : undefined;
  }

  private translate(request: HttpRequest, deadline: Deadline, error: unknown): Error {
    if (error instanceof StatusError || error instanceof NoAnswerError) return error;
    if (deadline.why !== undefined) return this.endedBy(request, deadline.why, effectOf(request));
    const isOfTransport = typeof (error as { readonly code?: unknown }).code === 'string';
    if (!isOfTransport) return error as Error;
    const failure = noAnswer(this.describe(request), error);
    return request.method === 'GET'
      ? new NoAnswerError(failure.message, failure.why, 'none', { cause: error })
      : failure;
  }

  private endedBy(request: HttpRequest, why: NoAnswerCause, effect: 'none' | 'maybe'): ApiError {
    const reason = why === 'timeout' ? 'no answer in time' : 'stopped by the caller';
    return new NoAnswerError(`${this.describe(request)}: ${reason}`, why, effect);
  }

  private describe({ method, path }: HttpRequest): string {
    return `${method} ${path.split('?', 1)[0] ?? path} of ${this.options.connection.name}`;
  }
}

/**
 * What to change: fields to merge, or the fields that Berth wants to own. `strategic` merges lists, too, by the key of
 * their items. Where fields are merged, a uid or resourceVersion among them is a precondition.
 */
export type Patch =
  | { readonly type: 'merge' | 'strategic'; readonly body: object }
  | { readonly type: 'apply'; readonly body: object; readonly conflicts: 'take' | 'refuse' };

function isTimeout(error: Error): boolean {
  return error instanceof NoAnswerError && error.why === 'timeout';
}

function effectOf({ method }: HttpRequest): 'none' | 'maybe' {
  return method === 'GET' ? 'none' : 'maybe';
}

function json(body: object, contentType = 'application/json'): { readonly body: string; readonly contentType: string } {
  return { body: JSON.stringify(body), contentType };
}

function withQuery(path: string, query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

function readPage(what: string, answer: unknown): ListPage {
  const { items, metadata } = answer as {
    items?: unknown;
    metadata?: { resourceVersion?: unknown; continue?: unknown };
  };
  const version = metadata?.resourceVersion;
  if (typeof version !== 'string' || !(items === null || Array.isArray(items)))
    throw new Error(`${what}: the answer is no list`);
  const objects: unknown[] = items ?? [];
  if (!objects.every(isKubeObject)) throw new Error(`${what}: an item has no metadata`);
  const more = metadata?.continue;
  return {
    items: objects,
    resourceVersion: version,
    continue: typeof more === 'string' && more !== '' ? more : undefined,
  };
}

async function* readDecoded(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== '') yield text;
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}
