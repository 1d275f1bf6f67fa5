import type { HttpResponse } from './connection.js';
import { readText } from './read-body.js';

/** What a failed write may have done: `maybe` has to be read back before it is judged or tried again. */
export type Effect = 'none' | 'maybe';

/** A call to the API server that failed. */
export abstract class ApiError extends Error {
  abstract readonly effect: Effect;
}

export interface StatusCause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

export interface StatusFields {
  /** The HTTP status. */
  readonly code: number;
  /** Kubernetes' own word: `NotFound`, `Conflict`, `Expired`. Empty when the answer was not the API server's. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly StatusCause[];
}

/** The server answered, with a refusal. */
export class StatusError extends ApiError {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly StatusCause[];

  constructor(message: string, fields: StatusFields) {
    super(message);
    this.code = fields.code;
    this.reason = fields.reason;
    this.retryAfterMs = fields.retryAfterMs;
    this.causes = fields.causes;
  }

  /** A server that is failing cannot tell whether its store has taken the write: `etcdserver: request timed out`. */
  get effect(): Effect {
    return this.code >= 500 || this.code === 408 ? 'maybe' : 'none';
  }

  /** The resourceVersion or the page is too old: everything has to be listed again. */
  get isExpired(): boolean {
    return this.code === 410;
  }

  /** A disruption budget holds the pod: a decision about this pod, and no sign of load. */
  get isDisruptionBudget(): boolean {
    return this.code === 429 && this.causes.some(({ reason }) => reason === 'DisruptionBudget');
  }

  /** Asked to come more slowly. */
  get isThrottled(): boolean {
    return this.code === 429 && !this.isDisruptionBudget;
  }
}

/** Why there was no whole answer. */
export type NoAnswerCause = 'unreachable' | 'timeout' | 'broken' | 'stopped';

/** No whole answer came. */
export class NoAnswerError extends ApiError {
  override readonly name = 'NoAnswerError';

  constructor(
    message: string,
    readonly why: NoAnswerCause,
    readonly effect: Effect,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Node's and undici's words for a connection that was never made: nothing was sent on it. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What an error of the transport means for a request that was on its way. */
export function noAnswer(what: string, error: unknown): NoAnswerError {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const isUnreachable = typeof code === 'string' && NEVER_CONNECTED.has(code);
  return new NoAnswerError(
    `${what}: ${typeof message === 'string' && message !== '' ? message : String(code)}`,
    isUnreachable ? 'unreachable' : 'broken',
    isUnreachable ? 'none' : 'maybe',
    { cause: error },
  );
}

const ERROR_BYTES_MAX = 256 * 1024;

/** The refusal in an HTTP answer. */
export async function readStatusError(what: string, response: HttpResponse): Promise<StatusError> {
  const header = response.headers['retry-after'];
  const retryAfterMs = typeof header === 'string' && /^\d+$/.test(header) ? Number(header) * 1000 : undefined;
  const text = await readText(response.body, ERROR_BYTES_MAX);
  return statusError(what, parseJson(text) ?? text, { code: response.statusCode, retryAfterMs });
}

interface KnownFromHttp {
  readonly code: number;
  readonly retryAfterMs?: number | undefined;
}

/** Reads a `Status` object, also the one inside an ERROR event of a watch; anything else is shown as it came. */
export function statusError(what: string, body: unknown, known: KnownFromHttp): StatusError {
  const status = isRecord(body) ? body : {};
  const details = isRecord(status['details']) ? status['details'] : {};
  const message = textOf(status['message']) || (typeof body === 'string' ? body.trim().slice(0, 300) : '');
  const seconds = details['retryAfterSeconds'];
  const code = typeof status['code'] === 'number' ? status['code'] : known.code;
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isRecord) : [];
  return new StatusError(`${what}: ${String(code)} ${message}`.trimEnd(), {
    code,
    reason: textOf(status['reason']),
    retryAfterMs: known.retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined),
    causes: causes.map((cause) => ({
      reason: textOf(cause['reason']),
      field: textOf(cause['field']),
      message: textOf(cause['message']),
    })),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
