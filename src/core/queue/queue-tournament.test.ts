import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Charge, QueueSpec, WorkloadSpec } from '../index.js';
import { Journal } from '../journal.js';
import { dominantShare, pastShare, QuotaTree } from '../quota/index.js';
import { orderKeyOf } from './order-key.js';
import type { PendingNeed } from './pending-groups.js';
import { QueueTournament } from './queue-tournament.js';
import { waitingAhead } from './waiting-ahead.js';
import { WorkloadBook } from './workload-book.js';
import type { WorkloadRecord } from './workload-record.js';

/** Each pod set asks for devices of one of its flavors; of 'a100' it takes twice as many. */
function requestsOf({ queue, podSets }: PendingNeed): readonly (readonly Charge[])[] {
  const [podSet] = podSets;
  return (podSet?.flavors ?? []).map((flavor) => {
    const milli = (podSet?.devices?.count ?? 0) * (flavor === 'a100' ? 2000 : 1000);
    return [{ queue, flavor, milli }];
  });
}

interface Stage {
  readonly quota: QuotaTree;
  readonly book: WorkloadBook;
}

function stage(queues: readonly QueueSpec[], waiting: readonly WorkloadSpec[], used: readonly Charge[] = []): Stage {
  const quota = new QuotaTree(new Journal());
  quota.past.advance(0);
  for (const queue of queues) quota.set(queue);
  for (const charge of used) quota.charge(charge);
  const book = new WorkloadBook();
  for (const spec of waiting) book.submit(spec);
  return { quota, book };
}

function tournamentOf({ quota, book }: Stage): QueueTournament {
  return new QueueTournament({ groups: book.groups, quota, order: 'fair' }, requestsOf);
}

/** All that wait, in the order in which each would start, were there room; a start charges its first request. */
function startAll({ quota, book }: Stage): readonly string[] {
  const tournament = tournamentOf({ quota, book });
  const ids: string[] = [];
  for (let next = tournament.next(); next !== undefined; next = tournament.next()) {
    const record = book.get(next.head.id);
    if (record === undefined) break;
    ids.push(record.spec.id);
    const isKnown = quota.spec(next.group.queue) !== undefined;
    for (const charge of isKnown ? (requestsOf(next.group)[0] ?? []) : []) quota.charge(charge);
    book.change(record, { state: 'starting' });
  }
  return ids;
}

const ask = (queue: string, wish: Partial<WorkloadSpec> & { gpus?: number } = {}): WorkloadSpec => {
  const { gpus = 1, id = 'w', ...rest } = wish;
  return aWorkload(id, { queue, podSets: [aPodSet({ gpus })], ...rest });
};
const ROOT = aQueue('root');
const leaf = (name: string, h100: number, wish: Partial<QueueSpec> = {}) =>
  aQueue(name, { parent: 'root', h100, ...wish });
const h100 = (queue: string, devices: number): Charge => ({ queue, flavor: 'h100', milli: devices * 1000 });

const cases: Record<
  string,
  { queues: readonly QueueSpec[]; used?: readonly Charge[]; waiting: readonly WorkloadSpec[]; want: readonly string[] }
