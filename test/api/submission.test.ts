import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text as readStream } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Workload, WorkloadDocumentInput, WorkloadPage } from '../../src/server/workloads/workload.schema.js';
import { ApiCaller, type Answer } from '../support/api-caller.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { twoTeams } from '../support/two-teams.js';
import { aScript } from '../support/workload-documents.js';

const LONG = 'trap "exit 0" TERM; while :; do sleep 0.2; done';
const TOO_LARGE_BYTES = 1024 * 1024 + 1;

let system: RunningSystem;
let tokens: TokenIssuer;
let member: ApiCaller;
let operator: ApiCaller;

beforeAll(async () => {
  system = await RunningSystem.start(twoTeams());
  tokens = await TokenIssuer.open(system);
  member = new ApiCaller(system.server.url, await tokens.issue('rita', 'member', 'research'));
  operator = new ApiCaller(system.server.url, system.server.token);
});

afterAll(async () => {
  await tokens.close();
  await system.server.remove();
});

function submit(document: unknown, key?: string, as = member): Promise<Answer> {
  return as.call('POST /v1/workloads', {
    body: document,
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  });
}

/** Of the demo's shape, with other fields in its spec or pod set. */
function asking(
  name: string,
  { queue = 'vast', podSet = {}, ...wish }: Parameters<typeof aScript>[2] & { queue?: string; podSet?: object },
): WorkloadDocumentInput {
  const document = aScript(name, LONG, wish);
  const podSets = document.spec.podSets.map((set) => ({ ...set, ...podSet }));
  return { ...document, spec: { ...document.spec, queue, podSets } };
}

function uidOf({ body }: Answer): string {
  return (body as Workload).metadata.uid;
}

async function countOf(name: string): Promise<number> {
  return (await system.query('SELECT FROM workloads WHERE name = $1', [name])).length;
}

describe('an idempotency key', () => {
  it('makes a submission happen once, however often it is sent', async () => {
    const document = aScript('once', 'exit 0', { devices: 0 });
    const answers = [await submit(document, 'key-of-once'), await submit(document, 'key-of-once')];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(new Set(answers.map(uidOf)).size).toBe(1);
    expect(await countOf('once')).toBe(1);
  });

  it('does so for fifty at the same time', async () => {
    const document = { ...aScript('x', 'exit 0', { devices: 0 }), metadata: { generateName: 'together-' } };
    const answers = await Promise.all(Array.from({ length: 50 }, () => submit(document, 'key-of-fifty')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(uidOf)).size).toBe(1);
    const rows = await system.query(
      `SELECT FROM audit WHERE action = 'workload.create' AND subject LIKE 'workload/together-%'`,
    );
    expect(rows).toHaveLength(1);
  });

  it('refuses another body', async () => {
    await submit(aScript('one-body', 'exit 0', { devices: 0 }), 'key-of-bodies');
    const other = await submit(aScript('other-body', 'exit 0', { devices: 0 }), 'key-of-bodies');
    expect(other).toMatchObject({ status: 422, body: { code: 'KEY_REUSED' } });
    expect(await countOf('other-body')).toBe(0);
  });

  it('is free again after a refusal', async () => {
    const refused = await submit(asking('refused', { queue: 'nowhere' }), 'key-of-refused');
    expect(refused).toMatchObject({ status: 422, body: { code: 'QUEUE_NOT_FOUND' } });
    expect(await submit(aScript('accepted', 'exit 0', { devices: 0 }), 'key-of-refused')).toMatchObject({
      status: 201,
    });
  });

  it('belongs to the one who sent it', async () => {
    const other = new ApiCaller(system.server.url, await tokens.issue('rosa', 'member', 'research'));
    const first = await submit(aScript('of-rita', 'exit 0', { devices: 0 }), 'key-of-both');
    const second = await submit(aScript('of-rosa', 'exit 0', { devices: 0 }), 'key-of-both', other);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(uidOf(first)).not.toBe(uidOf(second));
  });

  it('belongs to a token, though another has its name', async () => {
    const namesake = new ApiCaller(system.server.url, await tokens.issue('rita', 'member', 'research'));
    const document = { ...aScript('x', 'exit 0', { devices: 0 }), metadata: { generateName: 'namesake-' } };
    const first = await submit(document, 'key-of-a-name');
    const second = await submit(document, 'key-of-a-name', namesake);
    expect(uidOf(first)).not.toBe(uidOf(second));
  });

  it('is answered as before when the workload was removed since', async () => {
    const document = aScript('short-lived', 'exit 0', { devices: 0 });
    const uid = uidOf(await submit(document, 'key-of-removed'));
    await system.untilState(uid, 'succeeded');
    expect(await member.call(`DELETE /v1/workloads/${uid}`)).toMatchObject({ status: 204 });
    const again = await submit(document, 'key-of-removed');
    expect([again.status, uidOf(again)]).toEqual([201, uid]);
  });

  it('has a length', async () => {
    for (const key of ['short', 'x'.repeat(201)]) {
      expect(await submit(aScript('keyed', 'exit 0'), key)).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining('Idempotency-Key must have 8 to 200 characters') },
      });
    }
  });
});

