import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aPodObject } from '../../../../test/support/kube-objects.js';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { ScriptedApiServer, type Exchange } from '../../../../test/support/scripted-api-server.js';
import { ApiServer, type ApiServerLimits } from './api-server.js';
import { NoAnswerError, StatusError } from './api-error.js';
import { Connection } from './connection.js';
import { resourcePath } from './resource-path.js';

const PODS = { group: '', version: 'v1', plural: 'pods' };
const LIST = resourcePath(PODS, { namespace: 'team' });
const POD = resourcePath(PODS, { namespace: 'team', name: 'a' });
const BINDING = resourcePath(PODS, { namespace: 'team', name: 'a', subresource: 'binding' });
const EVICTION = resourcePath(PODS, { namespace: 'team', name: 'a', subresource: 'eviction' });

let server: ScriptedApiServer;
let timers: ManualTimers;
let connection: Connection;
let tokensRead = 0;

beforeEach(async () => {
  server = await ScriptedApiServer.start();
  timers = new ManualTimers();
  tokensRead = 0;
  const access = {
    server: server.url,
    origin: 'a test',
    namespace: undefined,
    credentials: () => {
      tokensRead += 1;
      return Promise.resolve({ tls: {}, headers: { Authorization: `Bearer ${tokensRead}` } });
    },
  };
  connection = await Connection.open(access, { timers, connectionsMax: 8, report: () => undefined });
});
afterEach(async () => {
  await connection.close();
  await server.stop();
  expect(timers.alarmsSet).toBe(0);
});

function apiServer(limits: Partial<ApiServerLimits> = {}): ApiServer {
  return new ApiServer({ connection, timers, random: () => 0.5, limits });
}