> = {
  'priority comes before shares': {
    queues: [ROOT, leaf('rich', 2), leaf('poor', 6)],
    used: [h100('rich', 4)],
    waiting: [ask('rich', { id: 'boss', priority: 1 }), ask('poor', { id: 'poor-1' })],
    want: ['boss', 'poor-1'],
  },
  'the smaller share with the request comes first, not the earlier submission': {
    queues: [ROOT, leaf('rich', 2), leaf('poor', 2)],
    used: [h100('rich', 3), h100('poor', 1)],
    waiting: [ask('rich', { id: 'yacht', gpus: 2 }), ask('poor', { id: 'boat', gpus: 2, submittedAtMs: 9 })],
    want: ['boat', 'yacht'],
  },
  'shares are evaluated again after each start': {
    queues: [ROOT, leaf('ant', 0), leaf('bee', 0), leaf('lender', 8)],
    waiting: [
      ask('ant', { id: 'ant-1', submittedAtMs: 1 }),
      ask('ant', { id: 'ant-2', submittedAtMs: 2 }),
      ask('bee', { id: 'bee-1', submittedAtMs: 3 }),
      ask('bee', { id: 'bee-2', submittedAtMs: 4 }),
    ],
    want: ['ant-1', 'bee-1', 'ant-2', 'bee-2'],
  },
  'a queue competes with its first workload, though a later one asks for less': {
    queues: [ROOT, leaf('ant', 0), leaf('bee', 0), leaf('lender', 8)],
    waiting: [
      ask('ant', { id: 'ant-big', gpus: 4, submittedAtMs: 1 }),
      ask('ant', { id: 'ant-small', submittedAtMs: 2 }),
      ask('bee', { id: 'bee-1', gpus: 2, submittedAtMs: 3 }),
    ],
    want: ['bee-1', 'ant-big', 'ant-small'],
  },
  'with equal shares the smaller past usage comes first': {
    queues: [ROOT, leaf('ant', 4, { pastUsage: { h100: 9000 } }), leaf('bee', 4, { pastUsage: { h100: 8000 } })],
    waiting: [ask('ant', { id: 'ant-1', submittedAtMs: 1 }), ask('bee', { id: 'bee-1', submittedAtMs: 3 })],
    want: ['bee-1', 'ant-1'],
  },
  'a borrower with a weight of 0 comes last': {
    queues: [ROOT, leaf('ant', 0, { weight: 0 }), leaf('bee', 0), leaf('lender', 8)],
    waiting: [ask('ant', { id: 'ant-1' }), ask('bee', { id: 'bee-1', gpus: 8, submittedAtMs: 3 })],
    want: ['bee-1', 'ant-1'],
  },
  'departments are compared before their teams': {
    queues: [
      ROOT,
      leaf('east', 0),
      aQueue('east-a', { parent: 'east', h100: 4 }),
      aQueue('east-b', { parent: 'east', h100: 0 }),
      leaf('west', 4),
    ],
    used: [h100('east-b', 6)],
    waiting: [ask('east-a', { id: 'owner' }), ask('west', { id: 'west-1', gpus: 5, submittedAtMs: 3 })],
    want: ['west-1', 'owner'],
  },
  'among several flavors the smallest share counts': {
    queues: [
      ROOT,
      aQueue('ant', { parent: 'root', quotas: { h100: { nominal: 0 }, a100: { nominal: 9000 } } }),
      leaf('bee', 2),
      leaf('lender', 8),
    ],
    waiting: [
      ask('ant', { id: 'ant-1', podSets: [aPodSet({ flavors: ['h100', 'a100'] })] }),
      ask('bee', { id: 'bee-1', gpus: 3, submittedAtMs: -3 }),
    ],
    want: ['ant-1', 'bee-1'],
  },
  'who waits in a queue that nobody knows has its turn too': {
    queues: [ROOT, leaf('ant', 1)],
    waiting: [ask('nowhere', { id: 'lost', submittedAtMs: 1 }), ask('ant', { id: 'ant-1', submittedAtMs: 2 })],
    want: ['lost', 'ant-1'],
  },
};

