import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestMethod, type Type } from '@nestjs/common';
import 'reflect-metadata';
import { ALLOW } from '../../src/server/auth/allow.decorator.js';
import { SessionController } from '../../src/server/auth/session.controller.js';
import { PERMISSIONS, ROLES, type Permission } from '../../src/server/auth/permissions.js';
import { EventsController } from '../../src/server/events/events.controller.js';
import { NodesController } from '../../src/server/fleet/nodes.controller.js';
import { HealthController } from '../../src/server/health/health.controller.js';
import { QueuesController } from '../../src/server/quotas/queues.controller.js';
import { StatusController } from '../../src/server/workloads/status.controller.js';
import { WorkloadsController } from '../../src/server/workloads/workloads.controller.js';
import { ApiCaller } from '../support/api-caller.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { twoTeams } from '../support/two-teams.js';
import { aScript } from '../support/workload-documents.js';

interface Route {
  readonly handler: string;
  /** `GET /v1/workloads/{uid}` */
  readonly name: string;
  readonly permission: Permission | undefined;
}

/** The document of the API names every route that there is, so that none of a new controller is forgotten here. */
const CONTROLLERS: readonly Type[] = [
  EventsController,
  HealthController,
  NodesController,
  QueuesController,
  SessionController,
  StatusController,
  WorkloadsController,
];

const ROUTES = CONTROLLERS.flatMap(routesOf);

const STRANGERS: readonly string[] = ['nobody', 'garbage', 'expired', 'revoked'];
const EVERYBODY = [...STRANGERS, ...ROLES, 'pod'];
const USERS: readonly string[] = ROLES;

/** Who is let through, and what they get, asking with an empty body for things that there are not. */
const WANT: Readonly<Record<string, { readonly status: number; readonly callers: readonly string[] }>> = {
  'GET /healthz': { status: 200, callers: EVERYBODY },
  'GET /readyz': { status: 200, callers: EVERYBODY },
  'POST /v1/session': { status: 400, callers: EVERYBODY },
  'GET /v1/session': { status: 200, callers: USERS },
  'POST /v1/session/codes': { status: 201, callers: ['sre', 'operator'] },
  'GET /v1/events': { status: 200, callers: USERS },
  'GET /v1/nodes': { status: 200, callers: USERS },
  'GET /v1/nodes/{name}': { status: 404, callers: USERS },
  'POST /v1/nodes/{name}/{verb}': { status: 404, callers: ['sre', 'operator'] },
  'GET /v1/queues': { status: 200, callers: USERS },
  'GET /v1/queues/{name}': { status: 404, callers: USERS },
  'GET /v1/teams': { status: 200, callers: USERS },
  'POST /v1/workloads': { status: 400, callers: ['member', 'lead', 'operator'] },
  'GET /v1/workloads': { status: 200, callers: USERS },
  'GET /v1/workloads/{uid}': { status: 404, callers: USERS },
  'DELETE /v1/workloads/{uid}': { status: 404, callers: ['member', 'lead', 'operator'] },
  'GET /v1/workloads/{uid}/explanation': { status: 404, callers: USERS },
  'GET /v1/workloads/{uid}/logs': { status: 404, callers: USERS },
  'GET /v1/workloads/{uid}/report': { status: 404, callers: USERS },
  'POST /v1/status': { status: 400, callers: ['pod'] },
};

let system: RunningSystem;
let tokens: TokenIssuer;

beforeAll(async () => {
  system = await RunningSystem.start(twoTeams());
  tokens = await TokenIssuer.open(system);
});

afterAll(async () => {
  await tokens.close();
  await system.server.remove();
});

