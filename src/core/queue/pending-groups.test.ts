import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { aPodSet, aWorkload } from '../../../test/support/fleet-builders.js';
import type { WorkloadSpec } from '../index.js';
import { Journal } from '../journal.js';
import { QuotaTree } from '../quota/index.js';
import { compareByOrder, orderKeyOf } from './order-key.js';
import { QueueTournament } from './queue-tournament.js';
import { WorkloadBook } from './workload-book.js';
import { groupKeyOf } from './workload-record.js';

describe('groups of equal need', () => {
  it('are made by queue, pods, counts and topology, not by name or priority', () => {
    const key = (spec: WorkloadSpec): string => {
      const book = new WorkloadBook();
      book.submit(spec);
      const record = book.get(spec.id);
      return record === undefined ? '' : groupKeyOf(record, 'fair');
    };
    const base = key(aWorkload('a'));
    expect(key(aWorkload('b', { priority: 4 }))).toBe(base);
    expect(key(aWorkload('b', { podSets: [aPodSet({ name: 'other' })] }))).toBe(base);
    expect(key(aWorkload('b', { queue: 'ops' }))).not.toBe(base);
    expect(key(aWorkload('b', { podSets: [aPodSet({ count: 2 })] }))).not.toBe(base);
    expect(key(aWorkload('b', { podSets: [aPodSet({ topology: { kind: 'required', level: 'rack' } })] }))).not.toBe(
      base,
    );
  });

  it('are visited in the order of their heads, whatever comes and goes', () => {
    const anyChange = fc.record({
      id: fc.nat(9),
      priority: fc.nat(2),
      submittedAtMs: fc.nat(2),
      gpus: fc.integer({ min: 1, max: 2 }),
      hold: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyChange), (changes) => {
        const book = new WorkloadBook();
        for (const { id, gpus, hold, ...wish } of changes) {
          const known = book.get(`w${id}`);
          if (known === undefined) book.submit(aWorkload(`w${id}`, { ...wish, hold, podSets: [aPodSet({ gpus })] }));
          else book.change(known, { spec: { ...known.spec, priority: wish.priority, hold } });
        }
        const want = book
          .all()
          .filter(({ spec }) => !spec.hold)
          .map((record) => orderKeyOf('fair', record))
          .sort(compareByOrder)
          .map(({ id }) => id);
        expect(visited(book)).toEqual(want);
        expect(book.groups.size).toBe(want.length);
      }),
      lawCases(100),
    );
  });

  it('sleep once parked, and wake for their flavor only', () => {
    const book = new WorkloadBook();
    book.submit(aWorkload('gpu'));
    book.submit(aWorkload('cpu', { podSets: [aPodSet({ gpus: 0, flavors: ['cpu'] })] }));
    book.groups.park('gpu');
    book.groups.park('cpu');
    expect(visited(book)).toEqual([]);
    book.groups.wake('cpu');
    expect(visited(book)).toEqual(['cpu']);
    book.groups.wakeAll();
    expect(visited(book)).toEqual(['cpu', 'gpu']);
  });

  it('tell newcomers by themselves, in their order and not as they came', () => {
    const book = new WorkloadBook();
    book.submit(aWorkload('m'));
    expect(book.groups.tell('m', 'capacity')).toEqual(['m']);
    for (const id of ['z', 'a', 'n']) book.submit(aWorkload(id));
    expect(book.groups.tell('m', 'capacity')).toEqual(['a', 'n', 'z']);
    expect(book.groups.tell('m', 'capacity')).toEqual([]);
    expect(book.groups.tell('m', 'quota')).toEqual(['a', 'm', 'n', 'z']);
  });

  it('sleep on when an equal joins, and are tried again for a new head', () => {
    const book = new WorkloadBook();
    book.submit(aWorkload('m'));
    book.groups.park('m');
    book.groups.tell('m', 'capacity');
    book.submit(aWorkload('z'));
    expect(book.groups.groupOf('z')).toMatchObject({ isActive: false });
    expect(book.groups.joined()).toEqual([{ head: 'm', binding: 'capacity' }]);
    expect(book.groups.tell('m', 'capacity')).toEqual(['z']);
    expect(book.groups.joined()).toEqual([]);
    book.submit(aWorkload('a'));
    expect(visited(book)).toEqual(['a', 'm', 'z']);
  });
});

describe(WorkloadBook.name, () => {
  it('tells whom the clock changes, each once and in order of time', () => {
    const book = new WorkloadBook();
    book.submit(aWorkload('late', { notBeforeMs: 30 }));
    book.submit(aWorkload('soon', { notBeforeMs: 10 }));
    book.submit(aWorkload('never'));
    expect(book.nextDueMs()).toBe(10);
    expect(book.takeDue(9)).toEqual([]);
    expect(book.takeDue(40).map(({ spec }) => spec.id)).toEqual(['soon', 'late']);
    expect(book.nextDueMs()).toBeUndefined();
  });

  it('forgets a timer that a change has made void', () => {
    const book = new WorkloadBook();
    book.submit(aWorkload('job', { notBeforeMs: 10 }));
    const record = book.get('job');
    if (record !== undefined) book.change(record, { notBeforeMs: 99 });
    expect(book.takeDue(50)).toEqual([]);
    expect(book.nextDueMs()).toBe(99);
  });
});

/** All that would be visited, first to last, each starting. */
function visited(book: WorkloadBook): readonly string[] {
  const ids: string[] = [];
  const quota = new QuotaTree(new Journal());
  const tournament = new QueueTournament({ groups: book.groups, quota, order: 'fair' }, () => [[]]);
  for (let next = tournament.next(); next !== undefined; next = tournament.next()) {
    const record = book.get(next.head.id);
    if (record === undefined) break;
    ids.push(next.head.id);
    book.change(record, { state: 'starting' });
  }
  for (const id of ids) {
    const record = book.get(id);
    if (record !== undefined) book.change(record, { state: 'pending' });
  }
  return ids;
}