describe(QueueTournament.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { queues, used, waiting, want }) => {
    expect(startAll(stage(queues, waiting, used))).toEqual(want);
    expect(startAll(stage([...queues].reverse(), [...waiting].reverse(), used))).toEqual(want);
  });

  it('lets one with a choice of flavors compete again by the one that it gets', () => {
    const both = aPodSet({ flavors: ['a100', 'h100'] });
    const quotas = { h100: { nominal: 0 }, a100: { nominal: 9000 } };
    const queues = [ROOT, aQueue('ant', { parent: 'root', quotas }), leaf('bee', 2), leaf('lender', 8)];
    const set = stage(queues, [ask('ant', { id: 'ant-1', podSets: [both] }), ask('bee', { id: 'bee-1', priority: 0 })]);
    const tournament = tournamentOf(set);
    expect(tournament.next()).toMatchObject({ head: { id: 'ant-1' }, choices: 2 });
    expect(tournament.isFirstWith([h100('ant', 1)])).toBe(false);
    expect(tournament.next()).toMatchObject({ head: { id: 'bee-1' }, choices: 1 });
    set.book.groups.park('bee-1');
    expect(tournament.next()).toMatchObject({ head: { id: 'ant-1' } });
    expect(tournament.isFirstWith([h100('ant', 1)])).toBe(true);
  });

  it('passes over the parked, and lets the woken join when told', () => {
    const set = stage([ROOT, leaf('ant', 4)], [ask('ant', { id: 'a' }), ask('ant', { id: 'b', gpus: 2 })]);
    const tournament = tournamentOf(set);
    set.book.groups.park('a');
    expect(tournament.next()?.head.id).toBe('b');
    set.book.groups.park('b');
    expect(tournament.next()).toBeUndefined();
    set.book.groups.wake('h100');
    tournament.joinWoken();
    expect(tournament.next()?.head.id).toBe('a');
  });

  it('sees what a rolled back trial left as it was', () => {
    const set = stage([ROOT, leaf('ant', 1), leaf('bee', 1)], [ask('ant', { id: 'a' }), ask('bee', { id: 'b' })]);
    const journal = new Journal();
    const quota = new QuotaTree(journal);
    for (const queue of [ROOT, leaf('ant', 1), leaf('bee', 1)]) quota.set(queue);
    const tournament = tournamentOf({ ...set, quota });
    expect(tournament.next()?.head.id).toBe('a');
    const mark = journal.mark();
    quota.charge(h100('ant', 2));
    expect(tournament.next()?.head.id).toBe('b');
    journal.rollbackTo(mark);
    expect(tournament.next()?.head.id).toBe('a');
  });

  it('picks whom a full comparison of the tree picks, whatever was told first', () => {
    fc.assert(
      fc.property(anyStage, ({ queues, waiting, used }) => {
        const set = stage(queues, waiting, used);
        const naive = stage([...queues].reverse(), [...waiting].reverse(), used);
        expect(startAll(set)).toEqual(startAllNaively(naive));
      }),
      lawCases(150),
    );
  });
});

describe(waitingAhead.name, () => {
  it('counts who comes before, by priority, then by share of the queues', () => {
    const queues = [ROOT, leaf('rich', 2), leaf('poor', 2), leaf('lender', 4)];
    const set = stage(
      queues,
      [
        ask('rich', { id: 'first', priority: 1 }),
        ask('rich', { id: 'own', submittedAtMs: 1 }),
        ask('rich', { id: 'later', submittedAtMs: 2 }),
        ask('poor', { id: 'poor-1', submittedAtMs: 8 }),
        ask('poor', { id: 'poor-2', submittedAtMs: 9, gpus: 8 }),
      ],
      [h100('rich', 4)],
    );
    const own = set.book.get('own');
    if (own === undefined) throw new Error('unreachable');
    const me = { key: orderKeyOf('fair', own), group: { queue: 'rich', podSets: own.spec.podSets } };
    const ahead = (order: 'fair' | 'one-row') => {
      const rivals = { quota: set.quota, requestsOf: order === 'fair' ? requestsOf : undefined };
      return waitingAhead(rivals, set.book.groups.all(), me);
    };
    expect(ahead('fair')).toEqual({ count: 2, first: 'first' });
    expect(ahead('one-row')).toEqual({ count: 1, first: 'first' });
  });
});

