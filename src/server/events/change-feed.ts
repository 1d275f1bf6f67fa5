import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Observable, Subject } from 'rxjs';
import { Notifications } from '../database/notifications.js';
import { NodesReader } from '../fleet/nodes-reader.js';
import { QueuesReader } from '../quotas/queues-reader.js';
import { WorkloadReader } from '../workloads/workload-reader.js';
import type { Change } from './events.schema.js';

/** At most four messages a second to each page. */
const COALESCE_MS = 250;
/** More changes than that at once are cheaper to send as everything. */
const CHANGES_MAX = 500;

/** Turns the ledger's notifications into coalesced changes; reads each changed thing once, for all listeners. */
@Injectable()
export class ChangeFeed implements OnModuleDestroy {
  private readonly changes = new Subject<Change | 'unknown'>();
  private readonly topics = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private unlisten: (() => void) | undefined;

  constructor(
    private readonly notifications: Notifications,
    private readonly nodes: NodesReader,
    private readonly queues: QueuesReader,
    private readonly workloads: WorkloadReader,
  ) {}

  /** First everything, then what changes; `team` limits the workloads. */
  watch(team: string | undefined): Observable<Change> {
    this.unlisten ??= this.notifications.listen('berth_changed', (topic) => {
      this.note(topic);
    });
    return new Observable<Change>((subscriber) => {
      let sending = Promise.resolve();
      const sendEverything = (): void => {
        sending = sending.then(async () => {
          subscriber.next(await this.everything(team));
        });
        sending.catch((error: unknown) => {
          subscriber.error(error);
        });
      };
      const subscription = this.changes.subscribe((change) => {
        if (change === 'unknown') sendEverything();
        else
          void sending.then(() => {
            const visible = limitedTo(change, team);
            if (visible !== undefined) subscriber.next(visible);
          });
      });
      sendEverything();
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
    return { kind: 'everything', nodes: [...nodes], queues: [...queues], workloads: [...workloads] };
  }

  private note(topic: string | undefined): void {
    if (!this.changes.observed) return;
    this.topics.add(topic ?? '*');
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.flush().catch(() => {
        this.topics.add('*'); // the database is away: its return is notified, and then everything is sent
      });
    }, COALESCE_MS);
  }

  private async flush(): Promise<void> {
    const topics = [...this.topics];
    this.topics.clear();
    if (topics.includes('*') || topics.length > CHANGES_MAX) {
      this.changes.next('unknown');
      return;
    }
    const named = (kind: string): string[] =>
      topics.filter((topic) => topic.startsWith(`${kind}:`)).map((topic) => topic.slice(kind.length + 1));
    const [nodes, queues, workloads] = await Promise.all([
      this.nodes.list(named('node')),
      // Usage of one queue moves what all others may borrow; a changed workload moves the counts.
      topics.some((topic) => !topic.startsWith('node:')) ? this.queues.list() : [],
      this.workloads.byUids(named('workload')),
    ]);
    this.changes.next({ kind: 'changed', nodes: [...nodes], queues: [...queues], workloads: [...workloads] });
  }
}

function limitedTo(change: Change, team: string | undefined): Change | undefined {
  if (team === undefined) return change;
  const workloads = change.workloads.filter(({ metadata }) => metadata.namespace === team);
  const isEmpty = workloads.length + change.nodes.length + change.queues.length === 0;
  return isEmpty ? undefined : { ...change, workloads };
}
