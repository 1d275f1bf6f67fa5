import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { API_VERSION, type WorkloadDocumentInput } from '../server/workloads/workload.schema.js';
import { ApiClient } from './api-client.js';
import { ApiProblem, ServerUnreachable } from './api-problem.js';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const UID = '0b5a0c5e-5b0e-4c59-9d7c-0d6f3c2f9b11';
const DOCUMENT: WorkloadDocumentInput = {
  apiVersion: API_VERSION,
  kind: 'Workload',
  metadata: { name: 'sleep' },
  spec: { queue: 'research', podSets: [{ template: { spec: { containers: [{ name: 'main', command: ['true'] }] } } }] },
};

/** A server that gives the answers that it was told, one to each call, and remembers the calls. */
class ScriptedServer {
  readonly calls: { readonly line: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  answers: Answer[] = [];
  private readonly server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      this.calls.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, headers: request.headers, body });
      const answer = this.answers.shift() ?? problem(500, 'INTERNAL');
      answer(response, request);
    });
  });

  async listen(): Promise<ApiClient> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return new ApiClient({ server: `http://127.0.0.1:${port}`, token: 'secret' });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function json(body: unknown): Answer {
  return (response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

function problem(status: number, code: string, more: Record<string, unknown> = {}): Answer {
  return (response) => {
    const document = { type: 'about:blank', title: code, status, code, detail: `It is ${code}.`, ...more };
    response.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': '0' });
    response.end(JSON.stringify(document));
  };
}

function hangUp(response: ServerResponse): void {
  response.socket?.destroy();
}

function events(...messages: readonly unknown[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const message of messages) response.write(`event: change\ndata: ${JSON.stringify(message)}\n\n`);
    response.end();
  };
}

describe(ApiClient.name, () => {
  let server: ScriptedServer;
  let client: ApiClient;

  beforeEach(async () => {
    server = new ScriptedServer();
    client = await server.listen();
  });

  afterEach(async () => {
    await server.close();
  });

  it('sends its token, and reads all pages of a list', async () => {
    server.answers = [json({ items: [1, 2], next: 'two' }), json({ items: [3] })];
    expect(await client.workloads({ team: 'research' })).toEqual([1, 2, 3]);
    expect(server.calls.map(({ line }) => line)).toEqual([
      'GET /v1/workloads?team=research&limit=500',
      'GET /v1/workloads?team=research&limit=500&cursor=two',
    ]);
    expect(server.calls[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('asks again after a broken connection and after 503', async () => {
    server.answers = [hangUp, problem(503, 'UNAVAILABLE'), json({ metadata: { uid: UID } })];
    expect(await client.readWorkload(UID)).toEqual({ metadata: { uid: UID } });
    expect(server.calls).toHaveLength(3);
  });

  it('creates with one key, however often it has to ask', async () => {
    server.answers = [hangUp, problem(503, 'UNAVAILABLE'), json({ metadata: { uid: UID } })];
    await client.createWorkload(DOCUMENT);
    const keys = server.calls.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys).size).toBe(1);
    expect(server.calls.map(({ body }) => JSON.parse(body) as unknown)).toEqual([DOCUMENT, DOCUMENT, DOCUMENT]);
  });

  it('does not repeat what may have happened already', async () => {
    server.answers = [hangUp];
    await expect(client.operateNode('node-a', 'fail')).rejects.toThrow(ServerUnreachable);
    server.answers = [problem(503, 'UNAVAILABLE')];
    await expect(client.cancelWorkload(UID)).rejects.toThrow(ApiProblem);
    expect(server.calls).toHaveLength(2);
  });

  it('gives up after five calls, and says whom it could not reach', async () => {
    server.answers = Array.from({ length: 9 }, () => hangUp);
    await expect(client.nodes()).rejects.toThrow(`Cannot reach ${client.server} (`);
    expect(server.calls).toHaveLength(5);
  });

  it('does not wait for a server that asks for more patience than a person has', async () => {
    server.answers = [
      (response) => {
        response.writeHead(503, { 'retry-after': '3600', 'content-type': 'text/plain' }).end('later');
      },
    ];
    await expect(client.nodes()).rejects.toMatchObject({ status: 503, code: 'HTTP_503' });
    expect(server.calls).toHaveLength(1);
  });

  it('throws a problem document with all that it says', async () => {
    const errors = [{ path: 'spec.queue', message: 'must be lower-case' }];
    server.answers = [problem(400, 'INVALID_BODY', { errors })];
    const refusal: unknown = await client.createWorkload(DOCUMENT).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiProblem);
    expect(refusal).toMatchObject({
      status: 400,
      code: 'INVALID_BODY',
      detail: 'It is INVALID_BODY.',
      errors,
      exitCode: 2,
      message: 'It is INVALID_BODY. (INVALID_BODY)',
    });
  });

  it('tells a stranger from a Berth server', async () => {
    server.answers = [(response) => response.end('<html>')];
    await expect(client.nodes()).rejects.toThrow(`${client.server} is no Berth server: it answers without JSON.`);
  });

  it('returns nothing where the answer has no body', async () => {
    server.answers = [(response) => response.writeHead(204).end()];
    expect(await client.cancelWorkload(UID)).toBeUndefined();
  });

  it('hands logs on while they come', async () => {
    let finish = (): void => undefined;
    server.answers = [
      (response) => {
        response.write('first\n');
        finish = () => response.end('second\n');
      },
    ];
    const seen: string[] = [];
    for await (const chunk of client.logs(UID, { follow: true, tail: 2 })) {
      seen.push(chunk);
      finish();
    }
    expect(seen).toEqual(['first\n', 'second\n']);
    expect(server.calls[0]?.line).toBe(`GET /v1/workloads/${UID}/logs?follow=true&tail=2`);
  });

  it('goes on with the events after the stream broke, and ends when it is told to', async () => {
    const everything = { kind: 'everything', nodes: [], queues: [], workloads: [] };
    server.answers = [events(everything, { ...everything, kind: 'changed' }), hangUp, events(everything)];
    const stop = new AbortController();
    const kinds: string[] = [];
    for await (const { kind } of client.events(stop.signal)) {
      kinds.push(kind);
      if (kinds.length === 3) stop.abort();
    }
    expect(kinds).toEqual(['everything', 'changed', 'everything']);
  });

  it('gives up on a server whose streams end before they tell anything', async () => {
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 25_000));
    server.answers = Array.from({ length: 6 }, () => events());
    const first = client.events(new AbortController().signal).next();
    await expect(first).rejects.toBeInstanceOf(ServerUnreachable);
    clock.mockRestore();
  });

  it('does not go on asking for events that it may not have', async () => {
    server.answers = [problem(401, 'UNAUTHENTICATED')];
    const first = client.events(new AbortController().signal).next();
    await expect(first).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(server.calls).toHaveLength(1);
  });
});
