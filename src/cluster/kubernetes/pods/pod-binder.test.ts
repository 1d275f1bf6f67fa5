import { beforeEach, describe, expect, it } from '@jest/globals';
import { aBindOrder } from '../../../../test/support/pod-orders.js';
import type { FoundPod } from '../../cluster.js';
import { NoAnswerError, StatusError } from '../api/api-error.js';
import type { ApiServer } from '../api/api-server.js';
import { PodBinder } from './pod-binder.js';
import { evict } from './pod-eviction.js';

const ORDER = aBindOrder({ uid: 'uid-web' });
const PATH = '/api/v1/namespaces/team/pods/web';
const PLACED = { 'berth.dev/placed': 'uid-web/wl-1/1/worker/0' };
const BUDGET = 'The disruption budget web needs 2 healthy pods and has 2 currently';

interface StoredPod {
  readonly uid?: string;
  readonly node?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deleted?: true;
}

/** What the server says to the write, and the pod as it is when it is read back. */
let answer: unknown;
let stored: StoredPod | undefined;
let asked: string[];
let api: ApiServer;

beforeEach(() => {
  answer = {};
  stored = {};
  asked = [];
  api = {
    create: (path: string) => {
      asked.push(`POST ${path}`);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    get: (path: string) => {
      asked.push(`GET ${path}`);
      return stored === undefined ? Promise.reject(refusal(404)) : Promise.resolve(objectOf(stored));
    },
  } as unknown as ApiServer;
});

function objectOf({ uid = 'uid-web', node, annotations = {}, deleted }: StoredPod): object {
  return {
    metadata: { name: 'web', namespace: 'team', uid, annotations, ...(deleted && { deletionTimestamp: 'now' }) },
    spec: node === undefined ? {} : { nodeName: node },
  };
}

function refusal(code: number, cause?: string): StatusError {
  const causes = cause === undefined ? [] : [{ reason: 'DisruptionBudget', field: '', message: cause }];
  return new StatusError(`refused with ${code}`, { code, reason: '', retryAfterMs: undefined, causes });
}

function bound(more: StoredPod = {}): StoredPod {
  return { node: 'node-a', annotations: PLACED, ...more };
}

describe(PodBinder.name, () => {
  it('binds with one write', async () => {
    expect(await new PodBinder(api).bind(ORDER)).toEqual({ kind: 'created' });
    expect(asked).toEqual([`POST ${PATH}/binding`]);
  });

  const what = 'pod web of namespace team';
  const deleted = `${what} was deleted`;
  const rows: Record<string, { code: number; found?: StoredPod; want: string }> = {
    'an earlier try has bound it': { code: 409, found: bound(), want: 'created' },
    'an earlier try has bound it, and it is leaving': { code: 409, found: bound({ deleted: true }), want: 'created' },
    'somebody else has bound it': {
      code: 409,
      found: { node: 'node-b' },
      want: `${what} was bound to node node-b by somebody else`,
    },
    'somebody else has bound it to that node': {
      code: 409,
      found: { node: 'node-a' },
      want: `${what} was bound to node node-a by somebody else`,
    },
    'it was bound there by an order that was given up': {
      code: 409,
      found: bound({ annotations: { 'berth.dev/placed': 'uid-web/wl-1/9/worker/0' } }),
      want: 'created',
    },
    'an order that was given up has bound it elsewhere': {
      code: 409,
      found: { node: 'node-b', annotations: { 'berth.dev/placed': 'uid-web/wl-1/9/worker/0' } },
      want: `${what} was bound to node node-b by Berth as incarnation 9, and runs there`,
    },
    'it is another of that name': { code: 409, found: bound({ uid: 'uid-new' }), want: deleted },
    'it is being deleted': { code: 409, found: { deleted: true }, want: deleted },
    'it is gone': { code: 404, want: deleted },
  };
  it.each(Object.entries(rows))('knows when %s', async (_title, { code, found, want }) => {
    answer = refusal(code);
    stored = found;
    const told = await new PodBinder(api).bind(ORDER);
    expect(told).toEqual(want === 'created' ? { kind: 'created' } : { kind: 'refused', why: want, retry: 'never' });
  });

  it.each([400, 413, 422])('may try elsewhere what the server does not take as it is, with %i', async (code) => {
    answer = refusal(code);
    const why = `the API server refuses to bind ${what}: refused with ${code}`;
    expect(await new PodBinder(api).bind(ORDER)).toEqual({ kind: 'refused', why, retry: 'elsewhere' });
  });

  it('knows when it has gone between the conflict and the look', async () => {
    answer = refusal(409);
    stored = undefined;
    expect(await new PodBinder(api).bind(ORDER)).toEqual({ kind: 'refused', why: deleted, retry: 'never' });
  });

  it.each([
    ['a conflict about a pod that still waits', refusal(409)],
    ['a right that is missing', refusal(403)],
    ['a server that fails', refusal(500)],
    ['a server that does not answer', new NoAnswerError('timeout', 'timeout', 'maybe')],
  ])('throws what may be tried again: %s', async (_title, error) => {
    answer = error;
    await expect(new PodBinder(api).bind(ORDER)).rejects.toBe(error);
  });

  it('finds what it may have bound until the watch shows it', async () => {
    const binder = new PodBinder(api);
    answer = new NoAnswerError('timeout', 'timeout', 'maybe');
    await expect(binder.bind(ORDER)).rejects.toBe(answer);
    stored = bound();
    expect(await binder.findUnseen(ORDER.name)).toEqual(ORDER.found);
    binder.see(ORDER.name);
    expect(await binder.findUnseen(ORDER.name)).toBeUndefined();
  });

  it.each<[string, StoredPod | undefined]>([
    ['had no effect', {}],
    ['was of a pod that is gone', undefined],
  ])('does not find what it has not bound: the binding %s', async (_title, found) => {
    const binder = new PodBinder(api);
    await binder.bind(ORDER);
    stored = found;
    expect(await binder.findUnseen(ORDER.name)).toBeUndefined();
    expect(binder.isUnseen(ORDER.name)).toBe(false);
  });
});

describe(evict.name, () => {
  const pod: FoundPod = ORDER.found;

  it('asks once', async () => {
    await evict(api, pod);
    expect(asked).toEqual([`POST ${PATH}/eviction`]);
  });

  it('says which budget holds the pod', async () => {
    answer = refusal(429, BUDGET);
    await expect(evict(api, pod)).rejects.toThrow(`pod web of namespace team is not evicted: ${BUDGET}`);
  });

  it.each<[string, number, StoredPod | undefined]>([
    ['gone', 404, undefined],
    ['another of that name', 409, { uid: 'uid-new' }],
    ['leaving already', 409, bound({ deleted: true })],
    ['gone since', 409, undefined],
  ])('is done with a pod that is %s', async (_title, code, found) => {
    answer = refusal(code);
    stored = found;
    await expect(evict(api, pod)).resolves.toBeUndefined();
  });

  it('is not done with a pod that stands, because others changed its budget', async () => {
    answer = refusal(409);
    stored = bound();
    await expect(evict(api, pod)).rejects.toBe(answer);
  });
});
