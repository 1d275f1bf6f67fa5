import { isDeepStrictEqual } from 'node:util';
import { compareVersions, keyOf, type KubeObject } from '../api/kube-object.js';

/** What became of an object; `object` is its newest projection, of a deleted one the last that was seen. */
export type Change<T> =
  | { readonly kind: 'added'; readonly key: string; readonly object: T }
  | { readonly kind: 'changed'; readonly key: string; readonly object: T; readonly before: T }
  | { readonly kind: 'deleted'; readonly key: string; readonly object: T };

/** `unreadable`: told when an object cannot be projected; its last projection, if there is one, stays. */
export interface Projection<T> {
  readonly project: (object: KubeObject) => T;
  readonly unreadable: (key: string, error: unknown) => void;
}

interface Entry<T> {
  readonly uid: string;
  readonly version: string;
  readonly object: T;
}

/**
 * The projections of all objects of a kind, by key. Each call returns exactly what it changed: an object that was
 * deleted and made again under its name is one deletion and one addition, and old news of an object changes nothing.
 */
export class ReflectedStore<T> {
  private stored = new Map<string, Entry<T>>();

  constructor(private readonly projection: Projection<T>) {}

  get size(): number {
    return this.stored.size;
  }

  get(key: string): T | undefined {
    return this.stored.get(key)?.object;
  }

  *entries(): Generator<readonly [key: string, object: T], void, undefined> {
    for (const [key, { object }] of this.stored) yield [key, object];
  }

  /** Projects one page of a list; what it returns is given to `replace`, so that whole pages need not be kept. */
  read(items: readonly KubeObject[]): ListedEntry<T>[] {
    return items.map((item) => {
      const key = keyOf(item);
      const { uid, resourceVersion: version } = item.metadata;
      const projected = this.project(key, item);
      return { key, entry: projected && { uid, version, object: projected.object } };
    });
  }

  /** A complete list is the truth, also where the store has seen newer: the server may have been restored. */
  replace(list: readonly ListedEntry<T>[]): Change<T>[] {
    const before = this.stored;
    this.stored = new Map();
    const changes: Change<T>[] = [];
    for (const { key, entry } of list) {
      const old = before.get(key);
      before.delete(key);
      const next = entry ?? old;
      if (next === undefined) continue;
      this.stored.set(key, next);
      if (old === undefined || !isSame(old, next)) changes.push(...difference(key, old, next));
    }
    // Deletions first: what they held is free before others are seen to hold it.
    return [...[...before].map(([key, { object }]) => ({ kind: 'deleted', key, object }) as const), ...changes];
  }

  /** An object as an event shows it, created or changed. */
  put(item: KubeObject): Change<T>[] {
    const key = keyOf(item);
    const { uid, resourceVersion: version } = item.metadata;
    const old = this.stored.get(key);
    if (old !== undefined && compareVersions(version, old.version) <= 0) return [];
    const projected = this.project(key, item);
    if (projected === undefined) return [];
    const entry = { uid, version, object: projected.object };
    this.stored.set(key, entry);
    return difference(key, old, entry);
  }

  /** Only the object itself: news of an earlier one of that name does not delete it. */
  remove(item: KubeObject): Change<T>[] {
    const key = keyOf(item);
    const old = this.stored.get(key);
    if (old?.uid !== item.metadata.uid) return [];
    this.stored.delete(key);
    return [{ kind: 'deleted', key, object: this.project(key, item)?.object ?? old.object }];
  }

  private project(key: string, item: KubeObject): { readonly object: T } | undefined {
    try {
      return { object: this.projection.project(item) };
    } catch (error) {
      this.projection.unreadable(key, error);
      return undefined;
    }
  }
}

/** `entry` is absent for an object that exists and could not be projected. */
export interface ListedEntry<T> {
  readonly key: string;
  readonly entry: Entry<T> | undefined;
}

/** Compared as a whole: a server that was restored gives the same versions out again, for other contents. */
function isSame<T>(old: Entry<T>, next: Entry<T>): boolean {
  return old.uid === next.uid && old.version === next.version && isDeepStrictEqual(old.object, next.object);
}

function difference<T>(key: string, old: Entry<T> | undefined, next: Entry<T>): Change<T>[] {
  const { object } = next;
  if (old === undefined) return [{ kind: 'added', key, object }];
  if (old.uid === next.uid) return [{ kind: 'changed', key, object, before: old.object }];
  return [
    { kind: 'deleted', key, object: old.object },
    { kind: 'added', key, object },
  ];
}
