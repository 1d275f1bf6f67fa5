import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionCode } from '../server/auth/session.schema.js';
import type { Change } from '../server/events/events.schema.js';
import type { Node } from '../server/fleet/fleet.schema.js';
import type { NodeVerb } from '../server/fleet/node-commands.js';
import type { Queue, Team } from '../server/quotas/quotas.schema.js';
import type {
  ListWorkloads,
  Workload,
  WorkloadDocumentInput,
  WorkloadExplanation,
  WorkloadPage,
} from '../server/workloads/workload.schema.js';
import type { TrainingReport } from '../trainer/contract.js';
import { ServerUnreachable } from './api-problem.js';
import { HttpTransport, backoffMs, type ApiConnection } from './http-transport.js';
import { readServerSentEvents } from './server-sent-events.js';

/** The server says something at least every 15 s, if only a comment. */
const EVENTS_IDLE_MS_MAX = 45_000;
/** A kept log comes without pauses. */
const LOGS_IDLE_MS_MAX = 15_000;
/** A watch waits so long for a server that restarts. */
const EVENTS_GAP_MS_MAX = 60_000;
const PAGE_SIZE = 500;
/** A list of more is not for the terminal: narrow it. */
const WORKLOADS_MAX = 10_000;

export interface WorkloadFilter extends Partial<Pick<ListWorkloads, 'team' | 'queue' | 'name'>> {
  readonly state?: string;
}

export interface LogRequest {
  /** Absent: the pod of rank 0. */
  readonly pod?: string;
  readonly follow?: boolean;
  /** Lines from the end. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

/**
 * The API for programs of ours. Answers are believed to be what the schemas say: the server checks them, and a client
 * that is one version older must not choke on a field it does not know.
 */
export class ApiClient {
  private readonly http: HttpTransport;

  constructor(private readonly connection: ApiConnection) {
    this.http = new HttpTransport(connection);
  }

  get server(): string {
    return this.connection.server;
  }

  /** Repeated after a broken connection, with the same key: it happens once. */
  async createWorkload(
    document: WorkloadDocumentInput,
    { idempotencyKey = randomUUID() }: { readonly idempotencyKey?: string } = {},
  ): Promise<Workload> {
    const request = { method: 'POST', path: '/v1/workloads', body: document, idempotencyKey } as const;
    return (await this.http.json(request)) as Workload;
  }

  async readWorkload(uid: string): Promise<Workload> {
    return (await this.http.json({ method: 'GET', path: `/v1/workloads/${uid}` })) as Workload;
  }

  /** Newest first. */
  async workloads(filter: WorkloadFilter = {}): Promise<readonly Workload[]> {
    const found: Workload[] = [];
    let cursor: string | undefined;
    do {
      const query = { ...filter, limit: PAGE_SIZE, cursor };
      const page = (await this.http.json({ method: 'GET', path: '/v1/workloads', query })) as WorkloadPage;
      found.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined && found.length < WORKLOADS_MAX);
    return found;
  }

  /** All workloads of that name that the caller may see, one a team at most. */
  findWorkloads(name: string, team?: string): Promise<readonly Workload[]> {
    return this.workloads(team === undefined ? { name } : { name, team });
  }

  /** The workload on its way out; `undefined`: it had finished and is removed. */
  async cancelWorkload(uid: string): Promise<Workload | undefined> {
    return (await this.http.json({ method: 'DELETE', path: `/v1/workloads/${uid}` })) as Workload | undefined;
  }

  async explain(uid: string): Promise<WorkloadExplanation> {
    return (await this.http.json({
      method: 'GET',
      path: `/v1/workloads/${uid}/explanation`,
    })) as WorkloadExplanation;
  }

  async report(uid: string): Promise<TrainingReport> {
    return (await this.http.json({ method: 'GET', path: `/v1/workloads/${uid}/report` })) as TrainingReport;
  }

  /** What a pod prints, while it comes; it ends with the pod, or at once without `follow`. */
  logs(uid: string, { signal, ...query }: LogRequest = {}): AsyncGenerator<string> {
    const request = { method: 'GET', path: `/v1/workloads/${uid}/logs`, query, accept: 'text/plain' } as const;
    const idleMs = query.follow === true ? undefined : LOGS_IDLE_MS_MAX;
    return this.http.text(signal === undefined ? request : { ...request, signal }, idleMs);
  }

  async nodes(): Promise<readonly Node[]> {
    return ((await this.http.json({ method: 'GET', path: '/v1/nodes' })) as { items: Node[] }).items;
  }

  async node(name: string): Promise<Node> {
    return (await this.http.json({ method: 'GET', path: `/v1/nodes/${encodeURIComponent(name)}` })) as Node;
  }

  async operateNode(name: string, verb: NodeVerb): Promise<Node> {
    return (await this.http.json({ method: 'POST', path: `/v1/nodes/${encodeURIComponent(name)}/${verb}` })) as Node;
  }

  /** The quota tree, parents before children. */
  async queues(): Promise<readonly Queue[]> {
    return ((await this.http.json({ method: 'GET', path: '/v1/queues' })) as { items: Queue[] }).items;
  }

  async queue(name: string): Promise<Queue> {
    return (await this.http.json({ method: 'GET', path: `/v1/queues/${encodeURIComponent(name)}` })) as Queue;
  }

  async teams(): Promise<readonly Team[]> {
    return ((await this.http.json({ method: 'GET', path: '/v1/teams' })) as { items: Team[] }).items;
  }

  /** For one sign-in of a page. */
  async createSessionCode(): Promise<SessionCode> {
    return (await this.http.json({
      method: 'POST',
      path: '/v1/session/codes',
      idempotencyKey: randomUUID(),
    })) as SessionCode;
  }

  /**
   * First everything that the caller may see, then what changes, and everything again after each reconnection. Ends
   * when `signal` is aborted; throws when the server stays away for a minute, or refuses.
   */
  async *events(signal: AbortSignal): AsyncGenerator<Change> {
    let failures = 0;
    let awaySince: number | undefined;
    while (!signal.aborted) {
      try {
        for await (const change of this.changes(signal)) {
          failures = 0;
          awaySince = undefined;
          yield change;
        }
        signal.throwIfAborted();
        throw new ServerUnreachable(`${this.server} ends its events at once: try again later.`);
      } catch (error) {
        if (isAborted(signal)) return;
        awaySince ??= performance.now();
        if (!(error instanceof ServerUnreachable) || performance.now() - awaySince > EVENTS_GAP_MS_MAX) throw error;
      }
      failures += 1;
      await sleep(backoffMs(failures), undefined, { signal }).catch(() => undefined);
    }
  }

  private async *changes(signal: AbortSignal): AsyncGenerator<Change> {
    const request = { method: 'GET', path: '/v1/events', accept: 'text/event-stream', signal } as const;
    for await (const { event, data } of readServerSentEvents(this.http.text(request, EVENTS_IDLE_MS_MAX))) {
      if (event === 'change') yield JSON.parse(data) as Change;
    }
  }
}

/** A function, so that the compiler does not believe that it stays false across an await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
