import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Observable, Subject } from 'rxjs';
import { Notifications } from '../database/notifications.js';
import { nodeSeenBy } from '../fleet/node-seen-by.js';
import { NodesReader } from '../fleet/nodes-reader.js';
import { QueuesReader } from '../quotas/queues-reader.js';
import { WorkloadReader } from '../workloads/workload-reader.js';
import type { Change } from './events.schema.js';

/** At most four messages a second to each page. */
const COALESCE_MS = 250;
/** After readings that failed: the database is away, or slow. */
const RETRY_MS = 1000;
/** More changes than that at once are cheaper to send as everything. */
const CHANGES_MAX = 500;

/** Turns the ledger's notifications into coalesced changes; reads each changed thing once, for all listeners. */
@Injectable()
export class ChangeFeed implements OnModuleDestroy {
  private readonly changes = new Subject<Change | 'unknown'>();
  private readonly topics = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private isFlushing = false;
  private unlisten: (() => void) | undefined;

  constructor(
    private readonly notifications: Notifications,
    private readonly nodes: NodesReader,
    private readonly queues: QueuesReader,
    private readonly workloads: WorkloadReader,
  ) {}

  /** First everything, then what changes; `team` limits the workloads, and what is told of those on nodes. */
  watch(team: string | undefined): Observable<Change> {
    this.unlisten ??= this.notifications.listen('berth_changed', (topic) => {
      this.note(topic);
    });
    return new Observable<Change>((subscriber) => {
      let sending = Promise.resolve();
      const sendInOrder = (read: () => Promise<Change> | Change | undefined): void => {
        sending = sending.then(async () => {
          const change = await read();
          if (change !== undefined) subscriber.next(change);
        });
        sending.catch((error: unknown) => {
          subscriber.error(error);
        });
      };
      const subscription = this.changes.subscribe((change) => {
        sendInOrder(() => (change === 'unknown' ? this.everything(team) : limitedTo(change, team)));
      });
      sendInOrder(() => this.everything(team));
      return subscription;
    });
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
    this.unlisten?.();
    this.changes.complete();
  }

  private async everything(team: string | undefined): Promise<Change> {
    const [nodes, queues, workloads] = await Promise.all([
      this.nodes.list(),
      this.queues.list(),
      this.workloads.recent(team),
    ]);
    return {
      kind: 'everything',
      nodes: nodes.map((node) => nodeSeenBy(node, team)),
      queues: [...queues],
      workloads: [...workloads],
      removed: { nodes: [], workloads: [] },
    };
  }

  private note(topic: string | undefined): void {
    if (!this.changes.observed) return;
    this.topics.add(topic ?? '*');
    if (!this.isFlushing) this.flushIn(COALESCE_MS);
  }

  private flushIn(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.flush();
    }, ms);
  }

  /** One at a time: what was read first is sent first. */
  private async flush(): Promise<void> {
    const topics = [...this.topics];
    this.topics.clear();
    let nextInMs = COALESCE_MS;
    this.isFlushing = true;
    try {
      await this.send(topics);
    } catch {
      this.topics.add('*'); // whoever listens is still owed these changes
      nextInMs = RETRY_MS;
    } finally {
      this.isFlushing = false;
    }
    if (this.topics.size > 0 && this.changes.observed) this.flushIn(nextInMs);
  }

  private async send(topics: readonly string[]): Promise<void> {
    if (topics.includes('*') || topics.length > CHANGES_MAX) {
      this.changes.next('unknown');
      return;
    }
    const named = (kind: string): string[] =>
      topics.filter((topic) => topic.startsWith(`${kind}:`)).map((topic) => topic.slice(kind.length + 1));
    const names = named('node');
    const uids = named('workload');
    const [nodes, queues, workloads] = await Promise.all([
      this.nodes.list(names),
      // Usage of one queue moves what all others may borrow; a changed workload moves the counts.
      topics.some((topic) => !topic.startsWith('node:')) ? this.queues.list() : [],
      this.workloads.byUids(uids),
    ]);
    this.changes.next({
      kind: 'changed',
      nodes: [...nodes],
      queues: [...queues],
      workloads: [...workloads],
      // The readers find only what is still there.
      removed: {
        nodes: without(
          names,
          nodes.map(({ name }) => name),
        ),
        workloads: without(
          uids,
          workloads.map(({ metadata }) => metadata.uid),
        ),
      },
    });
  }
}

function limitedTo(change: Change, team: string | undefined): Change | undefined {
  if (team === undefined) return change;
  const { queues, removed } = change;
  const nodes = change.nodes.map((node) => nodeSeenBy(node, team));
  const workloads = change.workloads.filter(({ metadata }) => metadata.namespace === team);
  // The uids of another team's removed workloads pass: whose they were is no longer read, and they say nothing.
  const parts = [workloads, nodes, queues, removed.nodes, removed.workloads];
  return parts.every(({ length }) => length === 0) ? undefined : { ...change, nodes, workloads };
}

function without(all: readonly string[], found: readonly string[]): string[] {
  const there = new Set(found);
  return all.filter((one) => !there.has(one));
}
