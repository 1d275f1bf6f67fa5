import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { ScriptedApiServer } from '../../../../test/support/scripted-api-server.js';
import { Connection, type HttpRequest } from './connection.js';
import type { ServerAccess } from './server-access.js';

const PODS: HttpRequest = { method: 'GET', path: '/api/v1/pods' };
const never = new AbortController().signal;
setMaxListeners(0, never);

let server: ScriptedApiServer;
let timers: ManualTimers;
let open: Connection[] = [];
let reports: string[] = [];
let renewals: string[] = [];

beforeEach(async () => {
  server = await ScriptedApiServer.start();
  timers = new ManualTimers();
  open = [];
  reports = [];
  renewals = [];
});
afterEach(async () => {
  for (const connection of open) await connection.close();
  await server.stop();
});

/** An access whose n-th reading gives the n-th token; the last stays. */
function access(url: string, tokens: readonly (string | Error)[]): ServerAccess {
  const left = [...tokens];
  return {
    server: url,
    origin: 'a test',
    namespace: undefined,
    credentials: (renewal) => {
      renewals.push(renewal);
      const token = left.length > 1 ? left.shift() : left[0];
      if (token instanceof Error) return Promise.reject(token);
      return Promise.resolve({ tls: {}, headers: { Authorization: `Bearer ${String(token)}` } });
    },
  };
}

async function connect(tokens: readonly (string | Error)[] = ['T'], path = ''): Promise<Connection> {
  const report = (message: string): number => reports.push(message);
  const connection = await Connection.open(access(`${server.url}${path}`, tokens), {
    timers,
    connectionsMax: 4,
    report,
  });
  open.push(connection);
  return connection;
}

/** The token that a request came with. */
async function tokenOf(connection: Connection): Promise<string | undefined> {
  const asking = connection.request(PODS, never);
  const exchange = await server.next();
  exchange.json(200, {});
  await (await asking).body.dump();
  return exchange.header.authorization;
}

describe(Connection.name, () => {
  it('uses a connection again', async () => {
    const connection = await connect();
    for (let request = 0; request < 10; request += 1) await tokenOf(connection);
    // A second one at most: the first may be a moment late in being free again.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('opens no more connections than it may', async () => {
    const connection = await connect();
    const asking = Array.from({ length: 12 }, () => connection.request(PODS, never));
    const first = await Promise.all(Array.from({ length: 4 }, () => server.next()));
    expect(server.unasked).toBe(0);
    for (const exchange of first) exchange.json(200, {});
    for (let answered = 4; answered < 12; answered += 1) (await server.next()).json(200, {});
    for (const response of await Promise.all(asking)) await response.body.dump();
    expect(server.connections).toBe(4);
  });

  it('asks below the path of a server behind a gateway', async () => {
    const asking = (await connect(['T'], '/clusters/north/')).request(PODS, never);
    const exchange = await server.next();
    exchange.json(200, {});
    await (await asking).body.dump();
    expect(exchange.path).toBe('/clusters/north/api/v1/pods');
  });

  it('reads a token again after a minute, beside the request that finds it old', async () => {
    const connection = await connect(['old', 'new']);
    timers.advance(59_999);
    expect(await tokenOf(connection)).toBe('Bearer old');
    timers.advance(1);
    expect(await tokenOf(connection)).toBe('Bearer old');
    expect(await tokenOf(connection)).toBe('Bearer new');
    expect(renewals).toEqual(['if-due', 'if-due']);
  });

  it('reads a token anew after a refusal, once for all that were refused together', async () => {
    const connection = await connect(['old', 'new']);
    await Promise.all([connection.renewAfterRefusal(), connection.renewAfterRefusal()]);
    expect(await tokenOf(connection)).toBe('Bearer new');
    expect(renewals).toEqual(['if-due', 'always']);
  });

  it('keeps a token that cannot be read again, and says so', async () => {
    const connection = await connect(['old', new Error('gone')]);
    await connection.renewAfterRefusal();
    expect(await tokenOf(connection)).toBe('Bearer old');
    expect(reports).toEqual(['cannot read the credentials of a test again; the old ones stay']);
  });
});
