import { StatusError, statusError } from '../api/api-error.js';
import type { ApiServer, Selection } from '../api/api-server.js';
import { Backoff } from '../api/backoff.js';
import { MalformedLineError } from '../api/json-lines.js';
import { compareVersions, isKubeObject, type KubeObject } from '../api/kube-object.js';
import { ReflectedStore, type Change, type ListedEntry } from './reflected-store.js';
import type { Random, Timers } from '../timers.js';
import { Watchdog } from './watchdog.js';

export interface ReflectorOptions<T> {
  readonly api: Pick<ApiServer, 'listPage' | 'watch'>;
  /** Of a kind of object, `resourcePath(PODS)`, and which of them. */
  readonly path: string;
  readonly selection?: Selection;
  /** Reduces an object to what is needed of it; it throws for one that it cannot read. */
  readonly project: (object: KubeObject) => T;
  readonly report: (trouble: ReflectorTrouble) => void;
  readonly timers: Timers;
  readonly random: Random;
  readonly limits?: Partial<ReflectorLimits>;
}

export interface ReflectorLimits {
  readonly pageSize: number;
  readonly pagesMax: number;
  /** The server ends a watch after once to twice this time, so that watches spread over its replicas. */
  readonly watchSeconds: number;
  /** A watch that says nothing for this long, no bookmark either, is ended and checked. */
  readonly silenceMs: number;
  /** Everything is listed and compared this often. */
  readonly resyncMs: number;
  readonly pauseFirstMs: number;
  /** Also the most that passes between the end of an outage and the next try. */
  readonly pauseLastMs: number;
}

export const DEFAULT_REFLECTOR_LIMITS: ReflectorLimits = {
  pageSize: 500,
  pagesMax: 10_000,
  watchSeconds: 300,
  silenceMs: 65_000, // the server sends a bookmark about once a minute
  resyncMs: 300_000,
  pauseFirstMs: 250,
  pauseLastMs: 5000,
};

/** For the log; the reflector goes on by itself after each. */
export interface ReflectorTrouble {
  readonly what:
    'list-failed' | 'watch-failed' | 'expired' | 'silent' | 'handler-failed' | 'object-unreadable' | 'note-failed';
  readonly path: string;
  readonly error: unknown;
  /** Absent where nothing is tried again. */
  readonly retryInMs?: number;
}

/** The watch said something that cannot be skipped: only a list tells what it was. */
class LostTrackError extends Error {
  override readonly name = 'LostTrackError';
}

/** A watch that lasted this long was no failure, even if nothing happened. */
const STEADY_MS = 1000;

/**
 * Keeps the projections of one kind of object as the server has them, by a list and a watch from there on, until it is
 * stopped. Whatever fails is tried again for ever, with growing pauses; nothing is missed for longer than `resyncMs`.
 *
 * Handlers hear of each change once, in the order of the server, after the store has it; one that throws is reported
 * and harms nobody.
 */
export class Reflector<T> {
  private readonly limits: ReflectorLimits;
  private readonly store: ReflectedStore<T>;
  private readonly handlers = new Set<(change: Change<T>) => unknown>();
  private readonly stopping = new AbortController();
  private readonly listPauses: Backoff;
  private readonly watchPauses: Backoff;
  /** How far the store has come; absent: everything has to be listed. */
  private version: string | undefined;
  private comparedAtMs = 0;
  private running: Promise<void> | undefined;
  private readonly firstList: Promise<void>;
  private settleFirstList: ListAwaited | undefined;
  /** Of lists that have not begun yet. */
  private awaited: ListAwaited[] = [];
  private watchdog: Watchdog | undefined;

  constructor(private readonly options: ReflectorOptions<T>) {
    this.limits = { ...DEFAULT_REFLECTOR_LIMITS, ...options.limits };
    const pauses = { firstMs: this.limits.pauseFirstMs, lastMs: this.limits.pauseLastMs };
    this.listPauses = new Backoff(pauses, options.random);
    this.watchPauses = new Backoff(pauses, options.random);
    this.store = new ReflectedStore({
      project: options.project,
      unreadable: (key, error) => {
        this.report('object-unreadable', new Error(`cannot read ${key}`, { cause: error }));
      },
    });
    this.firstList = new Promise((resolve, reject) => {
      const stopped = (): void => {
        reject(new Error(`the reflector of ${options.path} was stopped before its first list was complete`));
      };
      this.settleFirstList = { listed: resolve, stopped };
    });
  }