/** What a promise is rejected with. */
async function failureOf(asking: Promise<unknown>): Promise<unknown> {
  return asking.then(
    (value) => {
      throw new Error(`not refused, but answered: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

async function readAll<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const read: Item[] = [];
  for await (const item of items) read.push(item);
  return read;
}

interface Call {
  readonly act: (api: ApiServer) => Promise<unknown>;
  readonly want: { readonly method: string; readonly path: string; readonly query?: object; readonly body?: unknown };
  readonly contentType?: string;
}

const calls: Record<string, Call> = {
  'gets an object': { act: (api) => api.get(POD), want: { method: 'GET', path: '/api/v1/namespaces/team/pods/a' } },
  'creates an object in its own name': {
    act: (api) => api.create(LIST, { kind: 'Pod' }),
    want: { method: 'POST', path: LIST, query: { fieldManager: 'berth' }, body: { kind: 'Pod' } },
    contentType: 'application/json',
  },
  'binds by creating the subresource': {
    act: (api) => api.create(BINDING, { kind: 'Binding' }),
    want: { method: 'POST', path: `${POD}/binding`, query: { fieldManager: 'berth' }, body: { kind: 'Binding' } },
  },
  'deletes what it means and nothing that has taken its name': {
    act: (api) => api.delete(POD, { preconditions: { uid: 'u', resourceVersion: '7' }, gracePeriodSeconds: 30 }),
    want: {
      method: 'DELETE',
      path: POD,
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: 'u', resourceVersion: '7' },
        gracePeriodSeconds: 30,
      },
    },
  },
  'merges fields into the status': {
    act: (api) => api.patch(`${POD}/status`, { type: 'merge', body: { status: { phase: 'Failed' } } }),
    want: {
      method: 'PATCH',
      path: `${POD}/status`,
      query: { fieldManager: 'berth' },
      body: { status: { phase: 'Failed' } },
    },
    contentType: 'application/merge-patch+json',
  },
  'merges lists by the key of their items': {
    act: (api) => api.patch(`${POD}/status`, { type: 'strategic', body: { metadata: { uid: 'u' } } }),
    want: {
      method: 'PATCH',
      path: `${POD}/status`,
      query: { fieldManager: 'berth' },
      body: { metadata: { uid: 'u' } },
    },
    contentType: 'application/strategic-merge-patch+json',
  },
  'applies fields that it owns': {
    act: (api) => api.patch(POD, { type: 'apply', body: { kind: 'Pod' }, conflicts: 'take' }),
    want: { method: 'PATCH', path: POD, query: { fieldManager: 'berth', force: 'true' }, body: { kind: 'Pod' } },
    contentType: 'application/apply-patch+yaml',
  },
};

describe('a call to the API server', () => {
  it.each(Object.entries(calls))('%s', async (_title, { act, want, contentType }) => {
    const asking = act(apiServer());
    const exchange = await server.next();
    exchange.json(200, { kind: 'Status' });
    await asking;
    const { method, path, query, body } = exchange;
    expect({ method, path, query, body }).toEqual({ query: {}, body: undefined, ...want });
    if (contentType !== undefined) expect(exchange.header['content-type']).toBe(contentType);
  });

  it('reads the answer to a write only for whoever wants it', async () => {
    const api = apiServer();
    const answers: unknown[] = [];
    for (const answer of ['drop', 'read'] as const) {
      const asking = api.create(LIST, {}, { answer });
      (await server.next()).json(201, { kind: 'Pod' });
      answers.push(await asking);
    }
    expect(answers).toEqual([undefined, { kind: 'Pod' }]);
  });

  it('lists page by page, with the version of the list', async () => {
    const asking = apiServer().listPage(LIST, { limit: 2, continue: 'more', labelSelector: 'a=b' });
    const exchange = await server.next();
    exchange.list('9', [aPodObject('a', 1)], 'still more');
    expect(exchange.query).toEqual({ limit: '2', continue: 'more', labelSelector: 'a=b' });
    expect(await asking).toEqual({ items: [aPodObject('a', 1)], resourceVersion: '9', continue: 'still more' });
  });

  it('refuses an answer that is larger than it may be', async () => {
    const asking = apiServer({ answerBytesMax: 100 }).get(POD);
    (await server.next()).json(200, { text: 'x'.repeat(200) });
    await expect(asking).rejects.toThrow('larger than 100 bytes');
  });
});

interface Refusal {
  readonly answer: (exchange: Exchange) => void;
  readonly want: object;
}

const refusals: Record<string, Refusal> = {
  'with the words of the API server': {
    answer: (exchange) => {
      exchange.refuse(409, 'Conflict', { details: { causes: [{ reason: 'R', field: 'f', message: 'm' }] } });
    },
    want: { code: 409, reason: 'Conflict', effect: 'none', causes: [{ reason: 'R', field: 'f', message: 'm' }] },
  },
  'of something in between that speaks no Kubernetes': {
    answer: (exchange) => {
      exchange.json(413, 'too large');
    },
    want: { code: 413, reason: '', effect: 'none', message: expect.stringContaining(`POST ${BINDING} of`) },
  },
  'of a server that may have done it all the same': {
    answer: (exchange) => {
      exchange.refuse(504, 'Timeout');
    },
    want: { code: 504, reason: 'Timeout', effect: 'maybe' },
  },
};

describe('a refused write', () => {
  it.each(Object.entries(refusals))('is thrown at once %s', async (_title, { answer, want }) => {
    const failing = failureOf(apiServer().create(BINDING, {}));
    answer(await server.next());
    const failure = await failing;
    expect(failure).toBeInstanceOf(StatusError);
    expect(failure).toMatchObject(want);
    expect(server.unasked).toBe(0);
  });

  it('waits as long as a busy server asks for, and a little longer, then tries again', async () => {
    const asking = apiServer().create(BINDING, {});
    (await server.next()).refuse(429, 'TooManyRequests', { headers: { 'retry-after': '2' } });
    (await server.next()).refuse(429, 'TooManyRequests', { details: { retryAfterSeconds: 3 } });
    (await server.next()).json(201, {});
    await asking;
    expect(timers.pauses).toEqual([2000 + 187.5, 3000 + 375]);
  });

  it('is given up when a busy server stays busy', async () => {
    const failing = failureOf(apiServer({ triesMax: 3 }).create(BINDING, {}));
    for (let tries = 0; tries < 3; tries += 1) (await server.next()).refuse(429, 'TooManyRequests');
    expect(await failing).toMatchObject({ code: 429, effect: 'none' });
  });

  it('is given up at once when the server asks for more time than there is', async () => {
    const failing = failureOf(apiServer().create(BINDING, {}, { timeoutMs: 1000 }));
    (await server.next()).refuse(429, 'TooManyRequests', { headers: { 'retry-after': '2' } });
    expect(await failing).toMatchObject({ code: 429, retryAfterMs: 2000 });
  });

  it('is told at once when a disruption budget holds the pod, which is no sign of load', async () => {
    const api = apiServer({ callsMax: 1 });
    const failing = failureOf(api.create(EVICTION, {}));
    const details = { causes: [{ reason: 'DisruptionBudget', message: 'needs 2' }], retryAfterSeconds: 10 };
    (await server.next()).refuse(429, 'TooManyRequests', { details });
    expect(await failing).toMatchObject({ code: 429, isDisruptionBudget: true, isThrottled: false });
  });

  it('reads its token anew when it is refused, and tries once more', async () => {
    const failing = failureOf(apiServer().create(BINDING, {}));
    (await server.next()).refuse(401, 'Unauthorized');
    const second = await server.next();
    second.refuse(401, 'Unauthorized');
    expect(second.header.authorization).toBe('Bearer 2');
    expect(await failing).toMatchObject({ code: 401, effect: 'none' });
  });
});

describe('a call without an answer', () => {
  it('may have had an effect when time is over, and is not tried again', async () => {
    const failing = failureOf(apiServer().create(BINDING, {}));
    const exchange = await server.next();
    timers.advance(30_000);
    expect(await failing).toMatchObject({ why: 'timeout', effect: 'maybe' });
    await exchange.gone;
    expect(server.unasked).toBe(0);
  });

  it('may have had an effect when the connection broke', async () => {
    const failing = failureOf(apiServer().delete(POD));
    (await server.next()).reset();
    expect(await failing).toMatchObject({ why: 'broken', effect: 'maybe' });
    expect(server.unasked).toBe(0);
  });

  it('had no effect when it was still waiting for its turn', async () => {
    const api = apiServer({ callsMax: 1 });
    const first = failureOf(api.create(BINDING, {}));
    await server.next();
    const second = failureOf(api.create(BINDING, {}));
    timers.advance(30_000);
    expect(await first).toMatchObject({ effect: 'maybe' });
    expect(await second).toMatchObject({ why: 'timeout', effect: 'none' });
  });

  it('had no effect when nobody listens', async () => {
    await server.stop();
    const failure = await failureOf(apiServer().create(BINDING, {}));
    expect(failure).toBeInstanceOf(NoAnswerError);
    expect(failure).toMatchObject({ why: 'unreachable', effect: 'none', message: expect.stringContaining('a test') });
    server = await ScriptedApiServer.start();
  });

  it('ends when its caller says stop', async () => {
    const stop = new AbortController();
    const failing = failureOf(apiServer().create(BINDING, {}, { signal: stop.signal }));
    await server.next();
    stop.abort();
    expect(await failing).toMatchObject({ why: 'stopped', effect: 'maybe' });
  });

  it('is tried again when it only reads', async () => {
    const asking = apiServer().get(POD);
    (await server.next()).reset();
    (await server.next()).json(200, { kind: 'Pod' });
    expect(await asking).toEqual({ kind: 'Pod' });
  });

  it('takes its place in the limit with it', async () => {
    const api = apiServer({ callsMax: 4 });
    const failing = Array.from({ length: 4 }, () => failureOf(api.get(POD)));
    await Promise.all(failing.map(() => server.next()));
    timers.advance(30_000);
    await Promise.all(failing);
    const later = Array.from({ length: 4 }, () => api.get(POD));
    const first = await Promise.all([server.next(), server.next()]);
    expect(server.unasked).toBe(0); // half as many at once as before
    for (const exchange of first) exchange.json(200, {});
    for (let rest = 2; rest < 4; rest += 1) (await server.next()).json(200, {});
    await Promise.all(later);
  });
});

describe('a stream of the API server', () => {
  it('gives the events of a watch, and ends with it', async () => {
    const reading = readAll(apiServer().watch(LIST, { resourceVersion: '5', timeoutSeconds: 300 }));
    const exchange = await server.next();
    expect(exchange.query).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '5',
      timeoutSeconds: '300',
    });
    exchange.open().event('ADDED', { a: 1 }).end();
    expect(await reading).toEqual([{ type: 'ADDED', object: { a: 1 } }]);
  });

  it('has a deadline for its beginning only', async () => {
    const events = apiServer().watch(LIST, { resourceVersion: '5', timeoutSeconds: 300 });
    const first = events.next();
    const exchange = await server.next();
    exchange.open().event('ADDED', 1);
    await first;
    timers.advance(1_000_000);
    const second = events.next();
    exchange.event('ADDED', 2);
    expect(await second).toEqual({ done: false, value: { type: 'ADDED', object: 2 } });
    await events.return();
    await exchange.gone;
  });

  it('breaks with a typed error when its connection does', async () => {
    const events = apiServer().watch(LIST, { resourceVersion: '5', timeoutSeconds: 300 });
    const first = events.next();
    const exchange = await server.next();
    exchange.open().event('ADDED', 1);
    await first;
    const failing = failureOf(events.next());
    exchange.reset();
    expect(await failing).toMatchObject({ why: 'broken', effect: 'none' });
  });

  it('gives a log as text, with whole characters', async () => {
    const bytes = Buffer.from('ship 🚢\n');
    const reading = readAll(apiServer().logs(`${POD}/log`, { follow: true, tailLines: 10, container: 'main' }));
    const exchange = await server.next();
    exchange.open().bytes(bytes.subarray(0, 7));
    exchange.bytes(bytes.subarray(7)).end();
    expect((await reading).join('')).toBe('ship 🚢\n');
    expect(exchange.query).toEqual({ follow: 'true', tailLines: '10', container: 'main' });
  });

  it('refuses to read more logs at once than it may, and counts those that have ended', async () => {
    const api = apiServer({ logsMax: 1 });
    const query = { follow: true };
    const reading = readAll(api.logs(`${POD}/log`, query));
    const exchange = await server.next();
    await expect(readAll(api.logs(`${POD}/log`, query))).rejects.toThrow('1 logs are being read already');
    exchange.open().end();
    await reading;
    const again = readAll(api.logs(`${POD}/log`, query));
    (await server.next()).open().end();
    await again;
  });
});
