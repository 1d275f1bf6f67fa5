import { describe, expect, it } from '@jest/globals';
import { aWorkload } from '../../../test/support/fleet-builders.js';
import type { Order, WorkloadSpec } from '../index.js';
import { compareByOrder, orderKeyOf } from './order-key.js';
import { WorkloadBook } from './workload-book.js';

const MINUTE = 60_000;
const two = { pods: { count: 2 } };

const orders: Record<string, { order: Order; specs: readonly WorkloadSpec[]; want: string[] }> = {
  'fair: priority before submission before name': {
    order: 'fair',
    specs: [
      aWorkload('d', { submittedAtMs: 1 }),
      aWorkload('b', { submittedAtMs: 2 }),
      aWorkload('a', { submittedAtMs: 2 }),
      aWorkload('c', { submittedAtMs: 9, priority: 3 }),
    ],
    want: ['c', 'd', 'a', 'b'],
  },
  'fifo: priority is no question': {
    order: 'fifo',
    specs: [aWorkload('late', { submittedAtMs: 9, priority: 3 }), aWorkload('soon', { submittedAtMs: 1 })],
    want: ['soon', 'late'],
  },
  'code units decide between names: upper case first': {
    order: 'fair',
    specs: [aWorkload('a'), aWorkload('Z'), aWorkload('ä')],
    want: ['Z', 'a', 'ä'],
  },
  'ids decide between equal names': {
    order: 'fair',
    specs: [aWorkload('2', { name: 'same' }), aWorkload('1', { name: 'same' })],
    want: ['1', '2'],
  },
  'sjf: the shortest estimate, a limit counts as one, unknown last': {
    order: 'sjf',
    specs: [
      aWorkload('unknown', { submittedAtMs: -9, priority: 9 }),
      aWorkload('long', { estimateMs: 9 * MINUTE }),
      aWorkload('limited', { estimateMs: 9 * MINUTE, limitMs: 2 * MINUTE }),
      aWorkload('short', { estimateMs: MINUTE, workDoneMs: 0, submittedAtMs: 5 }),
    ],
    want: ['short', 'limited', 'long', 'unknown'],
  },
  'srtf: what is done already counts no more': {
    order: 'srtf',
    specs: [
      aWorkload('fresh', { estimateMs: 3 * MINUTE }),
      aWorkload('nearly-done', { estimateMs: 60 * MINUTE, workDoneMs: 58 * MINUTE }),
    ],
    want: ['nearly-done', 'fresh'],
  },
  'srsf: time x devices of the minimum': {
    order: 'srsf',
    specs: [
      aWorkload('wide', { estimateMs: 3 * MINUTE, ...two }),
      aWorkload('long', { estimateMs: 5 * MINUTE }),
      aWorkload('half', { estimateMs: 9 * MINUTE, pods: { milli: 500 } }),
      aWorkload('elastic', { estimateMs: 2 * MINUTE, pods: { count: 9, minCount: 1 } }),
      aWorkload('cpu-only', { estimateMs: 99 * MINUTE, pods: { gpus: 0 } }),
    ],
    want: ['cpu-only', 'elastic', 'half', 'long', 'wide'],
  },
  'powers: remaining x devices squared': {
    order: { remainingPower: 1, devicesPower: 2 },
    specs: [aWorkload('wide', { estimateMs: 3 * MINUTE, ...two }), aWorkload('long', { estimateMs: 11 * MINUTE })],
    want: ['long', 'wide'],
  },
  'powers: without time an unknown one is like others, and a negative power puts the largest first': {
    order: { remainingPower: 0, devicesPower: -1 },
    specs: [aWorkload('small', { estimateMs: MINUTE }), aWorkload('large', two)],
    want: ['large', 'small'],
  },
};

describe(compareByOrder.name, () => {
  it.each(Object.entries(orders))('%s', (_title, { order, specs, want }) => {
    const book = new WorkloadBook();
    for (const spec of specs) book.submit(spec);
    const keys = book.all().map((record) => orderKeyOf(order, record));
    expect(keys.sort(compareByOrder).map(({ id }) => id)).toEqual(want);
  });

  it('sorts who waits anew when the order changes', () => {
    const book = new WorkloadBook();
    book.submit(aWorkload('first', { estimateMs: 9 * MINUTE, submittedAtMs: 1 }));
    book.submit(aWorkload('short', { estimateMs: MINUTE, submittedAtMs: 2 }));
    const members = (): readonly string[] => [...(book.groups.groupOf('first')?.members ?? [])].map(({ id }) => id);
    expect(members()).toEqual(['first', 'short']);
    book.setOrder('sjf');
    expect(members()).toEqual(['short', 'first']);
    const record = book.get('short');
    if (record !== undefined) book.change(record, { spec: { ...record.spec, estimateMs: 20 * MINUTE } });
    expect(members()).toEqual(['first', 'short']);
  });
});
