import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readServerSentEvents } from '../../src/cli/server-sent-events.js';
import { ChangeSchema, type Change } from '../../src/server/events/events.schema.js';
import { NodePageSchema, NodeSchema } from '../../src/server/fleet/fleet.schema.js';
import { ProblemSchema } from '../../src/server/problem.schema.js';
import { QueuePageSchema, QueueSchema, TeamPageSchema } from '../../src/server/quotas/quotas.schema.js';
import { SessionSchema } from '../../src/server/auth/session.schema.js';
import {
  WorkloadExplanationSchema,
  WorkloadPageSchema,
  WorkloadReportSchema,
  WorkloadSchema,
} from '../../src/server/workloads/workload.schema.js';
import { ApiCaller } from '../support/api-caller.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { CHECKOUT } from '../support/scratch-checkout.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { TrainingData } from '../support/training-data.js';
import { twoTeams } from '../support/two-teams.js';
import { aScript, aTraining } from '../support/workload-documents.js';

const LONG = 'trap "exit 0" TERM; while :; do sleep 0.2; done';
const KEEP_ALIVE_MS_MAX = 30_000;

let system: RunningSystem;
let operator: ApiCaller;
let tokens: TokenIssuer;
let trained: string;
let running: string;
let waiting: string;
const data = new TrainingData();

beforeAll(async () => {
  system = await RunningSystem.start(twoTeams());
  tokens = await TokenIssuer.open(system);
  operator = new ApiCaller(system.server.url, system.server.token);
  trained = await system.submit(aTraining('trained', data.job(1)));
  running = await system.submit(aScript('running', LONG, { pods: 2, devices: 2 }));
  waiting = await system.submit(aScript('waiting', LONG, { devices: 8 }));
  await system.untilState(trained, 'succeeded');
  await system.untilState(running, 'running');
}, 120_000);

afterAll(async () => {
  data.remove();
  await tokens.close();
  await system.server.remove();
});

describe('every document', () => {
  const documents: Record<string, { path: () => string; schema: z.ZodType }> = {
    'the workloads': { path: () => '/v1/workloads', schema: WorkloadPageSchema },
    'a trained workload': { path: () => `/v1/workloads/${trained}`, schema: WorkloadSchema },
    'a running workload': { path: () => `/v1/workloads/${running}`, schema: WorkloadSchema },
    'a waiting workload': { path: () => `/v1/workloads/${waiting}`, schema: WorkloadSchema },
    'why it waits': { path: () => `/v1/workloads/${waiting}/explanation`, schema: WorkloadExplanationSchema },
    'why it does not': { path: () => `/v1/workloads/${trained}/explanation`, schema: WorkloadExplanationSchema },
    'a report': { path: () => `/v1/workloads/${trained}/report`, schema: WorkloadReportSchema },
    'the nodes': { path: () => '/v1/nodes', schema: NodePageSchema },
    'a node': { path: () => '/v1/nodes/node-a-0', schema: NodeSchema },
    'the queues': { path: () => '/v1/queues', schema: QueuePageSchema },
    'a queue': { path: () => '/v1/queues/company', schema: QueueSchema },
    'the teams': { path: () => '/v1/teams', schema: TeamPageSchema },
    'the session': { path: () => '/v1/session', schema: SessionSchema },
  };
  it.each(Object.entries(documents))('is what its schema says: %s', async (_title, { path, schema }) => {
    const accept = { headers: { accept: 'application/json' } };
    const { status, body } = await operator.call(`GET ${path()}`, accept);
    expect(status).toBe(200);
    expect(schema.parse(body)).toEqual(body);
  });

  it('of a queue says as used what the running workloads are charged', async () => {
    const { body } = await operator.call('GET /v1/queues');
    const charges = await system.query<{ queue: string; milli: string }>(
      'SELECT queue, sum(milli) AS milli FROM charges GROUP BY queue',
    );
    expect(charges).toEqual([{ queue: 'research', milli: '4000' }]);
    const used = QueuePageSchema.parse(body).items.map(({ name, flavors, workloads }) => [
      name,
      flavors.map((flavor) => flavor.used),
      workloads,
    ]);
    expect(used).toEqual([
      ['company', [4000], { pending: 1, running: 1 }],
      ['modest', [0], { pending: 0, running: 0 }],
      ['product', [0], { pending: 0, running: 0 }],
      ['research', [4000], { pending: 1, running: 1 }],
      ['vast', [0], { pending: 0, running: 0 }],
    ]);
    const { items } = NodePageSchema.parse((await operator.call('GET /v1/nodes')).body);
    const held = items.flatMap(({ slots }) => slots.flatMap(({ holders }) => holders));
    expect(held.map(({ workload, milli }) => [workload, milli])).toEqual(
      Array.from({ length: 4 }, () => [running, 1000]),
    );
  });

  it.each([
    ['GET /v1/nothing', 404],
    ['GET /v1/workloads/not-a-uid', 400],
    ['PUT /v1/nodes', 404],
    ['DELETE /v1/nodes/node-a-0', 404],
    ['GET /v1/nodes/No_Name', 400],
    ['POST /v1/nodes/node-a-0/explode', 400],
    ['POST /nothing', 404],
  ])('that there is not is a problem: %s', async (route, want) => {
    const answer = await operator.call(route);
    expect(answer.status).toBe(want);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(ProblemSchema.parse(answer.body)).toMatchObject({ status: want, requestId: expect.any(String) });
  });

  it('has a head without a body', async () => {
    expect(await operator.call('HEAD /v1/nodes')).toMatchObject({ status: 200, text: '' });
    expect(await operator.call('HEAD /v1/nothing')).toMatchObject({ status: 404, text: '' });
  });
});

