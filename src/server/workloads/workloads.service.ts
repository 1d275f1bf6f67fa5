import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Verdict } from '../../core/index.js';
import { unreachable } from '../unreachable.js';
import type { TrainingReport } from '../../trainer/contract.js';
import { reaches, teamFilter, type User } from '../auth/principal.js';
import type { Permission } from '../auth/permissions.js';
import { Problem } from '../problem.js';
import { Explainer } from './explainer.js';
import { explanationOf, settledExplanation, type WorkloadNames } from './explanation-sentences.js';
import type { LogQuery } from './logs.schema.js';
import { PodLogs } from './pod-logs.js';
import { problemOfSubmission } from './submission-problem.js';
import { WorkloadCommands } from './workload-commands.js';
import { WorkloadReader } from './workload-reader.js';
import type {
  ListWorkloads,
  Workload,
  WorkloadDocument,
  WorkloadExplanation,
  WorkloadPage,
} from './workload.schema.js';

/** What users do with workloads: each method finds out whether they may, asks one port, and maps the outcome. */
@Injectable()
export class WorkloadsService {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly reader: WorkloadReader,
    private readonly commands: WorkloadCommands,
    private readonly explainer: Explainer,
    private readonly podLogs: PodLogs,
  ) {}

  async create(user: User, document: WorkloadDocument, idempotencyKey: string | undefined): Promise<Workload> {
    const team = await this.teamOf(user, document);
    if (!reaches(user, 'workloads:create', { team, maker: user.name })) {
      throw new Problem(403, {
        code: 'FORBIDDEN',
        detail: `You may submit for team ${user.team ?? '(none)'}, not for ${team}: change metadata.namespace.`,
      });
    }
    // A name may have several tokens, of several people.
    const key = idempotencyKey === undefined ? undefined : `${user.tokenId}/${idempotencyKey}`;
    const outcome = await this.commands.submit({ document, team, actor: user.name, idempotencyKey: key });
    if (outcome.kind !== 'created' && outcome.kind !== 'repeated') throw problemOfSubmission(outcome, document);
    return this.found(await this.reader.findSubmitted(outcome.uid));
  }

  list(user: User, query: ListWorkloads): Promise<WorkloadPage> {
    const own = teamFilter(user, 'workloads:read');
    if (own !== undefined && query.team !== undefined && query.team !== own) return Promise.resolve({ items: [] });
    return this.reader.list(own === undefined ? query : { ...query, team: own });
  }

  async read(user: User, uid: string, permission: Permission = 'workloads:read'): Promise<Workload> {
    return this.found(await this.reader.find(uid, teamFilter(user, permission)));
  }

  /** The workload on its way out, or nothing when it had finished and is removed. */
  async cancel(user: User, uid: string): Promise<Workload | undefined> {
    const { metadata } = await this.read(user, uid, 'workloads:cancel');
    if (!reaches(user, 'workloads:cancel', { team: metadata.namespace, maker: metadata.createdBy })) {
      throw new Problem(403, {
        code: 'FORBIDDEN',
        detail: `It belongs to ${metadata.createdBy}: ask them, or a lead of team ${metadata.namespace}, to cancel it.`,
      });
    }
    const outcome = await this.commands.cancel(uid, user.name);
    if (outcome.kind === 'found') {
      throw new Problem(409, {
        code: 'FOUND_IN_KUBERNETES',
        detail: `Its pods were made in Kubernetes: delete them there (${metadata.name}), or what made them, and it ends.`,
      });
    }
    return outcome.kind === 'requested' ? this.read(user, uid, 'workloads:cancel') : undefined;
  }

  async explain(user: User, uid: string): Promise<WorkloadExplanation> {
    const workload = await this.read(user, uid);
    if (workload.status.state !== 'pending') return settledExplanation(workload);
    const explanation = await this.explainer.explain(uid);
    if (explanation.kind !== 'pending') return settledExplanation(await this.read(user, uid));
    const { verdict, names } = await this.seenBy(user, explanation);
    return explanationOf(workload, verdict, names);
  }

  async logs(
    user: User,
    uid: string,
    { pod, ...options }: LogQuery & { readonly signal: AbortSignal },
  ): Promise<AsyncIterable<string>> {
    const { tail, ...rest } = options;
    const outcome = this.podLogs.open(await this.read(user, uid), pod, tail === undefined ? rest : { ...rest, tail });
    switch (outcome.kind) {
      case 'logs':
        return outcome.chunks;
      case 'no-pod-yet':
        throw new Problem(404, {
          code: 'NOT_FOUND',
          detail: 'It has no pod yet, so no logs: `berth explain` says what it waits for.',
        });
      case 'pod-not-found':
        throw new Problem(404, {
          code: 'NOT_FOUND',
          detail: `No such pod; it has ${outcome.pods.join(', ') || 'none'}.`,
        });
      default:
        return unreachable(outcome);
    }
  }

  async report(user: User, uid: string): Promise<{ readonly body: TrainingReport; readonly html: string | undefined }> {
    const workload = await this.read(user, uid);
    const rows: { body: TrainingReport; html: string | null }[] = await this.database.query(
      'SELECT body, html FROM reports WHERE workload = $1',
      [uid],
    );
    const row = rows[0];
    if (row === undefined) {
      throw new Problem(404, {
        code: 'NOT_FOUND',
        detail: `No report yet: the workload is ${workload.status.state}, and the report comes with its end.`,
      });
    }
    return { body: row.body, html: row.html ?? undefined };
  }

  /** The namespace, else the caller's team, else the team that the queue belongs to. */
  private async teamOf(user: User, document: WorkloadDocument): Promise<string> {
    const named = document.metadata.namespace ?? user.team;
    if (named !== undefined) return named;
    const rows: { team: string | null }[] = await this.database.query('SELECT team FROM queues WHERE name = $1', [
      document.spec.queue,
    ]);
    const [queue] = rows;
    if (queue === undefined) throw problemOfSubmission({ kind: 'queue-not-found' }, document);
    if (queue.team !== null) return queue.team;
    throw new Problem(422, {
      code: 'TEAM_NOT_FOUND',
      detail: `Queue ${document.spec.queue} belongs to no team: name one in metadata.namespace; see GET /v1/teams.`,
    });
  }

  /** The verdict, with names for its workloads; of those that the user may not read it tells the team only. */
  private async seenBy(
    user: User,
    verdict: Verdict,
  ): Promise<{ readonly verdict: Verdict; readonly names: WorkloadNames }> {
    const text = JSON.stringify(verdict);
    const uids = text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g) ?? [];
    const rows: { uid: string; name: string; team: string }[] = await this.database.query(
      'SELECT uid, name, team FROM workloads WHERE uid = ANY($1)',
      [[...new Set(uids)]],
    );
    const own = teamFilter(user, 'workloads:read');
    const hidden = own === undefined ? [] : rows.filter(({ team }) => team !== own);
    const told = hidden.reduce((left, { uid, team }) => left.replaceAll(uid, `a workload of team ${team}`), text);
    return { verdict: JSON.parse(told) as Verdict, names: new Map(rows.map(({ uid, name }) => [uid, name])) };
  }

  private found(workload: Workload | undefined): Workload {
    if (workload !== undefined) return workload;
    throw new Problem(404, { code: 'NOT_FOUND', detail: 'No such workload that you may see; see GET /v1/workloads.' });
  }
}
