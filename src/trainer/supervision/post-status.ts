import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { StatusReplySchema, type StatusReply, type StatusReport } from '../contract.js';

export interface StatusEndpoint {
  readonly url: string;
  /** Read anew for each call: a projected token is rotated in place. */
  readonly tokenFile: string | undefined;
  /** A PEM file, for a server whose certificate is not publicly signed. */
  readonly caFile: string | undefined;
}

export type PostOutcome =
  | { readonly kind: 'accepted'; readonly reply: StatusReply }
  /** A newer incarnation exists. */
  | { readonly kind: 'superseded' }
  | {
      readonly kind: 'failed';
      readonly why: string;
      /** Something in the report is to blame: the same again would be refused again. */
      readonly fault: 'report' | 'other';
    };

const TIMEOUT_MILLIS = 5_000;
/** The last report carries megabytes; an answer never does. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** One attempt to tell the control plane; never throws, because training does not depend on it. */
export async function postStatus(endpoint: StatusEndpoint, report: StatusReport): Promise<PostOutcome> {
  try {
    const { status, body } = await post(endpoint, JSON.stringify(report));
    if (status === 409) return { kind: 'superseded' };
    if (status < 200 || status > 299)
      return failed(`answer ${status}`, status === 400 || status === 413 ? 'report' : 'other');
    const reply = StatusReplySchema.safeParse(JSON.parse(body));
    return reply.success ? { kind: 'accepted', reply: reply.data } : failed('unreadable answer');
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(why: string, fault: 'report' | 'other' = 'other'): PostOutcome {
  return { kind: 'failed', why, fault };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function post({ url, tokenFile, caFile }: StatusEndpoint, body: string): Promise<Answer> {
  const token = tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim();
  const options = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
  };
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      readAnswer(response).then(resolve, reject);
    };
    const request = url.startsWith('https:')
      ? httpsRequest(url, { ...options, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) }, onResponse)
      : httpRequest(url, options, onResponse);
    request.on('error', reject);
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new Error('the answer is no bytes');
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer is over ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}
