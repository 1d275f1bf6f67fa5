import { describe, expect, it } from '@jest/globals';
import { aWorkload } from '../../test/support/api-builders.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import { workloadOrder } from './workload-order.js';

function created(workload: Workload, creationTimestamp: string): Workload {
  return { ...workload, metadata: { ...workload.metadata, creationTimestamp } };
}

describe(workloadOrder.name, () => {
  it('puts the unfinished first, the newest of each on top, and equals by uid', () => {
    const ordered = workloadOrder([
      aWorkload('done-early', { state: 'succeeded', finishedAt: '2026-01-02T00:00:00.000Z' }),
      aWorkload('done-late', { state: 'cancelled', finishedAt: '2026-01-03T00:00:00.000Z' }),
      aWorkload('b'),
      aWorkload('a'),
      created(aWorkload('newest', { state: 'running' }), '2026-01-01T00:00:01.000Z'),
    ]);
    expect(ordered.map(({ metadata }) => metadata.name)).toEqual(['newest', 'a', 'b', 'done-late', 'done-early']);
  });
});
