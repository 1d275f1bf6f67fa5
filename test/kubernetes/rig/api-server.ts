import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';

const TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 16;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiCall {
  readonly method: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT';
  /** Below the server's address, or a whole address of a program that shows the same certificate. */
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** The least client that a test needs: one call, one answer, an error after a time, and no opinion about objects. */
export class ApiServer {
  private readonly agent: Agent;

  constructor(
    readonly url: string,
    readonly certificates: string,
    private readonly token: string,
  ) {
    this.agent = new Agent({ ca: certificates, keepAlive: true, maxSockets: CONNECTIONS_MAX });
  }

  /** Any answer is an answer; only the lack of one is an error. */
  call({ method, path, body, timeoutMs = TIMEOUT_MS }: ApiCall): Promise<Answer> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.token}`,
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      // Node by itself does not say where the body of a DELETE ends.
      ...(sent === undefined ? {} : { 'content-length': Buffer.byteLength(sent) }),
    };
    const signal = AbortSignal.timeout(timeoutMs);
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.url), { agent: this.agent, headers, method, signal }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject).on('end', () => {
          resolve({ status: answer.statusCode ?? 0, body: parse(text) });
        });
      });
      asked.on('error', reject).end(sent);
    });
  }

  /** The object that was asked for or made; what the server refuses is an error with its words. */
  async ask<T>(call: ApiCall): Promise<T> {
    const { status, body } = await this.call(call);
    if (status < 200 || status > 299) {
      const { message = '' } = (typeof body === 'object' ? body : {}) as { readonly message?: string };
      throw new Error(`${call.method} ${call.path}: ${status} ${message}`);
    }
    return body as T;
  }

  /** Each line of a stream, until it ends or `signal` says so. */
  follow(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const { agent, token } = this;
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const asked = request(new URL(path, this.url), { agent, headers, signal }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`GET ${path}: ${answer.statusCode ?? 0}`));
        createInterface(answer).on('error', ended).on('line', onLine).on('close', resolve);
      });
      const ended = (error: Error): void => {
        if (signal.aborted) resolve();
        else reject(error);
      };
      asked.on('error', ended).end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Objects are JSON, and so is a refusal; `/readyz` answers in plain words. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