  /** To be called before `start`, or the first list is missed; returns how to leave. */
  onChange(handler: (change: Change<T>) => unknown): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  /** Resolves after the first complete list, when the handlers have heard of it; rejects when it is stopped before. */
  async start(): Promise<void> {
    this.running ??= this.run();
    return this.firstList;
  }

  /** Lists anew at once; resolves when the handlers have heard of it, and rejects when it is stopped before. */
  async relist(): Promise<void> {
    const listed = new Promise<void>((resolve, reject) => {
      const stopped = (): void => {
        reject(new Error(`the reflector of ${this.options.path} was stopped before it was listed anew`));
      };
      this.awaited.push({ listed: resolve, stopped });
    });
    this.watchdog?.resync();
    return listed;
  }

  /** No handler is called any more from here on. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  get(key: string): T | undefined {
    return this.store.get(key);
  }

  entries(): Iterable<readonly [key: string, object: T]> {
    return this.store.entries();
  }

  get size(): number {
    return this.store.size;
  }

  private async run(): Promise<void> {
    while (!this.isStopping()) {
      const isListing = this.version === undefined || this.awaited.length > 0;
      try {
        if (this.version === undefined || this.awaited.length > 0) await this.list();
        else await this.watch(this.version);
      } catch (error) {
        if (!this.isStopping()) await this.recover(error, isListing ? 'list-failed' : 'watch-failed');
      }
    }
    this.settleFirstList?.stopped();
    for (const each of this.awaited) each.stopped();
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Page by page, without a resourceVersion: as new as the server can tell. Nothing changes before the last page. */
  private async list(): Promise<void> {
    const { api, path, selection, timers } = this.options;
    const awaiting = this.awaited.length;
    const listed: ListedEntry<T>[] = [];
    let first: string | undefined;
    let next: string | undefined;
    for (let pages = 0; pages < this.limits.pagesMax; pages += 1) {
      const query = { ...selection, limit: this.limits.pageSize, ...(next === undefined ? {} : { continue: next }) };
      const page = await api.listPage(path, query, { signal: this.stopping.signal });
      listed.push(...this.store.read(page.items));
      first ??= page.resourceVersion;
      next = page.continue;
      if (next !== undefined) continue;
      this.listPauses.reset();
      this.version = first;
      this.comparedAtMs = timers.now();
      this.tell(this.store.replace(listed));
      this.settleFirstList?.listed();
      this.settleFirstList = undefined;
      for (const each of this.awaited.splice(0, awaiting)) each.listed();
      return;
    }
    throw new Error(`the list does not end after ${this.limits.pagesMax} pages`);
  }

