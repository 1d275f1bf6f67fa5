import { NoAnswerError, StatusError } from '../../src/cluster/kubernetes/api/api-error.js';
import type { CallOptions, ListPage, PageQuery, WatchQuery } from '../../src/cluster/kubernetes/api/api-server.js';
import { keyOf, type KubeObject } from '../../src/cluster/kubernetes/api/kube-object.js';
import { aPodObject } from './kube-objects.js';

interface LoggedEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

interface LiveWatch {
  cursor: number;
  /** Said when all that happened has been told. */
  word: 'bookmark' | 'end' | 'reset' | 'error' | 'expired' | undefined;
  dropsNext: boolean;
}

const OLDEST = 100;

/** No two writes have the same, also where a restored server gives a version out again. */
export function contentOf({ metadata, serial }: KubeObject): string {
  return `${metadata.resourceVersion}/${String(serial)}`;
}

/**
 * What an API server promises to whoever lists and watches one kind of object, in memory: versions, pages of one
 * snapshot, a log that is compacted and restored. And what it does not promise: everything can fail, or be lost.
 */
export class ModelApiServer {
  readonly failing = { lists: 0, watches: 0, code: 500 };
  private version = OLDEST;
  private oldest = OLDEST;
  private objects: ReadonlyMap<string, KubeObject> = new Map();
  private log: LoggedEvent[] = [];
  private uids = 0;
  private writes = 0;
  /** All that was there at each version. */
  private readonly history = new Map([[OLDEST, this.objects]]);
  private readonly watches = new Set<LiveWatch>();
  private waiting: (() => void)[] = [];

  /** `contentOf` each object, by key. */
  get contents(): Record<string, string> {
    return Object.fromEntries([...this.objects].map(([key, object]) => [key, contentOf(object)]));
  }

  put(name: string): void {
    const old = this.objects.get(`team/${name}`);
    const uid = old?.metadata.uid ?? `uid-${(this.uids += 1)}`;
    const object = { ...(aPodObject(name, this.version + 1, uid) as KubeObject), serial: (this.writes += 1) };
    this.write(old === undefined ? 'ADDED' : 'MODIFIED', object);
  }

  remove(name: string): void {
    const old = this.objects.get(`team/${name}`);
    if (old === undefined) return;
    const metadata = { ...old.metadata, resourceVersion: String(this.version + 1) };
    this.write('DELETED', { ...old, metadata });
  }

  compact(): void {
    this.oldest = this.version;
  }

  /** Back to an earlier state, whose later versions are then given out anew. */
  restore(versionsBack: number): void {
    this.version = Math.max(this.oldest, this.version - versionsBack);
    this.objects = this.history.get(this.version) ?? new Map();
    this.log = this.log.filter(({ version }) => version <= this.version);
    this.say('reset');
  }

  say(word: NonNullable<LiveWatch['word']>): void {
    for (const watch of this.watches) watch.word = word;
    this.wake();
  }

  /** Each watch loses its next event, and nobody notices. */
  drop(): void {
    for (const watch of this.watches) watch.dropsNext = true;
  }

  heal(): void {
    this.failing.lists = 0;
    this.failing.watches = 0;
    for (const watch of this.watches) watch.dropsNext = false;
  }

  async listPage(_path: string, query: PageQuery): Promise<ListPage> {
    const [version = this.version, from = 0] = query.continue?.split('/').map(Number) ?? [];
    await tick(); // others may write between two pages
    if (this.failing.lists > 0) {
      this.failing.lists -= 1;
      throw refusal(this.failing.code);
    }
    const snapshot = this.history.get(version);
    if (version < this.oldest || snapshot === undefined) throw refusal(410);
    const all = [...snapshot.keys()].sort().flatMap((key) => snapshot.get(key) ?? []);
    const until = from + query.limit;
    return {
      items: all.slice(from, until),
      resourceVersion: String(version),
      continue: until < all.length ? `${version}/${until}` : undefined,
    };
  }

  async *watch(_path: string, query: WatchQuery, { signal }: CallOptions): AsyncGenerator<unknown, void, undefined> {
    await tick();
    if (this.failing.watches > 0) {
      this.failing.watches -= 1;
      throw refusal(this.failing.code);
    }
    const watch: LiveWatch = { cursor: Number(query.resourceVersion), word: undefined, dropsNext: false };
    if (watch.cursor < this.oldest) throw refusal(410);
    this.watches.add(watch);
    const wake = (): void => {
      this.wake();
    };
    signal?.addEventListener('abort', wake);
    try {
      while (signal?.aborted !== true) {
        const next = this.log.find(({ version }) => version > watch.cursor);
        if (next !== undefined) {
          watch.cursor = next.version;
          if (watch.dropsNext) watch.dropsNext = false;
          else yield { type: next.type, object: next.object };
        } else if (watch.word === undefined) await new Promise<void>((resolve) => this.waiting.push(resolve));
        else if (watch.word === 'end') return;
        else yield this.wordOf(watch);
      }
      throw new NoAnswerError('aborted', 'stopped', 'none');
    } finally {
      this.watches.delete(watch);
      signal?.removeEventListener('abort', wake);
    }
  }

  private wordOf(watch: LiveWatch): object {
    const { word } = watch;
    watch.word = undefined;
    if (word === 'reset') throw new NoAnswerError('reset', 'broken', 'none');
    if (word === 'error') return { type: 'ERROR', object: { kind: 'Status', code: 500, reason: 'InternalError' } };
    if (word === 'expired') return { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } };
    return {
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(Math.max(this.version, watch.cursor)) } },
    };
  }

  private write(type: LoggedEvent['type'], object: KubeObject): void {
    this.version += 1;
    const objects = new Map(this.objects);
    if (type === 'DELETED') objects.delete(keyOf(object));
    else objects.set(keyOf(object), object);
    this.objects = objects;
    this.history.set(this.version, objects);
    this.log.push({ version: this.version, type, object });
    this.wake();
  }

  private wake(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const resolve of woken) resolve();
  }
}

function refusal(code: number): StatusError {
  return new StatusError(`refused with ${code}`, { code, reason: '', retryAfterMs: undefined, causes: [] });
}

async function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
