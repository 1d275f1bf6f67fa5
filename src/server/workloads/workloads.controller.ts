import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { TrainingReport } from '../../trainer/contract.js';
import { Allow } from '../auth/allow.decorator.js';
import { CurrentUser, type User } from '../auth/principal.js';
import { TokensService } from '../auth/tokens.service.js';
import { IdempotencyKey, IdempotencyKeySchema } from '../idempotency-key.js';
import { LogQuerySchema, type LogQuery } from './logs.schema.js';
import {
  ListWorkloadsSchema,
  WorkloadDocumentSchema,
  WorkloadExplanationSchema,
  WorkloadPageSchema,
  WorkloadReportSchema,
  WorkloadSchema,
  type ListWorkloads,
  type Workload,
  type WorkloadDocument,
  type WorkloadExplanation,
  type WorkloadPage,
} from './workload.schema.js';
import { WorkloadsService } from './workloads.service.js';

const UidSchema = z.uuid('must be the uid of a workload; GET /v1/workloads?name=… finds it');

/** The report is a page that somebody's job wrote: it gets no scripts, no origin and no network. */
const REPORT_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

@ApiTags('workloads')
@Controller('v1/workloads')
export class WorkloadsController {
  constructor(
    private readonly workloads: WorkloadsService,
    private readonly tokens: TokensService,
  ) {}

  /** Submits a workload. It is accepted when it could ever be allowed to run, and then waits for quota and capacity. */
  @Post()
  @Allow('workloads:create')
  @ApiCreatedResponse({ standardSchema: WorkloadSchema })
  async create(
    @CurrentUser() user: User,
    @IdempotencyKey({ schema: IdempotencyKeySchema }) idempotencyKey: string | undefined,
    @Body({ schema: WorkloadDocumentSchema }) document: WorkloadDocument,
  ): Promise<Workload> {
    return this.workloads.create(user, document, idempotencyKey);
  }

  @Get()
  @Allow('workloads:read')
  @ApiOkResponse({ standardSchema: WorkloadPageSchema })
  list(@CurrentUser() user: User, @Query({ schema: ListWorkloadsSchema }) query: ListWorkloads): Promise<WorkloadPage> {
    return this.workloads.list(user, query);
  }

  @Get(':uid')
  @Allow('workloads:read')
  @ApiOkResponse({ standardSchema: WorkloadSchema })
  read(@CurrentUser() user: User, @Param('uid', { schema: UidSchema }) uid: string): Promise<Workload> {
    return this.workloads.read(user, uid);
  }

  /** Cancels an unfinished workload (202, its pods get their grace period); removes a finished one (204). */
  @Delete(':uid')
  @Allow('workloads:cancel')
  @ApiAcceptedResponse({ standardSchema: WorkloadSchema })
  @ApiNoContentResponse()
  async remove(
    @CurrentUser() user: User,
    @Param('uid', { schema: UidSchema }) uid: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Workload | undefined> {
    const left = await this.workloads.cancel(user, uid);
    void reply.status(left === undefined ? 204 : 202);
    return left;
  }

  /** Why it waits: the binding constraint, how much is missing, who holds it, the smallest change that starts it. */
  @Get(':uid/explanation')
  @Allow('workloads:read')
  @ApiOkResponse({ standardSchema: WorkloadExplanationSchema })
  explain(@CurrentUser() user: User, @Param('uid', { schema: UidSchema }) uid: string): Promise<WorkloadExplanation> {
    return this.workloads.explain(user, uid);
  }

  /** Output of one pod as text, streamed while it grows with `follow`, until the token ends. */
  @Get(':uid/logs')
  @Allow('workloads:read')
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' } } } })
  async logs(
    @CurrentUser() user: User,
    @Param('uid', { schema: UidSchema }) uid: string,
    @Query({ schema: LogQuerySchema }) query: LogQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const gone = new AbortController();
    const watch = this.tokens.watch(user).subscribe((holds) => {
      if (!holds) gone.abort();
    });
    reply.raw.on('close', () => {
      watch.unsubscribe();
      gone.abort();
    });
    const chunks = await this.workloads.logs(user, uid, { ...query, signal: gone.signal });
    void reply.type('text/plain; charset=utf-8').header('x-content-type-options', 'nosniff');
    await reply.send(Readable.from(chunks));
  }

  /** The trainer's report: a page for people, or JSON when that is asked for. */
  @Get(':uid/report')
  @Allow('workloads:read')
  @ApiOkResponse({ standardSchema: WorkloadReportSchema })
  async report(
    @CurrentUser() user: User,
    @Param('uid', { schema: UidSchema }) uid: string,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TrainingReport | string> {
    const { body, html } = await this.workloads.report(user, uid);
    void reply.header('x-content-type-options', 'nosniff');
    if (html === undefined || (accept ?? '').includes('application/json')) return body;
    void reply.type('text/html; charset=utf-8').header('content-security-policy', REPORT_CSP);
    return html;
  }
}