const anyQuota = fc.constantFrom(undefined, 0, 2, 4);
const anyStage = fc
  .record({
    shape: fc.array(fc.record({ parent: fc.nat(), h100: anyQuota, a100: anyQuota, lend: anyQuota, borrow: anyQuota }), {
      minLength: 2,
      maxLength: 9,
    }),
    weights: fc.array(fc.constantFrom(0, 1, 1, 2, 3), { minLength: 9, maxLength: 9 }),
    pasts: fc.array(fc.constantFrom(0, 0, 5000, 9000), { minLength: 9, maxLength: 9 }),
    asks: fc.array(
      fc.record({
        queue: fc.nat(),
        gpus: fc.integer({ min: 1, max: 4 }),
        priority: fc.constantFrom(0, 0, 0, 1),
        submittedAtMs: fc.nat(2),
        flavors: fc.constantFrom(['h100'], ['h100'], ['a100'], ['a100', 'h100']),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    used: fc.array(fc.record({ queue: fc.nat(), flavor: fc.constantFrom('h100', 'a100'), devices: fc.nat(4) }), {
      maxLength: 4,
    }),
  })
  .map(({ shape, weights, pasts, asks, used }) => {
    const queues = shape.map(({ parent, h100: own, a100, lend, borrow }, index): QueueSpec => {
      const limits = {
        ...(lend === undefined ? {} : { lendingLimit: lend * 1000 }),
        ...(borrow === undefined ? {} : { borrowingLimit: borrow * 1000 }),
      };
      return aQueue(`q${index}`, {
        ...(index === 0 || parent % 9 === 8 ? {} : { parent: `q${parent % index}` }),
        weight: weights[index] ?? 1,
        quotas: {
          ...(own === undefined ? {} : { h100: { nominal: own * 1000, ...limits } }),
          ...(a100 === undefined ? {} : { a100: { nominal: a100 * 1000 } }),
        },
        pastUsage: { h100: pasts[index] ?? 0 },
      });
    });
    const leaves = queues.filter(({ name }) => queues.every(({ parent }) => parent !== name)).map(({ name }) => name);
    const leafAt = (index: number): string => leaves[index % leaves.length] ?? '';
    return {
      queues,
      waiting: asks.map(({ queue, gpus, flavors, ...rest }, index) =>
        ask(leafAt(queue), { id: `w${index}`, podSets: [aPodSet({ gpus, flavors })], ...rest }),
      ),
      used: used.map(({ queue, flavor, devices }) => ({ queue: leafAt(queue), flavor, milli: devices * 1000 })),
    };
  });

/** The same by asking every queue of the tree anew for each pick, with no memory. */
function startAllNaively({ quota, book }: Stage): readonly string[] {
  const ids: string[] = [];
  for (let pick = bestOf(quota, book, undefined); pick !== undefined; pick = bestOf(quota, book, undefined)) {
    ids.push(pick.spec.id);
    for (const charge of requestsOf(pick.spec)[0] ?? []) quota.charge(charge);
    book.change(pick, { state: 'starting' });
  }
  return ids;
}

function bestOf(quota: QuotaTree, book: WorkloadBook, queue: string | undefined): WorkloadRecord | undefined {
  const own = book.all().filter(({ spec, state }) => state === 'pending' && spec.queue === queue);
  const children = quota.names().filter((name) => quota.spec(name)?.parent === queue);
  const sent = children.flatMap((child) => {
    const best = bestOf(quota, book, child);
    if (best === undefined) return [];
    const shares = requestsOf(best.spec).map((request) => dominantShare(quota, child, request));
    return [{ best, share: Math.min(...shares), past: pastShare(quota, child) }];
  });
  const rivals = [...own.map((best) => ({ best, share: 0, past: 0 })), ...sent];
  return rivals.sort((a, b) => {
    const [x, y] = [a.best.spec, b.best.spec];
    const byShare = a.share === b.share ? 0 : a.share - b.share;
    const byPast = a.past === b.past ? 0 : a.past - b.past;
    const byName = x.name < y.name ? -1 : 1;
    return y.priority - x.priority || byShare || byPast || x.submittedAtMs - y.submittedAtMs || byName;
  })[0]?.best;
}
