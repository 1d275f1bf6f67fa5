import type { ProblemDocument } from '../server/problem.schema.js';
import { CliError, EXIT_CODE } from './cli-error.js';

/** The server refused a call: an RFC 9457 problem document, or whatever else stood in its way. */
export class ApiProblem extends CliError {
  override name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly facts: {
      readonly detail: string;
      readonly errors?: ProblemDocument['errors'];
      readonly retryAfterSeconds?: number;
    },
  ) {
    super(`${facts.detail} (${code})`, status === 400 ? EXIT_CODE.usage : EXIT_CODE.failed);
  }

  get detail(): string {
    return this.facts.detail;
  }

  /** With `INVALID_BODY`: every mistake, by the path of its field. */
  get errors(): NonNullable<ProblemDocument['errors']> {
    return this.facts.errors ?? [];
  }
}

/** No answer at all; the call may or may not have arrived. */
export class ServerUnreachable extends CliError {
  override name = 'ServerUnreachable';
}

export async function problemOfResponse(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retry = Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {};
  const document = isProblemDocument(response) ? ((await response.json()) as Partial<ProblemDocument>) : {};
  const { code = `HTTP_${response.status}`, detail, errors } = document;
  return new ApiProblem(response.status, code, {
    detail: detail ?? `${response.url} answered ${response.status} ${response.statusText}: is that a Berth server?`,
    ...(errors === undefined ? {} : { errors }),
    ...retry,
  });
}

function isProblemDocument(response: Response): boolean {
  return (response.headers.get('content-type') ?? '').startsWith('application/problem+json');
}
