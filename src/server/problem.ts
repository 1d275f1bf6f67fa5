import { randomUUID } from 'node:crypto';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseUnavailable } from './database/database-availability.js';
import type { ProblemDocument } from './problem.schema.js';

/** Stable words for programs; the sentence beside them is for people and may change. */
export type ProblemCode =
  | 'INVALID_BODY'
  | 'INVALID_REQUEST'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'QUEUE_NOT_FOUND'
  | 'QUEUE_NOT_A_LEAF'
  | 'TEAM_NOT_FOUND'
  | 'NAME_TAKEN'
  | 'FOUND_IN_KUBERNETES'
  | 'KEY_REUSED'
  | 'QUOTA_EXCEEDED'
  | 'STALE_INCARNATION'
  | 'NOT_SUPPORTED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

interface ProblemFacts {
  readonly code: ProblemCode;
  /** What is wrong and what to do next. */
  readonly detail: string;
  readonly errors?: ProblemDocument['errors'];
  readonly retryAfterSeconds?: number;
}

/** An error that the caller can act on; answered as an RFC 9457 problem document. */
export class Problem extends HttpException {
  constructor(
    status: number,
    readonly facts: ProblemFacts,
  ) {
    super(facts.detail, status);
  }
}

/** What a schema found wrong, as the Standard Schema interface tells it. */
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What the validation pipe throws: every mistake at once. */
export function problemOfIssues(issues: readonly SchemaIssue[]): Problem {
  const errors = issues.slice(0, 100).map((issue) => ({
    path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: issue.message,
  }));
  const listed = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new Problem(400, { code: 'INVALID_BODY', detail: `${listed}. Correct this and send it again.`, errors });
}

const DATABASE_RETRY_SECONDS = 2;

/** Turns whatever was thrown into a problem document; only what nobody foresaw is logged. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const requestId = randomUUID();
    const problem = this.problemOf(error);
    if (problem.getStatus() >= 500 && problem.facts.code !== 'UNAVAILABLE') {
      this.logger.error({ message: 'request failed', requestId, method: request.method, url: request.url, error });
    }
    if (reply.sent) return;
    if (problem.facts.retryAfterSeconds !== undefined)
      void reply.header('retry-after', problem.facts.retryAfterSeconds);
    if (problem.getStatus() === 401) void reply.header('www-authenticate', 'Bearer');
    const { code, detail, errors } = problem.facts;
    const document: ProblemDocument = {
      type: 'about:blank',
      title: code.toLowerCase().replaceAll('_', ' '),
      status: problem.getStatus(),
      code,
      detail,
      requestId,
      ...(errors === undefined ? {} : { errors }),
    };
    void reply.status(problem.getStatus()).type('application/problem+json').send(JSON.stringify(document));
  }

  private problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (isDatabaseUnavailable(error)) {
      return new Problem(503, {
        code: 'UNAVAILABLE',
        detail: `The database does not answer in time. What you asked for may have happened or not: repeat it in ${DATABASE_RETRY_SECONDS} s, with the same Idempotency-Key.`,
        retryAfterSeconds: DATABASE_RETRY_SECONDS,
      });
    }
    const status = statusOf(error);
    if (status === 404) {
      return new Problem(404, {
        code: 'NOT_FOUND',
        detail: 'No such resource; GET /openapi.json lists what there is.',
      });
    }
    if (status >= 400 && status < 500) {
      return new Problem(status, {
        code: 'INVALID_REQUEST',
        detail: error instanceof Error ? error.message : 'Refused.',
      });
    }
    return new Problem(500, { code: 'INTERNAL', detail: 'A defect of the server; its log has the request id.' });
  }
}

/** Nest and Fastify carry the status in different places. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (typeof error === 'object' && error !== null && 'statusCode' in error) return Number(error.statusCode);
  return 500;
}
