import { describe, expect, it } from '@jest/globals';
import { aWorkload } from '../../../test/support/fleet-builders.js';
import type { WorkloadSpec } from '../index.js';
import type { WorkOf } from './remaining-work.js';
import { remainingMs, savedRunMs, workAfterEnd } from './remaining-work.js';

const MINUTE = 60_000;

function work(spec: Partial<WorkloadSpec>, wish: Partial<WorkOf> = {}): WorkOf {
  const fresh = { startedAtMs: undefined, progressEndMs: undefined, checkpointAtMs: undefined, expectedMs: undefined };
  return { spec: aWorkload('job', spec), workDoneMs: 0, ...fresh, ...wish };
}

const hour = { estimateMs: 60 * MINUTE };

describe(remainingMs.name, () => {
  const cases: Record<string, { of: WorkOf; atMs?: number; want: number | undefined }> = {
    'is not known without estimate and limit': { of: work({}), want: undefined },
    'is the estimate before it starts, whatever the time is': { of: work(hour), atMs: 99 * MINUTE, want: 60 * MINUTE },
    'is the limit when that is earlier': { of: work({ ...hour, limitMs: MINUTE }), want: MINUTE },
    'is less by what earlier incarnations saved': { of: work(hour, { workDoneMs: 50 * MINUTE }), want: 10 * MINUTE },
    'shrinks while it runs': { of: work(hour, { startedAtMs: 5 * MINUTE }), atMs: 15 * MINUTE, want: 50 * MINUTE },
    'is what it says of its progress': {
      of: work(hour, { startedAtMs: 0, progressEndMs: 90 * MINUTE }),
      atMs: 80 * MINUTE,
      want: 10 * MINUTE,
    },
    'past the estimate is a tenth of its age': {
      of: work(hour, { startedAtMs: 0 }),
      atMs: 80 * MINUTE,
      want: 8 * MINUTE,
    },
    'past the estimate is at least a minute': {
      of: work({ estimateMs: MINUTE }, { startedAtMs: 0 }),
      atMs: 2 * MINUTE,
      want: MINUTE,
    },
  };

  it.each(Object.entries(cases))('%s', (_title, { of, atMs = 0, want }) => {
    expect(remainingMs(of, atMs)).toBe(want);
  });
});

describe(savedRunMs.name, () => {
  it.each([
    ['nothing without checkpoints', work(hour, { startedAtMs: 0 }), 0],
    ['up to the last interval, when none was seen', work({ checkpointEveryMs: 4 * MINUTE }, { startedAtMs: 0 }), 8],
    ['up to the last that was seen', work({ checkpointEveryMs: 1 }, { startedAtMs: 0, checkpointAtMs: 7 * MINUTE }), 7],
    ['nothing of one that never started', work({ checkpointEveryMs: 1 }), 0],
  ])('is %s', (_title, of, minutes) => {
    expect(savedRunMs(of, 10 * MINUTE)).toBe(minutes * MINUTE);
  });
});

describe(workAfterEnd.name, () => {
  it('adds what was saved to what earlier ones did', () => {
    const ended = work(hour, { startedAtMs: 0, checkpointAtMs: 7 * MINUTE, workDoneMs: 20 * MINUTE });
    expect(workAfterEnd(ended, 10 * MINUTE)).toEqual({ workDoneMs: 27 * MINUTE, expectedMs: undefined });
  });

  it('keeps what it said last of its progress in place of the estimate', () => {
    const ended = work(hour, { startedAtMs: 0, checkpointAtMs: 10 * MINUTE, progressEndMs: 25 * MINUTE });
    const after = workAfterEnd(ended, 12 * MINUTE);
    expect(after).toEqual({ workDoneMs: 10 * MINUTE, expectedMs: 25 * MINUTE });
    expect(remainingMs(work(hour, after), 0)).toBe(15 * MINUTE);
  });
});
