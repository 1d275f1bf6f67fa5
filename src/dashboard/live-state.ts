import type { Change } from '../server/events/events.schema.js';
import type { Node } from '../server/fleet/fleet.schema.js';
import type { Queue } from '../server/quotas/quotas.schema.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import { isFinished } from './is-finished.js';

/** A page that stays open for a week shows as many finished workloads as one just opened. */
export const FINISHED_MAX = 50;

/** What the page knows of the cluster; an unchanged node or workload stays the same object, so nothing of it renders. */
export interface ClusterState {
  readonly nodes: ReadonlyMap<string, Node>;
  /** Parents before children. */
  readonly queues: readonly Queue[];
  readonly workloads: ReadonlyMap<string, Workload>;
}

export interface LiveState {
  readonly connection: 'connecting' | 'live' | 'lost';
  /** Absent until the first message. */
  readonly cluster?: ClusterState;
  readonly updatedAtMs?: number;
}

export type LiveEvent =
  | { readonly kind: 'change-received'; readonly change: Change; readonly atMs: number }
  | { readonly kind: 'connection-lost' };

export const INITIAL_LIVE_STATE: LiveState = { connection: 'connecting' };

export function liveState(state: LiveState, event: LiveEvent): LiveState {
  switch (event.kind) {
    case 'change-received':
      return { connection: 'live', cluster: applyChange(state.cluster, event.change), updatedAtMs: event.atMs };
    case 'connection-lost':
      return { ...state, connection: 'lost' };
  }
}

/** `everything` replaces what was known, `changed` is laid over it. */
function applyChange(known: ClusterState | undefined, change: Change): ClusterState {
  const base = change.kind === 'everything' ? undefined : known;
  return {
    nodes: overlaid(base?.nodes, { items: change.nodes, removed: change.removed.nodes }, ({ name }) => name),
    queues: change.queues.length === 0 && base !== undefined ? base.queues : change.queues,
    workloads: withoutOldFinished(
      overlaid(
        base?.workloads,
        { items: change.workloads, removed: change.removed.workloads },
        ({ metadata }) => metadata.uid,
      ),
    ),
  };
}

function overlaid<T>(
  base: ReadonlyMap<string, T> | undefined,
  { items, removed }: { readonly items: readonly T[]; readonly removed: readonly string[] },
  keyOf: (item: T) => string,
): ReadonlyMap<string, T> {
  if (base !== undefined && items.length + removed.length === 0) return base;
  const all = new Map(base);
  for (const item of items) all.set(keyOf(item), item);
  for (const key of removed) all.delete(key);
  return all;
}

function withoutOldFinished(workloads: ReadonlyMap<string, Workload>): ReadonlyMap<string, Workload> {
  const finished = [...workloads.values()].filter(isFinished);
  if (finished.length <= FINISHED_MAX) return workloads;
  const oldest = finished
    .sort((a, b) => Date.parse(finishedAt(b)) - Date.parse(finishedAt(a)))
    .slice(FINISHED_MAX)
    .map(({ metadata }) => metadata.uid);
  const kept = new Map(workloads);
  for (const uid of oldest) kept.delete(uid);
  return kept;
}

function finishedAt({ metadata, status }: Workload): string {
  return status.finishedAt ?? metadata.creationTimestamp;
}