  /** Returns when it is to be watched again, or, without a version, to be listed. */
  private async watch(from: string): Promise<void> {
    const { api, path, selection, timers, random } = this.options;
    const { watchSeconds, silenceMs, resyncMs } = this.limits;
    const beganAtMs = timers.now();
    const resyncInMs = this.comparedAtMs + resyncMs * (0.9 + random() / 5) - beganAtMs;
    const watchdog = new Watchdog({ timers, silenceMs, resyncInMs, stop: this.stopping.signal });
    this.watchdog = watchdog;
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + random()));
    try {
      const query = { ...selection, resourceVersion: from, timeoutSeconds };
      for await (const event of api.watch(path, query, { signal: watchdog.signal })) {
        if (this.isStopping()) return;
        this.take(event);
        watchdog.heard();
        this.watchPauses.reset();
      }
      // A server that ends each watch at once would otherwise be asked as fast as it answers.
      if (watchdog.why === undefined && this.version === from && timers.now() - beganAtMs < STEADY_MS)
        throw new Error('the server ended the watch at once');
    } catch (error) {
      if (watchdog.why === undefined) throw error;
    } finally {
      watchdog.clear();
      this.watchdog = undefined;
      if (timers.now() - beganAtMs >= STEADY_MS) this.watchPauses.reset();
    }
    if (watchdog.why === 'resync') this.version = undefined;
    if (watchdog.why === 'silent') await this.checkSilence(this.version ?? from);
  }

  private take(event: unknown): void {
    const { type, object } = event as { readonly type?: unknown; readonly object?: unknown };
    if (type === 'ERROR') throw this.errorOf(object);
    if (type === 'BOOKMARK') {
      const { metadata } = object as { readonly metadata?: { readonly resourceVersion?: unknown } };
      this.advance(metadata?.resourceVersion);
      return;
    }
    if (!isKubeObject(object)) throw new LostTrackError(`an event without an object: ${String(type)}`);
    this.advance(object.metadata.resourceVersion);
    if (type === 'DELETED') this.tell(this.store.remove(object));
    else if (type === 'ADDED' || type === 'MODIFIED') this.tell(this.store.put(object));
    else throw new LostTrackError(`an event of an unknown type: ${String(type)}`);
  }

  private advance(version: unknown): void {
    if (typeof version !== 'string') throw new LostTrackError('an event without a resourceVersion');
    if (this.version === undefined || compareVersions(version, this.version) > 0) this.version = version;
  }

  private errorOf(status: unknown): Error {
    const error = statusError(`the watch of ${this.options.path}`, status, { code: 500 });
    const isHarmless = error.isExpired || error.isThrottled;
    return isHarmless ? error : new LostTrackError(error.message, { cause: error });
  }

  /**
   * The way to the server may be cut without a sign, and a watch from a version that the server does not have yet, after
   * its store was restored from a backup, says nothing for ever. Anything else is healed by the next watch.
   */
  private async checkSilence(version: string): Promise<void> {
    const { api, path } = this.options;
    this.report('silent', new Error(`the watch said nothing for ${this.limits.silenceMs} ms`));
    const { resourceVersion } = await api.listPage(path, { limit: 1 }, { signal: this.stopping.signal });
    if (compareVersions(resourceVersion, version) < 0)
      throw new LostTrackError(`the server is at ${resourceVersion} and was at ${version} before: it was restored`);
  }

  private async recover(error: unknown, what: 'list-failed' | 'watch-failed'): Promise<void> {
    const isExpired = error instanceof StatusError && error.isExpired;
    if (isExpired || hasLostTrack(error)) this.version = undefined;
    const pauses = what === 'list-failed' ? this.listPauses : this.watchPauses;
    // The first time, old age is no sign of trouble; the pause is counted all the same, so that a second try waits.
    const isFirstExpiry = isExpired && pauses.isFresh;
    const pauseMs = pauses.next();
    const askedMs = error instanceof StatusError ? (error.retryAfterMs ?? 0) : 0;
    const retryInMs = isFirstExpiry ? 0 : Math.max(pauseMs, askedMs);
    this.report(isExpired ? 'expired' : what, error, retryInMs);
    if (retryInMs > 0) await this.options.timers.sleep(retryInMs, this.stopping.signal);
  }

  private tell(changes: readonly Change<T>[]): void {
    for (const change of changes) for (const handler of this.handlers) this.tellOne(handler, change);
  }

  private tellOne(handler: (change: Change<T>) => unknown, change: Change<T>): void {
    if (this.isStopping()) return; // by an earlier handler
    const failed = (error: unknown): void => {
      this.report('handler-failed', error);
    };
    try {
      const result = handler(change);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  private report(what: ReflectorTrouble['what'], error: unknown, retryInMs?: number): void {
    this.options.report({ what, path: this.options.path, error, ...(retryInMs === undefined ? {} : { retryInMs }) });
  }
}

/** Somebody who waits for a list. */
interface ListAwaited {
  readonly listed: () => void;
  readonly stopped: () => void;
}

/** Watching on from the same version would meet the same again. */
function hasLostTrack(error: unknown): boolean {
  if (error instanceof StatusError) return error.code < 500 && ![401, 403, 408, 429].includes(error.code);
  return error instanceof LostTrackError || error instanceof MalformedLineError;
}
