import { describe, expect, it } from '@jest/globals';
import type { WorkloadWait } from '../../cluster.js';
import { noteOf } from './wait-note.js';

/** An autoscaler adds nodes for what is `Unschedulable`, and must not for what is not. */
const reasons: Record<WorkloadWait['constraint'], string> = {
  capacity: 'Unschedulable',
  topology: 'Unschedulable',
  gang: 'Unschedulable',
  selector: 'Unschedulable',
  'node-state': 'Unschedulable',
  quota: 'WaitingForQuota',
  priority: 'WaitingForTurn',
  hold: 'Held',
  dependency: 'WaitingForOthers',
};

describe(noteOf.name, () => {
  it.each(Object.entries(reasons))('calls %s %s', (constraint, reason) => {
    const wait = { workload: 'wl-1', constraint: constraint as WorkloadWait['constraint'], message: 'a sentence' };
    expect(noteOf(wait)).toEqual({ reason, message: 'a sentence' });
  });
});