describe('the report as a page', () => {
  it('is a sandbox without scripts, origin and network', async () => {
    const page = await operator.call(`GET /v1/workloads/${trained}/report`, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const csp = page.headers.get('content-security-policy') ?? '';
    expect(csp).toMatch(/^sandbox; default-src 'none'/);
    expect(csp).not.toContain('allow-');
    expect(csp).not.toContain('script-src');
    expect(page.text).toContain('<!doctype html>');
  });
});

describe('the page', () => {
  const html = { headers: { accept: 'text/html,application/xhtml+xml' } };
  const [asset = ''] = readdirSync(join(CHECKOUT, 'dist', 'dashboard', 'assets')).filter((name) =>
    name.endsWith('.js'),
  );
  const stranger = (): ApiCaller => new ApiCaller(system.server.url);

  it.each(['/', '/index.html', '/workloads/some-uid', '/queues?x=1'])(
    'comes for what a person may type: %s',
    async (path) => {
      const answer = await stranger().call(`GET ${path}`, html);
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('<div id="root">');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      const csp = answer.headers.get('content-security-policy');
      expect(csp).toContain("default-src 'self'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toMatch(/script-src|unsafe-eval/);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    },
  );

  it('lets its assets be kept for ever: their names change with them', async () => {
    const { status, headers } = await stranger().call(`GET /assets/${asset}`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('content-type')).toContain('javascript');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['an asset that is missing', '/assets/gone-0000.js', html],
    ['an unknown path of the API', '/v1/nothing', html],
    ['a file that is missing', '/favicon.bmp', html],
    ['a way out of its folder', '/assets/..%2f..%2fcli%2fmain.js', html],
    ['somebody who wants no page', '/workloads', { headers: { accept: 'application/json' } }],
  ])('does not come for %s', async (_title, path, call) => {
    const answer = await stranger().call(`GET ${path}`, call);
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('the stream of events', () => {
  it('tells everything, then what changes, then what is gone, to each listener', async () => {
    const one = new Listener(system.server.url, system.server.token);
    const two = new Listener(system.server.url, system.server.token);
    try {
      for (const listener of [one, two]) {
        const first = await listener.next('everything', ({ kind }) => kind === 'everything');
        expect(first.workloads.map(({ metadata }) => metadata.uid).sort()).toEqual([trained, running, waiting].sort());
        expect([first.nodes.length, first.queues.length]).toEqual([4, 5]);
      }
      const uid = await system.submit(aScript('watched', 'exit 0', { devices: 0 }));
      const isIn = (state: string) => (change: Change) =>
        change.kind === 'changed' &&
        change.workloads.some(({ metadata, status }) => metadata.uid === uid && status.state === state);
      for (const listener of [one, two]) await listener.next('its end', isIn('succeeded'));
      await operator.call(`DELETE /v1/workloads/${uid}`);
      for (const listener of [one, two]) {
        await listener.next('its removal', ({ removed }) => removed.workloads.includes(uid));
      }
      await operator.call('POST /v1/nodes/node-b-0/cordon');
      await one.next('the cordon', ({ nodes }) => nodes.some((node) => node.name === 'node-b-0' && node.unschedulable));
      await operator.call('POST /v1/nodes/node-b-0/uncordon');
    } finally {
      one.close();
      two.close();
    }
  });

  it('begins anew for one who comes back, and says between times that it lives', async () => {
    const again = new Listener(system.server.url, system.server.token);
    try {
      await again.next('everything', ({ kind }) => kind === 'everything');
      await until('a comment', () => again.text.includes(': keep-alive\n'), { deadlineMs: KEEP_ALIVE_MS_MAX });
    } finally {
      again.close();
    }
  });

  it('shows a team its newest finished workloads, however many others have', async () => {
    await system.query(
      `INSERT INTO workloads (uid, team, name, queue, labels, spec, created_by, state, finished_at)
       SELECT gen_random_uuid(), 'product', 'old-' || n, 'product', '{}', spec, 'paul', 'succeeded', now() + interval '1 hour'
       FROM workloads, generate_series(1, 60) n WHERE uid = $1`,
      [running],
    );
    const viewer = new Listener(system.server.url, await tokens.issue('vera', 'viewer', 'research'));
    try {
      const { workloads } = await viewer.next('everything', ({ kind }) => kind === 'everything');
      expect(workloads.map(({ metadata }) => metadata.uid)).toContain(trained);
    } finally {
      viewer.close();
    }
  });
});

describe('the OpenAPI document', () => {
  it('is the one of the reference, and refers to nothing that it does not hold', async () => {
    const { body, text } = await new ApiCaller(system.server.url).call('GET /openapi.json');
    const reference: unknown = JSON.parse(readFileSync(join(CHECKOUT, 'docs/reference/api/openapi.json'), 'utf8'));
    expect(body).toEqual(reference);
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((reference) => lookUp(body, reference) === undefined)).toEqual([]);
  });
});

/** Reads a stream as a page does, and keeps what it was told. */
class Listener {
  text = '';
  private readonly changes: Change[] = [];
  private failure: Error | undefined;
  private readonly controller = new AbortController();

  constructor(server: string, token: string) {
    this.read(server, token).catch((error: unknown) => {
      if (!this.controller.signal.aborted) this.failure = new Error('the stream broke', { cause: error });
    });
  }

  /** The next change of the kind; those before it are forgotten. */
  async next(what: string, isWanted: (change: Change) => boolean): Promise<Change> {
    return until(
      what,
      () => {
        if (this.failure !== undefined) throw this.failure;
        const at = this.changes.findIndex(isWanted);
        return at < 0 ? undefined : this.changes.splice(0, at + 1).at(-1);
      },
      { deadlineMs: 30_000, state: () => this.changes },
    );
  }

  close(): void {
    this.controller.abort();
  }

  private async read(server: string, token: string): Promise<void> {
    const response = await fetch(`${server}/v1/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: this.controller.signal,
    });
    for await (const { event, data: text } of readServerSentEvents(this.chunksOf(response))) {
      if (event === 'change') this.changes.push(ChangeSchema.parse(JSON.parse(text)));
    }
  }

  private async *chunksOf(response: Response): AsyncGenerator<string> {
    if (response.body === null) throw new Error(`no stream: ${response.status}`);
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      this.text += chunk;
      yield chunk;
    }
  }
}

/** `#/components/schemas/Node` */
function lookUp(document: unknown, reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}