describe('every route of the API', () => {
  const secrets: Record<string, string> = {};

  beforeAll(async () => {
    for (const role of ROLES) secrets[role] = await tokens.issue(role, role, 'research');
    secrets['garbage'] = 'berth_of-nobody';
    secrets['expired'] = await tokens.issueDead('expired', 'expired');
    secrets['revoked'] = await tokens.issueDead('revoked', 'revoked');
    secrets['pod'] = tokens.podToken({ workload: 'w', incarnation: 1, pod: 'w-1-worker-0' });
  });

  function as(who: string): ApiCaller {
    return new ApiCaller(system.server.url, secrets[who]);
  }

  it('is known to this test', async () => {
    const { body } = await as('nobody').call('GET /openapi.json');
    const { paths } = body as { paths: Record<string, Record<string, unknown>> };
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(ROUTES.map(({ name }) => name).sort()).toEqual(documented.sort());
  });

  it.each(ROUTES.map((route) => [route.handler, route] as const))('declares its permission: %s', (_handler, route) => {
    expect(PERMISSIONS).toContain(route.permission);
  });

  const matrix = Object.entries(WANT).flatMap(([route, { status, callers }]) =>
    [...STRANGERS, ...ROLES, 'pod'].map((caller) => {
      const refusal = STRANGERS.includes(caller) ? 401 : 403;
      return [route, callers.includes(caller) ? status : refusal, caller] as const;
    }),
  );

  it('has its line in the table of this test', () => {
    expect(Object.keys(WANT).sort()).toEqual(ROUTES.map(({ name }) => name).sort());
  });

  it.each(matrix)('%s is %s for %s', async (route, want, caller) => {
    const body = route.startsWith('POST') ? { body: {} } : {};
    const { status, headers, body: problem } = await as(caller).call(concrete(route), body);
    const codes: Record<number, string> = { 401: 'UNAUTHENTICATED', 403: 'FORBIDDEN' };
    const code = codes[want];
    expect(headers.get('www-authenticate')).toBe(want === 401 ? 'Bearer' : null);
    expect({ status, problem }).toMatchObject({
      status: want,
      ...(code === undefined ? {} : { problem: { code, status: want } }),
    });
  });
});