describe('a name', () => {
  it('is taken while its workload is there, and free when that is removed', async () => {
    const document = aScript('unique', 'exit 0', { devices: 0 });
    const uid = uidOf(await submit(document));
    const taken = await submit(document);
    expect(taken).toMatchObject({ status: 409, body: { code: 'NAME_TAKEN', detail: expect.stringContaining(uid) } });
    await system.untilState(uid, 'succeeded');
    expect(await member.call(`DELETE /v1/workloads/${uid}`)).toMatchObject({ status: 204, text: '' });
    expect(await member.call(`GET /v1/workloads/${uid}`)).toMatchObject({ status: 404 });
    expect(await submit(document)).toMatchObject({ status: 201 });
  });

  it('can be generated', async () => {
    const document = { ...aScript('x', 'exit 0', { devices: 0 }), metadata: { generateName: 'run-' } };
    const names = [await submit(document), await submit(document)].map(({ body }) => (body as Workload).metadata.name);
    for (const name of names) expect(name).toMatch(/^run-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(new Set(names).size).toBe(2);
  });

  const wrong: Record<string, object> = {
    'a capital': { name: 'Big' },
    'a slash': { name: 'a/b' },
    '41 characters': { name: 'x'.repeat(41) },
    'a generated capital': { generateName: 'Big-' },
    'a generated path': { generateName: '../x-' },
    nothing: {},
    both: { name: 'a', generateName: 'a-' },
  };
  it.each(Object.entries(wrong))('is refused with %s', async (_title, metadata) => {
    const answer = await submit({ ...aScript('x', 'exit 0'), metadata });
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_BODY' } });
    expect(answer.text).toContain('metadata');
  });
});

describe('a wrong submission', () => {
  it('is told all of its mistakes at once, each with its path', async () => {
    const document = aScript('five', 'exit 0');
    const [podSet] = document.spec.podSets;
    const wrong = {
      ...document,
      metadata: { name: 'Five' },
      spec: {
        ...document.spec,
        queue: 7,
        priorty: 3,
        podSets: [{ ...podSet, cpu: 'many', count: 0 }],
      },
    };
    const { status, body } = await submit(wrong);
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'INVALID_BODY', status: 400 } });
    const { errors } = body as { errors: { path: string; message: string }[] };
    const paths = errors.map(({ path }) => path).sort();
    expect(paths).toEqual(['metadata.name', 'spec', 'spec.podSets.0.count', 'spec.podSets.0.cpu', 'spec.queue']);
    expect(errors.find(({ path }) => path === 'spec')?.message).toContain('"priorty"');
    expect(await countOf('Five')).toBe(0);
  });

  it.each(['zero \0 byte', 'half \ud83d pair'])('with text that nothing can hold is told where: %j', async (text) => {
    const document = { ...aScript('texts', `echo ${text}`), metadata: { name: 'texts', labels: { note: text } } };
    const { status, body } = await submit(document);
    expect(status).toBe(400);
    const paths = (body as { errors: { path: string }[] }).errors.map(({ path }) => path);
    expect(paths).toEqual(['metadata.labels.note', 'spec.podSets.0.template.spec.containers.0.command.2']);
  });

  it.each(['1000000000000000000000', '9'.repeat(400), '1000000000Pi'])(
    'that asks for %.20s of anything is refused',
    async (quantity) => {
      for (const field of ['cpu', 'memory']) {
        const answer = await submit(asking('endless', { podSet: { [field]: quantity } }));
        expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: `spec.podSets.0.${field}` }] } });
      }
      expect(await operator.call('GET /readyz')).toMatchObject({ status: 200 });
    },
  );

  const bodies: Record<string, { body: string; want: number }> = {
    'no JSON': { body: '{"apiVersion": ', want: 400 },
    nothing: { body: '', want: 400 },
    'a list': { body: '[]', want: 400 },
    null: { body: 'null', want: 400 },
    'a key of every object': { body: '{"__proto__": {"admin": true}}', want: 400 },
  };
  it.each(Object.entries(bodies))('of %s is a problem, not an accident', async (_title, { body, want }) => {
    const answer = await submit(body);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer).toMatchObject({ status: want, body: { status: want, code: expect.stringMatching(/^INVALID_/) } });
  });

  it('of more than the server reads is refused before it is sent', async () => {
    const length = String(TOO_LARGE_BYTES);
    const headers = { authorization: `Bearer ${system.server.token}`, 'content-type': 'application/json' };
    // With fetch, which goes on sending, the answer may be lost in the break of the connection.
    const request = httpRequest(`${system.server.url}/v1/workloads`, {
      method: 'POST',
      headers: { ...headers, 'content-length': length },
    });
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(await readStream(response))).toMatchObject({ status: 413, code: 'INVALID_REQUEST' });
    request.destroy();
  });

  it('has less room than the last report of a pod, which is read before its token is', async () => {
    const report = await member.call('POST /v1/status', { body: { reportHtml: ' '.repeat(TOO_LARGE_BYTES) } });
    expect(report.status).toBe(403);
  });

  it('of another kind of content is refused', async () => {
    const answer = await member.call('POST /v1/workloads', { body: 'a: 1', headers: { 'content-type': 'text/yaml' } });
    expect(answer).toMatchObject({ status: 415, body: { code: 'INVALID_REQUEST' } });
  });

  it('for a queue that has queues below it names what to do', async () => {
    expect(await submit(asking('above', { queue: 'company' }))).toMatchObject({
      status: 422,
      body: { code: 'QUEUE_NOT_A_LEAF', detail: expect.stringContaining('GET /v1/queues') },
    });
  });

  it('for a team that there is not, or that has not the queue, is refused', async () => {
    const document = aScript('lost', 'exit 0');
    const forTeam = (namespace: string): Promise<Answer> =>
      submit({ ...document, metadata: { name: 'lost', namespace } }, undefined, operator);
    expect(await forTeam('nobody')).toMatchObject({ status: 422, body: { code: 'TEAM_NOT_FOUND' } });
    expect(await forTeam('product')).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });

  it('that asks for more than its queue allows one workload is told both numbers', async () => {
    expect(await submit(asking('greedy', { queue: 'modest', devices: 3 }))).toMatchObject({
      status: 403,
      body: {
        code: 'QUOTA_EXCEEDED',
        detail: expect.stringContaining('asks for 3 of nvidia-h100; queue modest allows one workload 2'),
      },
    });
    expect(await countOf('greedy')).toBe(0);
  });
});

describe('a workload that cannot start is accepted, waits, and is told why', () => {
  async function constraintOf(document: WorkloadDocumentInput, want: string): Promise<Answer> {
    const submitted = await submit(document);
    expect(submitted).toMatchObject({ status: 201, body: { status: { state: 'pending' } } });
    const uid = uidOf(submitted);
    const explain = (): Promise<Answer> => member.call(`GET /v1/workloads/${uid}/explanation`);
    let latest: Answer | undefined;
    await until(
      `an explanation of ${document.metadata.name}`,
      async () => {
        latest = await explain();
        return (latest.body as { constraint?: string }).constraint === want;
      },
      { deadlineMs: 20_000, state: () => latest?.body },
    );
    expect(await system.workload(uid)).toMatchObject({ status: { state: 'pending', charged: {}, pods: [] } });
    await member.call(`DELETE /v1/workloads/${uid}`);
    return latest ?? explain();
  }

  it('for lack of quota, with the numbers and who holds it', async () => {
    const holder = uidOf(await submit(asking('holder', { queue: 'research', devices: 5 })));
    await system.untilState(holder, 'running');
    const { body } = await constraintOf(asking('waiter', { queue: 'research', devices: 6 }), 'quota');
    const { sentence, verdict } = body as { sentence: string; verdict: object };
    expect(sentence).toContain('Queue research lacks quota: 3 devices of nvidia-h100 short. Held by holder.');
    expect(verdict).toMatchObject({ binding: { queue: 'research', flavor: 'nvidia-h100', short: 3000 } });
    await member.call(`DELETE /v1/workloads/${holder}`);
    await system.untilState(holder, 'cancelled');
  });

  it('for lack of quota, even when nobody holds any', async () => {
    const { body } = await constraintOf(asking('large', { queue: 'research', pods: 2, devices: 8 }), 'quota');
    expect((body as { sentence: string }).sentence).toContain('8 devices of nvidia-h100 short');
  });

  it('for lack of devices, although there is quota', async () => {
    const { body } = await constraintOf(asking('fleet', { pods: 5, devices: 8 }), 'capacity');
    expect((body as { sentence: string }).sentence).toContain('8 devices');
  });

  it('because no rack can hold all its pods', async () => {
    const topology = { required: 'rack' };
    const { body } = await constraintOf(asking('rack', { pods: 3, devices: 8, podSet: { topology } }), 'topology');
    expect((body as { sentence: string }).sentence).toMatch(/No rack has room for all its pods: 2 of 3 fit in/);
  });

  it('because no node matches what it selects', async () => {
    const nodeSelector = { zone: 'moon' };
    const { body } = await constraintOf(asking('moon', { devices: 1, podSet: { nodeSelector } }), 'selector');
    expect((body as { sentence: string }).sentence).toContain('zone');
  });
});

describe('the list', () => {
  it('is walked by its cursor: each workload once, the newest first, whatever comes meanwhile', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `walk-${index}`);
    for (const name of names) await submit(asking(name, { queue: 'modest', devices: 0 }));
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const query = `queue=modest&limit=3${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const page = (await member.call(`GET /v1/workloads?${query}`)).body as WorkloadPage;
      expect(page.items.length).toBeLessThanOrEqual(3);
      found.push(...page.items.map(({ metadata }) => metadata.name));
      cursor = page.next;
      await submit({ ...asking('x', { queue: 'modest', devices: 0 }), metadata: { generateName: 'meanwhile-' } });
    } while (cursor !== undefined);
    expect(found).toEqual([...names].reverse());
  });

  it.each([
    'cursor=nonsense',
    'cursor=%00',
    `cursor=${btoa('now|x')}`,
    'limit=0',
    'limit=501',
    'state=idle',
    'colour=red',
    'team=a&team=b',
  ])('refuses a query that it does not understand: %s', async (query) => {
    const [field = ''] = query.split('=');
    const answer = await member.call(`GET /v1/workloads?${query}`);
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.text).toContain(field);
  });
});