describe('a member of a team', () => {
  let research: ApiCaller;
  let product: ApiCaller;
  let uid: string;

  beforeAll(async () => {
    research = new ApiCaller(system.server.url, await tokens.issue('rita', 'member', 'research'));
    product = new ApiCaller(system.server.url, await tokens.issue('paul', 'member', 'product'));
    const answer = await research.call('POST /v1/workloads', { body: aScript('ours', 'echo ours; sleep 120') });
    expect(answer.status).toBe(201);
    uid = (answer.body as { metadata: { uid: string } }).metadata.uid;
    await system.untilState(uid, 'running');
  });

  it('lists the workloads of the own team only, whatever the query says', async () => {
    expect((await research.call('GET /v1/workloads')).body).toMatchObject({ items: [{ metadata: { uid } }] });
    for (const query of ['', '?team=research', '?queue=research', '?name=ours']) {
      expect((await product.call(`GET /v1/workloads${query}`)).body).toEqual({ items: [] });
    }
  });

  const uses = ['GET ', 'GET /explanation', 'GET /logs', 'GET /report', 'DELETE '];
  it.each(uses)('cannot tell a workload of another team from one that there is not: %s', async (use) => {
    const [method, suffix] = use.split(' ');
    const there = await product.call(`${method} /v1/workloads/${uid}${suffix}`);
    const missing = await product.call(`${method} /v1/workloads/${UNKNOWN_UID}${suffix}`);
    expect(there.status).toBe(404);
    const told = ({ body }: typeof there): unknown => ({ ...(body as object), requestId: '' });
    expect(told(there)).toEqual(told(missing));
    expect((await system.workload(uid)).status).toMatchObject({ state: 'running', cancelRequested: false });
  });

  it('cannot cancel what another member of the team made; a lead can', async () => {
    const rosa = new ApiCaller(system.server.url, await tokens.issue('rosa', 'member', 'research'));
    expect(await rosa.call(`DELETE /v1/workloads/${uid}`)).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', detail: expect.stringContaining('ask them, or a lead of team research') },
    });
    expect((await system.workload(uid)).status.cancelRequested).toBe(false);
    const made = await rosa.call('POST /v1/workloads', { body: aScript('hers', 'sleep 60', { devices: 0 }) });
    const hers = (made.body as { metadata: { uid: string } }).metadata.uid;
    const lead = new ApiCaller(system.server.url, await tokens.issue('lena', 'lead', 'research'));
    expect((await lead.call(`DELETE /v1/workloads/${hers}`)).status).toBe(202);
  });

  it('sees that another team holds a device, not with what', async () => {
    const held = await product.call('GET /v1/nodes');
    expect(held.text).toContain('{"team":"research","milli":1000}');
    expect(held.text).not.toContain(uid);
    const full = await research.call('GET /v1/nodes');
    expect(full.text).toContain(uid);
    const [name = ''] = (await system.workload(uid)).status.pods.map(({ node }) => node);
    expect((await product.call(`GET /v1/nodes/${name}`)).text).not.toContain(uid);
  });

  it('is told which team holds what it waits for, not with what', async () => {
    const wide = aScript('wide', 'sleep 60', { pods: 3, devices: 8 });
    const made = await research.call('POST /v1/workloads', {
      body: { ...wide, spec: { ...wide.spec, queue: 'vast' } },
    });
    const holder = (made.body as { metadata: { uid: string } }).metadata.uid;
    await system.untilState(holder, 'running');
    const deep = aScript('deep', 'sleep 60', { devices: 8 });
    const asked = await product.call('POST /v1/workloads', {
      body: { ...deep, spec: { ...deep.spec, queue: 'product' } },
    });
    const waiting = (asked.body as { metadata: { uid: string } }).metadata.uid;
    const explained = await until('its holders', async () => {
      const answer = await product.call(`GET /v1/workloads/${waiting}/explanation`);
      return answer.text.includes('Held by') && answer;
    });
    expect(explained.text).toContain('a workload of team research');
    expect(explained.text).not.toMatch(new RegExp(`${holder}|${uid}|wide|ours`));
    await product.call(`DELETE /v1/workloads/${waiting}`);
    await research.call(`DELETE /v1/workloads/${holder}`);
    await system.untilState(holder, 'cancelled');
  });

  it('hears no more when the token ends', async () => {
    const secret = await tokens.issue('leaving', 'member', 'research');
    const headers = { authorization: `Bearer ${secret}` };
    const streams = await Promise.all(
      ['/v1/events', `/v1/workloads/${uid}/logs?follow=true`].map((path) =>
        fetch(system.server.url + path, { headers, signal: AbortSignal.timeout(40_000) }),
      ),
    );
    await system.query(`UPDATE tokens SET revoked_at = now() WHERE name = 'leaving'`);
    for (const stream of streams) expect(await stream.text()).not.toBe('');
    expect((await system.workload(uid)).status.state).toBe('running');
  }, 50_000);

  it('cannot submit for another team, nor into its queue', async () => {
    const document = aScript('theirs', 'exit 0');
    const forOther = { ...document, metadata: { name: 'theirs', namespace: 'research' } };
    expect(await product.call('POST /v1/workloads', { body: forOther })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', detail: expect.stringContaining('not for research') },
    });
    expect(await product.call('POST /v1/workloads', { body: document })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', detail: expect.stringContaining('Queue research belongs to team research') },
    });
  });

  it('without a team sees none of the workloads', async () => {
    const lost = new ApiCaller(system.server.url, await tokens.issue('lost', 'member'));
    expect((await lost.call('GET /v1/workloads')).body).toEqual({ items: [] });
    expect(await lost.call(`GET /v1/workloads/${uid}`)).toMatchObject({ status: 404 });
  });

  it('who watches is told of the own team only', async () => {
    const response = await fetch(`${system.server.url}/v1/events`, {
      headers: { authorization: `Bearer ${await tokens.issue('pia', 'viewer', 'product')}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('\n\n')) seen += (await reader?.read())?.value ?? '\n\n';
    await reader?.cancel();
    expect(seen).toContain('"everything"');
    expect(seen).toContain('"workloads":[]');
    expect(seen).not.toContain(uid);
  });

  it('swaps a one-time code once, for a cookie that only this page sends', async () => {
    const { code } = await system.server.client.createSessionCode();
    const anybody = new ApiCaller(system.server.url);
    const first = await anybody.call('POST /v1/session', { body: { code } });
    expect(first).toMatchObject({ status: 200, body: { name: 'operator', role: 'operator' } });
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^berth_session=berth_session_[\w-]{32}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const again = await anybody.call('POST /v1/session', { body: { code } });
    expect(again).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(again.headers.get('set-cookie')).toBeNull();

    const [session = ''] = cookie.split(';');
    const asked = async (site: Record<string, string>): Promise<number> =>
      (await anybody.call('GET /v1/session', { headers: { cookie: session, ...site } })).status;
    expect(await asked({})).toBe(200);
    expect(await asked({ 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await asked({ 'sec-fetch-site': 'cross-site' })).toBe(401);
    expect(await asked({ 'sec-fetch-site': 'same-site' })).toBe(401);
    // A code is no token, and an access token is no cookie.
    expect(await new ApiCaller(system.server.url, code).call('GET /v1/session')).toMatchObject({ status: 401 });
    const { token } = system.server;
    const asCookie = { headers: { cookie: `berth_session=${token}` } };
    expect(await anybody.call('GET /v1/session', asCookie)).toMatchObject({ status: 401 });
  });

  it('lets one of many racing swaps of a code win', async () => {
    const { code } = await system.server.client.createSessionCode();
    const anybody = new ApiCaller(system.server.url);
    const swaps = Array.from({ length: 20 }, () => anybody.call('POST /v1/session', { body: { code } }));
    const statuses = (await Promise.all(swaps)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
  });

  it('finds no secret in the log, the audit or any other table, however the requests went wrong', async () => {
    const { code } = await system.server.client.createSessionCode();
    const canaries = [system.server.token, code, tokens.podKeyText, await tokens.issue('canary', 'operator')];
    const [name = ''] = (await system.workload(uid)).status.pods.map((pod) => pod.name);
    canaries.push(system.podToken(name));
    for (const secret of canaries) {
      const canary = new ApiCaller(system.server.url, secret);
      await canary.call('GET /v1/workloads?cursor=nonsense');
      await canary.call('POST /v1/workloads', { body: '{' });
      await canary.call('POST /v1/session', { body: { code: secret, secret } });
      await canary.call(`POST /v1/status`, { body: { workload: uid } });
    }
    await new ApiCaller(system.server.url, canaries[3]).call('POST /v1/nodes/node-a-0/cordon');
    const log = system.server.logLines.join('\n');
    expect(log).toContain('listening');
    const tables = await system.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'settings'`,
    );
    const places: Record<string, string> = { log };
    for (const table of tables) {
      const rows = await system.query<{ row: string }>(`SELECT t::text AS row FROM "${table.name}" t`);
      places[table.name] = rows.map(({ row }) => row).join('\n');
    }
    expect(places['audit']).toContain('canary');
    const leaks = Object.entries(places).filter(([, text]) => canaries.some((secret) => text.includes(secret)));
    expect(leaks.map(([place]) => place)).toEqual([]);
  });
});

const UNKNOWN_UID = '00000000-0000-4000-8000-000000000000';

/** What Nest was told by the decorators of a controller. */
function routesOf(controller: Type): readonly Route[] {
  const base = String(Reflect.getMetadata('path', controller));
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((method) => {
    const handler = prototype[method];
    if (typeof handler !== 'function') return [];
    const path: unknown = Reflect.getMetadata('path', handler);
    const verb: unknown = Reflect.getMetadata('method', handler);
    if (typeof path !== 'string' || typeof verb !== 'number') return [];
    const full = `/${base}/${path}`.replace(/\/+/g, '/').replace(/(?!^)\/$/, '');
    return [
      {
        handler: `${controller.name}.${method}`,
        name: `${RequestMethod[verb] ?? ''} ${full.replace(/:(\w+)/g, '{$1}')}`,
        permission: Reflect.getMetadata(ALLOW, handler) as Permission | undefined,
      },
    ];
  });
}

/** Of things that there are not, so that nobody who is let through changes anything. */
function concrete(route: string): string {
  return route.replace('{uid}', UNKNOWN_UID).replace('{name}', 'nothing').replace('{verb}', 'cordon');
}
